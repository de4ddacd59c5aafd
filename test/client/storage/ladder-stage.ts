// A device on a ladder of three modes, for tests: a best store that can be full, refused, deleted or slow at any call, a rescue copy in
// Web Storage that can be full or blocked, and memory; all in one small world, in which a reload is a new client over what was kept.
import { type Client, type ClientOptions, createClient } from 'holdfast/client'
import { SyncError } from '../../../src/base/errors.ts'
import { openLadder } from '../../../src/client/storage/ladder.ts'
import { createMemory, openMemoryStorage } from '../../../src/client/storage/memory.ts'
import type { Rung } from '../../../src/client/storage/policy.ts'
import type { Storage } from '../../../src/client/storage/storage.ts'
import { clearLocalStorage, openLocalStorage } from '../../../src/hosts/browser/localstorage.ts'
import { rescueHead } from '../../../src/hosts/browser/rescue-name.ts'
import { createWorld, type Notes, notes, type World } from '../world.ts'
import { createFakeArea, type FakeArea } from './rescue-harness.ts'

export type Verb = 'open' | 'load' | 'append' | 'note' | 'rewriteOutbox' | 'keepFrame' | 'rewriteFrames'

export interface LadderStage {
  readonly world: World
  readonly area: FakeArea
  /** The browser's name for what the best store refuses a call with; undefined lets it be done. */
  refuse: (verb: Verb) => string | undefined
  /** The same for each write of an item of Web Storage. */
  refuseItem: () => string | undefined
  /** The best store: what it kept, and whether it does nothing for ever when it is opened. */
  readonly top: ReturnType<typeof createMemory>
  isStuck: boolean
  /** What the best store does before it does what it is asked to; resolved at once unless set. */
  hold: (verb: Verb) => Promise<void> | undefined
  open(options?: Partial<ClientOptions<Notes>>): Promise<Client<Notes>>
  /** The storage alone, as the next start opens it. */
  storage(): Promise<Storage>
  /** Ends a page and whatever it held. */
  end(client: Client<Notes>): Promise<void>
}

export function createLadderStage(): LadderStage {
  const world = createWorld()
  const area = createFakeArea()
  const top = createMemory()
  const name = 'device/42'

  const step = async <Result>(verb: Verb, work: () => Promise<Result>): Promise<Result> => {
    const held = stage.hold(verb)
    if (held !== undefined) await held
    const errno = stage.refuse(verb)
    if (errno !== undefined) throw new SyncError('storage_failed', `${verb} is refused`, { details: { errno } })
    return work()
  }
  const openTop = async (): Promise<Storage> => {
    if (stage.isStuck) return new Promise(() => undefined)
    return step('open', async () => {
      const inner = openMemoryStorage(top)
      return {
        ...inner,
        mode: 'indexeddb',
        isDurable: true,
        load: (birth) => step('load', () => inner.load(birth)),
        append: (intents) => step('append', () => inner.append(intents)),
        note: (make) => step('note', () => inner.note(make)),
        rewriteOutbox: (make) => step('rewriteOutbox', () => inner.rewriteOutbox(make)),
        keepFrame: (frame) => step('keepFrame', () => inner.keepFrame(frame)),
        rewriteFrames: (frames) => step('rewriteFrames', () => inner.rewriteFrames(frames)),
      }
    })
  }
  const view = area.view(() => {
    const errno = stage.refuseItem()
    if (errno !== undefined) throw new DOMException('refused', errno)
  })
  const rungs: readonly Rung[] = [
    { mode: 'indexeddb', open: openTop },
    {
      mode: 'localstorage',
      open: () => openLocalStorage({ name, area: view, hold: area.hold }),
      holds: () => view.getItem(rescueHead(name)) !== null,
      clear: async () => clearLocalStorage(name, view),
    },
    { mode: 'memory', open: async () => openMemoryStorage() },
  ]
  const storage = (): Promise<Storage> =>
    openLadder({ rungs, clock: world.clock, report: (error) => world.reports.push(error) })

  const stage: LadderStage = {
    world,
    area,
    top,
    refuse: () => undefined,
    refuseItem: () => undefined,
    isStuck: false,
    hold: () => undefined,
    storage,
    async open(options = {}) {
      const client = createClient({
        app: notes,
        host: { ...world.host(), openStorage: storage },
        url: 'https://authority.test/sync/',
        session: { actor: '42' },
        live: false,
        ...options,
      })
      await world.clock.settle()
      return client
    },
    async end(client) {
      const closed = client.close()
      await world.clock.settle()
      await closed
    },
  }
  return stage
}
