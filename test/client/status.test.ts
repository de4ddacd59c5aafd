// Badges and status: every combination of what outbox and engine know has one word, and the words are those of the table of states.
import { describe, expect, test } from 'vitest'
import type { GivenUp, OutboxEntry } from '../../src/client/outbox/entry.ts'
import type { ParkedReason } from '../../src/client/outbox/stored.ts'
import { type Badge, badgeOf, connectionOf, countBadges, rowBadge } from '../../src/client/status.ts'
import type { Health } from '../../src/client/sync/engine.ts'
import { RECEIVER, SENDER } from '../../src/client/sync/loop.ts'
import type { IntentId, Sequence } from '../../src/protocol/ids.ts'
import type { Outcome } from '../../src/protocol/outcome.ts'
import { uuid } from './world.ts'

const applied: Outcome = { status: 'applied' }
const rejected: Outcome = { status: 'rejected', code: 'no', details: {} }
const withdrawn: Outcome = { status: 'withdrawn', code: 'dependency', details: {} }
const discarded: GivenUp = { as: 'discarded', reason: undefined, detail: undefined }
const parked = (reason: ParkedReason): GivenUp => ({ as: 'parked', reason, detail: 'why' })

const entry = (known: Partial<OutboxEntry> = {}): OutboxEntry => ({
  intent: { id: uuid(1) as IntentId, name: 'put', version: 1, args: null, madeAt: 0 },
  sequence: 1 as Sequence,
  givenUp: undefined,
  outcome: undefined,
  isRepeated: false,
  decidedAt: 0,
  isReopened: false,
  isRetired: false,
  isSending: false,
  attempts: 0,
  saved: undefined,
  ...known,
})

describe('the badge of an intent', () => {
  const table: readonly (readonly [what: string, known: Partial<OutboxEntry>, isDurable: boolean, badge: Badge])[] = [
    ['made, not saved yet', { sequence: undefined }, true, 'saving'],
    ['made, not saved yet, and it will not be durable', { sequence: undefined }, false, 'saving'],
    ['held where nothing is durable', {}, false, 'unsaved'],
    ['durable, not sent', {}, true, 'queued'],
    ['in a request', { isSending: true }, true, 'sending'],
    ['applied, its effects not here yet', { outcome: applied }, true, 'sending'],
    ['applied, and its effects are here', { outcome: applied, isRetired: true }, true, 'synced'],
    ['rejected', { outcome: rejected }, true, 'failed'],
    ['rejected, and its frame is here', { outcome: rejected, isRetired: true }, true, 'failed'],
    ['withdrawn because of another', { outcome: withdrawn, isRetired: true }, true, 'failed'],
    ['discarded, not told yet', { givenUp: discarded }, true, 'queued'],
    [
      'discarded, and done',
      { givenUp: discarded, outcome: { ...withdrawn, code: 'discarded' }, isRetired: true },
      true,
      'synced',
    ],
    ['discarded too late', { givenUp: discarded, outcome: applied, isRetired: true }, true, 'synced'],
    ['asked for again after the authority went back', { outcome: applied, isReopened: true }, true, 'queued'],
    ['asked for again, in a request', { outcome: applied, isReopened: true, isSending: true }, true, 'sending'],
    ['parked: version', { givenUp: parked('version') }, true, 'queued'],
    ['parked: waits', { givenUp: parked('waits'), outcome: withdrawn, isRetired: true }, true, 'queued'],
    ['parked: fault', { givenUp: parked('fault'), outcome: withdrawn, isRetired: true }, true, 'failed'],
    ['parked: sealed', { givenUp: parked('sealed') }, true, 'failed'],
    ['parked: expired', { givenUp: parked('expired') }, true, 'failed'],
    [
      'parked, but it had been applied',
      { givenUp: parked('fault'), outcome: applied, isRetired: true },
      true,
      'synced',
    ],
  ]
  test.each(table)('%s', (_what, known, isDurable, badge) => {
    expect(badgeOf(entry(known), isDurable)).toBe(badge)
  })

  test('of one that has just been called is saving', () => {
    expect(badgeOf(undefined, true)).toBe('saving')
  })

  test('[I15] never says synced before the authority, nor anything beyond saving before the disk: all combinations', () => {
    let seen = 0
    for (const sequence of [undefined, 1 as Sequence])
      for (const givenUp of [
        undefined,
        discarded,
        ...(['fault', 'version', 'waits', 'sealed', 'expired'] as const).map(parked),
      ])
        for (const outcome of [undefined, applied, rejected, withdrawn])
          for (const isReopened of [false, true])
            for (const isRetired of [false, true])
              for (const isSending of [false, true])
                for (const isDurable of [false, true]) {
                  const known = { sequence, givenUp, outcome, isReopened, isRetired, isSending }
                  const badge = badgeOf(entry(known), isDurable)
                  seen++
                  const said = JSON.stringify({ ...known, isDurable, badge })
                  expect(['saving', 'unsaved', 'queued', 'sending', 'synced', 'failed'], said).toContain(badge)
                  if (sequence === undefined) expect(badge, said).toBe('saving')
                  if (badge === 'synced') expect(outcome !== undefined && isRetired, said).toBe(true)
                  if (badge === 'synced' && givenUp === undefined) expect(outcome?.status, said).toBe('applied')
                  if (badge === 'unsaved') expect(isDurable, said).toBe(false)
                  if (outcome?.status === 'rejected' && givenUp === undefined && !isReopened && sequence !== undefined)
                    expect(badge, said).toBe('failed')
                }
    expect(seen).toBe(2 * 7 * 4 * 2 * 2 * 2 * 2)
  })
})

test('a row shows the state of its writer that is farthest from synced', () => {
  const order: readonly Badge[] = ['synced', 'conflict', 'sending', 'queued', 'saving', 'failed', 'unsaved']
  for (const [index, far] of order.entries())
    for (const near of order.slice(0, index + 1)) {
      const badges = new Map([
        [uuid(1), near],
        [uuid(2), far],
      ])
      for (const writers of [
        [uuid(1), uuid(2)],
        [uuid(2), uuid(1)],
      ])
        expect(rowBadge(writers as IntentId[], (id) => badges.get(id) as Badge)).toBe(far)
    }
  expect(rowBadge([], () => 'failed')).toBe('synced')
})

test('counts name every badge and add up to the entries', () => {
  const entries = [
    entry(),
    entry({ sequence: undefined }),
    entry({ outcome: rejected }),
    entry({ outcome: applied, isRetired: true }),
  ]
  expect(countBadges(entries, true)).toEqual({
    saving: 1,
    unsaved: 0,
    queued: 1,
    sending: 0,
    synced: 1,
    conflict: 0,
    failed: 1,
  })
})

test('the connection of every pair of states is one word, and the two halves agree on it', () => {
  const health = (sender: Health['sender'], receiver: Health['receiver']): Health => ({
    sender,
    receiver,
    fault: undefined,
    attempts: 0,
    heardAt: 0,
    rebirths: 0,
    isStalled: false,
    incoming: undefined,
  })
  const words = new Set<string>()
  for (const sender of Object.keys(SENDER) as Health['sender'][])
    for (const receiver of Object.keys(RECEIVER) as Health['receiver'][]) {
      const word = connectionOf(health(sender, receiver))
      words.add(word)
      if (sender === 'held' || receiver === 'held') expect(word).toBe('held')
      else if (sender === 'waiting' || receiver === 'waiting') expect(word).toBe('offline')
      if (word === 'online') expect(['streaming', 'resting']).toContain(receiver)
    }
  expect([...words].sort()).toEqual(['connecting', 'held', 'offline', 'online', 'paused'])
})
