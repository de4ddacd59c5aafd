// What the demo says of a device as a whole: the most important thing that is true, never a tick while anything is unsent, and
// nothing that flickers.
import type { Badge, Connection, Status } from 'holdfast/client'
import { describe, expect, it } from 'vitest'
import { nextPill, type PillState, pillOf } from '../../examples/workouts/src/page/pill.ts'
import { BADGES, farthest } from '../../examples/workouts/src/page/words.ts'

const NOW = Date.UTC(2026, 10, 22, 12, 0)
const DAY = 86_400_000

interface Said extends Partial<Omit<Status, 'counts' | 'fault'>> {
  readonly counts?: { readonly [B in Badge]?: number }
  readonly code?: string
}

function status({ counts = {}, code, ...rest }: Said = {}): Status {
  const all = { saving: 0, unsaved: 0, queued: 0, sending: 0, synced: 0, conflict: 0, failed: 0, ...counts }
  return {
    connection: 'online',
    fault:
      code === undefined
        ? undefined
        : {
            code: code as NonNullable<Status['fault']>['code'],
            phase: 'send',
            message: '',
            requestId: undefined,
            intent: undefined,
          },
    attempts: 0,
    counts: all,
    waiting: all.saving + all.queued + all.sending + all.failed,
    oldestWaitingAt: undefined,
    storage: { mode: 'indexeddb', isDurable: true, why: undefined, refused: [], until: undefined },
    heardAt: NOW,
    isStalled: false,
    lost: [],
    incoming: undefined,
    asOf: NOW - 60_000,
    tab: 'alone',
    ...rest,
  }
}

const text = (said: Said): string => pillOf(status(said), NOW).text

describe('the pill', () => {
  it.each<[string, Said]>([
    ['Synced', {}],
    ['Syncing 4…', { counts: { queued: 3, sending: 1 } }],
    ['Offline · 4 on this device', { connection: 'offline', counts: { queued: 4 } }],
    ['Offline · 2,995 on this device', { connection: 'paused', counts: { queued: 2995 } }],
    ['Sign in to sync · 3 waiting', { connection: 'held', code: 'unauthenticated', counts: { queued: 3 } }],
    ['Update needed · 3 changes safe', { connection: 'held', code: 'protocol_unsupported', counts: { queued: 3 } }],
    ['Update needed · 1 change safe', { connection: 'held', code: 'version_unknown', counts: { queued: 1 } }],
    ['Update needed', { connection: 'held', code: 'storage_newer' }],
    ['2 not synced', { counts: { failed: 2, queued: 1 } }],
    ['1 to review', { counts: { conflict: 1 } }],
    ['Changes not saved', { counts: { unsaved: 1, failed: 2 } }],
    [
      'Changes not saved',
      {
        counts: { queued: 1 },
        storage: { mode: 'memory', isDurable: false, why: undefined, refused: [], until: 'closed' },
      },
    ],
    ['Sync stopped', { connection: 'broken' }],
    ['Opening…', { storage: undefined, connection: 'connecting' }],
  ])('says «%s»', (words, said) => {
    expect(text(said)).toBe(words)
  })

  it('says since when it is offline: the time within a day, the date after', () => {
    expect(text({ connection: 'offline' })).toMatch(/^Offline · as of \d\d:\d\d$/)
    expect(text({ connection: 'offline', asOf: NOW - 3 * DAY })).toMatch(/^Offline · as of \d+ Nov 2026$/)
    expect(text({ connection: 'offline', asOf: undefined })).toBe('Offline')
  })

  it('grows louder as the oldest change grows older', () => {
    const tone = (days: number): string =>
      pillOf(status({ connection: 'offline', counts: { queued: 1 }, oldestWaitingAt: NOW - days * DAY }), NOW).tone
    expect([tone(0.5), tone(2), tone(8)]).toEqual(['neutral', 'caution', 'negative'])
  })

  it('[I15] shows a tick only when nothing is unsent and the authority is heard', () => {
    const connections: readonly Connection[] = ['online', 'connecting', 'offline', 'held', 'paused', 'broken']
    for (const connection of connections)
      for (const badge of Object.keys(BADGES) as Badge[]) {
        const { shape, tone } = pillOf(status({ connection, counts: { [badge]: 1 } }), NOW)
        const isSynced = connection === 'online' && badge === 'synced'
        expect([connection, badge, shape === 'tick']).toEqual([connection, badge, isSynced])
        expect([connection, badge, tone === 'positive']).toEqual([connection, badge, isSynced])
      }
  })
})

describe('the pill over time', () => {
  const busy = status({ counts: { sending: 1 } })
  const calm = status()
  const through = (...steps: readonly (readonly [at: number, Status])[]): PillState => {
    let state: PillState | undefined
    for (const [at, said] of steps) state = nextPill(state, said, NOW + at).state
    if (state === undefined) throw new Error('no step')
    return state
  }

  it('does not speak of what is over within a blink, and asks to be woken when it is not', () => {
    expect(through([0, calm], [100, busy], [300, calm]).shown.text).toBe('Synced')
    expect(nextPill(through([0, calm]), busy, NOW + 100)).toMatchObject({ againMs: 400 })
    expect(through([0, calm], [100, busy], [500, busy]).shown.text).toBe('Syncing 1…')
  })

  it('stays long enough to be read', () => {
    const shown = through([0, calm], [100, busy], [500, busy])
    const next = nextPill(shown, calm, NOW + 700)
    expect(next).toMatchObject({ state: { shown: { text: 'Syncing 1…' } }, againMs: 600 })
    expect(nextPill(next.state, calm, NOW + 1300)).toMatchObject({ state: { shown: { text: 'Synced' } } })
  })

  it('says when it takes long', () => {
    const long = through([0, calm], [100, busy], [500, busy], [10_100, busy])
    expect(long.shown.text).toBe('Still syncing 1…')
  })

  it('holds bad news back for nothing', () => {
    const shown = through([0, calm], [100, busy], [500, busy])
    expect(nextPill(shown, status({ counts: { failed: 1 } }), NOW + 501).state.shown.text).toBe('1 not synced')
    expect(nextPill(shown, status({ connection: 'offline', counts: { queued: 1 } }), NOW + 501).state.shown.key).toBe(
      'offline',
    )
  })

  it('is the same object while it says the same', () => {
    const shown = through([0, calm])
    expect(nextPill(shown, status({ heardAt: NOW + 5 }), NOW + 5).state).toBe(shown)
  })
})

describe('badges', () => {
  it('[I15] have a shape and a word each, and only synced has a tick', () => {
    const all = Object.values(BADGES)
    expect(new Set(all.map(({ shape }) => shape)).size).toBe(all.length)
    expect(new Set(all.map(({ label }) => label)).size).toBe(all.length)
    expect(Object.entries(BADGES).filter(([, { shape }]) => shape === 'tick')).toHaveLength(1)
    expect(BADGES.synced.shape).toBe('tick')
  })

  it('[I15] of several rows say what is farthest from synced', () => {
    expect(farthest(['synced', 'synced'])).toBe('synced')
    expect(farthest(['synced', 'queued', 'sending'])).toBe('queued')
    expect(farthest(['failed', 'unsaved', 'saving'])).toBe('unsaved')
    expect(farthest([])).toBe('synced')
  })
})
