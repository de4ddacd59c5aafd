// A small world for the device's tests: a clock that moves when told, a network whose every answer can be scripted, a disk that
// can be made to fail or wait, and a small authority behind it.
import { type Client, type ClientOptions, createClient } from 'holdfast/client'
import type { Cancel } from '../../src/base/clock.ts'
import { SyncError } from '../../src/base/errors.ts'
import type { Host, NetworkAnswer, NetworkRequest, StreamListener } from '../../src/client/host.ts'
import { createMemory, type Memory, openMemoryStorage } from '../../src/client/storage/memory.ts'
import type { Storage } from '../../src/client/storage/storage.ts'
import { type Body, createTestAuthority, type TestAuthority } from './authority.ts'
import { createTestClock, createTestRandom, type TestClock } from './clock.ts'
import { type Notes, notes } from './notes.ts'

export { answerOf, captivePortal, problemOf } from './answers.ts'
export { type Notes, notes } from './notes.ts'

/** What happens to one request. `lost`: the authority takes it, the answer never comes. `held`: it waits for `release`. */
export type Fate = 'pass' | 'lost' | 'unreachable' | 'held' | ((request: NetworkRequest) => NetworkAnswer)

export interface TestStream {
  readonly request: NetworkRequest
  readonly listener: StreamListener
  isCancelled: boolean
}

/** How storage can be made to misbehave. */
export interface TestDisk {
  readonly memory: Memory
  mode: 'memory' | 'file'
  isDurable: boolean
  /** Called before each write; may throw, or make it wait. */
  beforeWrite: (
    verb: 'append' | 'note' | 'rewriteOutbox' | 'keepFrame' | 'rewriteFrames',
    content: unknown,
  ) => void | Promise<void>
  writes: string[]
}

export interface World {
  readonly clock: TestClock
  readonly authority: TestAuthority
  readonly disk: TestDisk
  readonly reports: unknown[]
  readonly requests: NetworkRequest[]
  readonly streams: TestStream[]
  /** What happens to the next requests, by path; when a list is empty, `fallback` decides. */
  readonly fates: { readonly push: Fate[]; readonly pull: Fate[] }
  fallback: (request: NetworkRequest) => Fate
  /** A network on which cancelling does nothing: the answer comes all the same. */
  ignoresCancel: boolean
  /** Lets the oldest request that is held go on. */
  release(fate?: Fate): Promise<void>
  heldCount(): number
  host(): Host
  client(options?: Partial<ClientOptions<Notes>>): Promise<Client<Notes>>
  /** The stream that is open now. */
  stream(): TestStream
  paths(): readonly string[]
  /** The bodies of all requests to one path, parsed. */
  bodies(path: string): readonly Sent[]
  /** Answers whatever is asked of a stream: a whole frame for who stands at `from`. */
  sendFrame(from: number, client?: string): Promise<void>
}

/** What the tests look at in a request. */
export interface Sent extends Body {
  readonly actor: string
  readonly app: string
}

/** More requests than any test here has reason to make. */
const STORM = 1_000

export function createWorld(): World {
  const clock = createTestClock()
  const random = createTestRandom()
  const authority = createTestAuthority()
  const reports: unknown[] = []
  const requests: NetworkRequest[] = []
  const streams: TestStream[] = []
  const held: ((fate: Fate) => void)[] = []
  const disk: TestDisk = {
    memory: createMemory(),
    mode: 'file',
    isDurable: true,
    beforeWrite: () => undefined,
    writes: [],
  }

  const meet = (request: NetworkRequest, fate: Fate): Promise<NetworkAnswer> => {
    if (fate === 'held') return new Promise<Fate>((resolve) => held.push(resolve)).then((next) => meet(request, next))
    if (typeof fate === 'function') return Promise.resolve().then(() => fate(request))
    if (fate === 'unreachable') return Promise.reject(new SyncError('unreachable', 'No route'))
    const answer = request.path === 'push' ? authority.push(request.body) : authority.pull(request.body)
    if (fate === 'lost') return Promise.reject(new SyncError('timed_out', 'The answer was lost'))
    return Promise.resolve(answer)
  }

  const openStorage = async (): Promise<Storage> => {
    const inner = openMemoryStorage(disk.memory)
    const before = async (verb: Parameters<TestDisk['beforeWrite']>[0], content: unknown): Promise<void> => {
      disk.writes.push(verb)
      await disk.beforeWrite(verb, content)
    }
    return {
      ...inner,
      get mode() {
        return disk.mode
      },
      get isDurable() {
        return disk.isDurable
      },
      async append(intents, draft) {
        await before('append', intents)
        return inner.append(intents, draft)
      },
      async note(make) {
        const events = make()
        await before('note', events)
        return inner.note(() => events)
      },
      async rewriteOutbox(make) {
        const events = make()
        await before('rewriteOutbox', events)
        return inner.rewriteOutbox(() => events)
      },
      async keepFrame(frame) {
        await before('keepFrame', frame)
        return inner.keepFrame(frame)
      },
      async rewriteFrames(frames) {
        await before('rewriteFrames', frames)
        return inner.rewriteFrames(frames)
      },
    }
  }

  const world: World = {
    clock,
    authority,
    disk,
    reports,
    requests,
    streams,
    fates: { push: [], pull: [] },
    fallback: () => 'pass',
    ignoresCancel: false,
    async release(fate = 'pass') {
      held.shift()?.(fate)
      await clock.settle()
    },
    heldCount: () => held.length,
    host: () => ({
      clock,
      random,
      openStorage,
      report: (error) => void reports.push(error),
      network: {
        exchange(request) {
          if (requests.length >= STORM)
            throw new Error('A storm of requests: something is asked again and again without a pause')
          requests.push(request)
          const fate =
            (request.path === 'live' ? undefined : world.fates[request.path].shift()) ?? world.fallback(request)
          let cancel: Cancel = () => undefined
          const cancelled = new Promise<never>((_resolve, reject) => {
            cancel = () => {
              if (!world.ignoresCancel) reject(new SyncError('unreachable', 'Cancelled'))
            }
          })
          cancelled.catch(() => undefined)
          return { answer: Promise.race([meet(request, fate), cancelled]), cancel }
        },
        stream(request, listener) {
          if (requests.length >= STORM)
            throw new Error('A storm of requests: something is asked again and again without a pause')
          requests.push(request)
          const stream: TestStream = { request, listener, isCancelled: false }
          streams.push(stream)
          queueMicrotask(() => {
            if (!stream.isCancelled) listener.opened()
          })
          return () => {
            stream.isCancelled = true
          }
        },
      },
    }),
    async client(options = {}) {
      const client = createClient({
        app: notes,
        host: world.host(),
        url: 'https://authority.test/sync/',
        session: { actor: '42' },
        ...options,
      })
      await client.ready
      await clock.settle()
      return client
    },
    stream() {
      const open = streams.at(-1)
      if (open === undefined) throw new Error('No stream was opened')
      return open
    },
    paths: () => requests.map(({ path }) => path),
    bodies: (path) => requests.filter((request) => request.path === path).map(({ body }) => JSON.parse(body) as Sent),
    async sendFrame(from, client) {
      const stream = world.stream()
      const { patch, seal } = authority.frame(client ?? (JSON.parse(stream.request.body) as Sent).client, from)
      stream.listener.event('patch', JSON.stringify(patch))
      stream.listener.event('seal', JSON.stringify(seal))
      await clock.settle()
    },
  }
  return world
}

/** A UUID that the tests can name: `uuid(7)`. */
export function uuid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}
