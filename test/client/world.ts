// A small world for the device's tests: a clock that moves when told, a network whose every answer can be scripted, a disk that
// can be made to fail or wait, and an authority in a hundred lines that decides in order, keeps a ledger and makes frames.
// It is no second server: rows are put and edited by rules of its own, so that device and authority share no code here.
import { defineApp, t, table } from 'holdfast'
import { type Client, type ClientOptions, createClient } from 'holdfast/client'
import * as v from 'valibot'
import type { Cancel, Clock } from '../../src/base/clock.ts'
import type { Code } from '../../src/base/errors.ts'
import { SyncError } from '../../src/base/errors.ts'
import type { Random } from '../../src/base/random.ts'
import type { Host, NetworkAnswer, NetworkRequest, StreamListener } from '../../src/client/host.ts'
import { createMemory, type Memory, openMemoryStorage } from '../../src/client/storage/memory.ts'
import type { Storage } from '../../src/client/storage/storage.ts'
import { appendOutcome, type Outcome, type OutcomeRange } from '../../src/protocol/outcome.ts'
import { makeProblem } from '../../src/protocol/problem.ts'

export const notes = defineApp({
  tables: {
    notes: table({ id: t.id(), ownerId: t.text(), text: t.text(), count: t.integer() }).scope('user', 'ownerId'),
  },
  mutators: ({ mutator }) => ({
    put: mutator(
      v.object({ id: v.string(), text: v.string() }),
      async (tx, { id, text }) => {
        await tx.notes.insert({ id, ownerId: tx.actor, text, count: 0 })
      },
      { describe: ({ text }) => `Note: ${text}` },
    ),
    edit: mutator(v.object({ id: v.string(), text: v.string() }), async (tx, { id, text }) => {
      await tx.notes.update(id, { text })
    }),
    bump: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      const note = await tx.notes.get(id)
      if (note === undefined) return tx.reject('no_note', { id })
      await tx.notes.update(id, { count: note.count + 1 })
    }),
    waits: mutator(v.object({}), async () => {
      await new Promise(() => undefined)
    }),
    throws: mutator(v.object({}), async () => {
      throw new RangeError('a bug of the app')
    }),
  }),
})
export type Notes = typeof notes

// ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface TestClock extends Clock {
  /** Runs whatever can run without time going on. */
  settle(): Promise<void>
  /** Lets time pass, timer by timer. */
  advance(byMs: number): Promise<void>
  /** When timers are due, from now, soonest first. */
  due(): readonly number[]
}

export function createTestClock(): TestClock {
  let nowMs = 1_772_323_200_000
  const began = nowMs
  let timers: { readonly at: number; readonly run: () => void }[] = []
  let turns: { readonly run: () => void }[] = []
  const clock: TestClock = {
    now: () => nowMs,
    monotonic: () => nowMs - began,
    after(delayMs, run) {
      const timer = { at: nowMs + Math.max(0, delayMs), run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    turn(run) {
      const turn = { run }
      turns.push(turn)
      return () => {
        turns = turns.filter((other) => other !== turn)
      }
    },
    async settle() {
      for (let idle = 0; idle < 2; ) {
        await new Promise<void>((resolve) => setImmediate(resolve))
        const due = turns
        turns = []
        for (const { run } of due) run()
        idle = due.length > 0 ? 0 : idle + 1
      }
    },
    async advance(byMs) {
      const end = nowMs + byMs
      await clock.settle()
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        nowMs = Math.max(nowMs, next.at)
        timers = timers.filter((timer) => timer !== next)
        next.run()
        await clock.settle()
      }
      nowMs = end
      await clock.settle()
    },
    due: () => timers.map(({ at }) => at - nowMs).sort((a, b) => a - b),
  }
  return clock
}

/** Dice that show the same in every run. */
export function createTestRandom(seed = 1): Random {
  let state = seed >>> 0
  return {
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let index = 0; index < length; index++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        bytes[index] = state >>> 24
      }
      return bytes
    },
  }
}

// ── The network ─────────────────────────────────────────────────────────────────────────────────────────────────────
/** What happens to one request. `lost`: the authority takes it, the answer never comes. `held`: it waits for `release`. */
export type Fate = 'pass' | 'lost' | 'unreachable' | 'held' | ((request: NetworkRequest) => NetworkAnswer)

export interface TestStream {
  readonly request: NetworkRequest
  readonly listener: StreamListener
  isCancelled: boolean
}

/** An answer as it comes from the network. */
export function answerOf(
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {},
): NetworkAnswer {
  const all: { readonly [name: string]: string } = { 'content-type': 'application/json; charset=utf-8', ...headers }
  return { status, header: (name) => all[name], body: typeof body === 'string' ? body : JSON.stringify(body) }
}

/** An answer that states a problem. */
export function problemOf(code: Code, more: { readonly retryAfterMs?: number } = {}, headers = {}): NetworkAnswer {
  const problem = makeProblem(code, 'req-test', 'So it was scripted.', more)
  return answerOf(problem.status, problem, { 'content-type': 'application/problem+json', ...headers })
}

/** A page of somebody else: the sign-in page of a café. */
export const captivePortal = (): NetworkAnswer =>
  answerOf(200, '<html>Welcome to our café</html>', { 'content-type': 'text/html' })

// ── The authority ───────────────────────────────────────────────────────────────────────────────────────────────────
interface Body {
  readonly client: string
  readonly last: number
  readonly stored: number
  readonly cursors: readonly { readonly scope: string; readonly version: number; readonly mark: string }[]
  readonly intents: readonly {
    readonly sequence: number
    readonly id: string
    readonly name: string
    readonly args: { readonly id: string; readonly text: string }
    readonly withdraw?: string
  }[]
}
interface Kept {
  readonly id: string
  readonly outcome: Outcome
}
interface Line {
  readonly version: number
  readonly row:
    | { readonly id: string; readonly ownerId: string; readonly text: string; readonly count: number }
    | undefined
}
interface State {
  readonly ledger: Map<string, Outcome>
  readonly decided: Map<string, Kept[]>
  readonly log: Map<string, Line>
  version: number
  era: string
}

export interface TestAuthority {
  readonly state: State
  push(body: string): NetworkAnswer
  pull(body: string): NetworkAnswer
  /** A frame for a device that stands at `version`. */
  frame(client: string, from: number): { readonly patch: object; readonly seal: object }
  /** Somebody else writes. */
  write(id: string, text: string): void
  /** How often each intent id was really decided: never more than once in one history. */
  readonly runs: Map<string, number>
  /** Decides differently for one intent. */
  decideAs: (id: string) => Outcome | undefined
  /** Stops at an intent instead of deciding it. */
  stopAt: (id: string) => object | undefined
  backup(): () => void
}

const scope = 'user:42'
const markOf = (state: State, version: number): string =>
  version === 0 ? '' : `${state.era}${version.toString(16).padStart(4, '0')}`

export function createTestAuthority(): TestAuthority {
  const state: State = { ledger: new Map(), decided: new Map(), log: new Map(), version: 0, era: 'a1' }
  const kept = (client: string): Kept[] => {
    const list = state.decided.get(client) ?? []
    state.decided.set(client, list)
    return list
  }
  const write = (id: string, text: string, count: number): void => {
    state.version++
    state.log.set(id, { version: state.version, row: { id, ownerId: '42', text, count } })
  }
  const run = (name: string, { id, text }: Body['intents'][number]['args']): Outcome => {
    const row = state.log.get(id)?.row
    if (name === 'put') {
      if (row !== undefined) return { status: 'rejected', code: 'row_exists', details: { table: 'notes', id } }
      write(id, text, 0)
    } else if (row === undefined) return { status: 'rejected', code: 'row_gone', details: { table: 'notes', id } }
    else write(id, name === 'edit' ? text : row.text, name === 'bump' ? row.count + 1 : row.count)
    return { status: 'applied' }
  }
  const seal = (client: string, stored: number) => {
    const outcomes: OutcomeRange[] = []
    kept(client).forEach(({ outcome }, index) => {
      if (index + 1 > stored) appendOutcome(outcomes, index + 1, outcome, false)
    })
    return { client, decided: kept(client).length, outcomes, scopes: [scope], at: 1_772_323_200_000 }
  }
  const patchFrom = (from: number, mark: string) => {
    const isKnown = from <= state.version && mark === markOf(state, from)
    const since = isKnown ? from : 0
    const rows = [...state.log]
      .filter(([, { version, row }]) => version > since && row !== undefined)
      .map(([, { row }]) => row)
    return {
      scope,
      from: { version: since, mark: markOf(state, since) },
      to: { version: state.version, mark: markOf(state, state.version) },
      ...(isKnown ? {} : { reset: true }),
      rows: { notes: rows },
      gone: {},
    }
  }
  const authority: TestAuthority = {
    state,
    runs: new Map(),
    decideAs: () => undefined,
    stopAt: () => undefined,
    push(text) {
      const body = JSON.parse(text) as Body
      const mine = kept(body.client)
      const outcomes: OutcomeRange[] = []
      const forked = () => problemOf('forked')
      if (mine.length > body.last) return forked()
      let stop: object | undefined
      for (const entry of body.intents) {
        const known = mine[entry.sequence - 1]
        if (known !== undefined) {
          if (known.id !== entry.id) return forked()
          appendOutcome(outcomes, entry.sequence, known.outcome, true)
          continue
        }
        if (entry.sequence > mine.length + 1)
          stop = { sequence: entry.sequence, code: 'gap', detail: 'A number is missing', expected: mine.length + 1 }
        else if (entry.withdraw === undefined) stop = authority.stopAt(entry.id)
        if (stop !== undefined) {
          stop = { sequence: entry.sequence, ...stop }
          break
        }
        const recorded = state.ledger.get(entry.id)
        const outcome: Outcome =
          recorded ??
          authority.decideAs(entry.id) ??
          (entry.withdraw === undefined
            ? run(entry.name, entry.args)
            : { status: 'withdrawn', code: 'discarded', details: { as: entry.withdraw } })
        if (recorded === undefined) authority.runs.set(entry.id, (authority.runs.get(entry.id) ?? 0) + 1)
        state.ledger.set(entry.id, outcome)
        mine.push({ id: entry.id, outcome })
        appendOutcome(outcomes, entry.sequence, outcome, recorded !== undefined)
      }
      return answerOf(200, {
        requestId: 'req',
        client: body.client,
        decided: mine.length,
        outcomes,
        ...(stop === undefined ? {} : { stop }),
      })
    },
    pull(text) {
      const body = JSON.parse(text) as Body
      const at = body.cursors.find((cursor) => cursor.scope === scope) ?? { version: 0, mark: '' }
      const isHere = at.version === state.version && at.mark === markOf(state, state.version) && body.cursors.length > 0
      return answerOf(200, {
        requestId: 'req',
        patches: isHere ? [] : [patchFrom(at.version, at.mark)],
        seal: seal(body.client, body.stored),
      })
    },
    frame: (client, from) => ({ patch: patchFrom(from, markOf(state, from)), seal: seal(client, 0) }),
    write: (id, text) => write(id, text, 0),
    backup() {
      const copy = structuredClone({
        ledger: state.ledger,
        decided: state.decided,
        log: state.log,
        version: state.version,
      })
      return () => {
        for (const name of ['ledger', 'decided', 'log'] as const) {
          state[name].clear()
          for (const [key, value] of copy[name] as Map<string, never>) state[name].set(key, value)
        }
        state.version = copy.version
        state.era = state.era === 'a1' ? 'b2' : 'c3'
        authority.runs.clear()
      }
    },
  }
  return authority
}

// ── The whole ───────────────────────────────────────────────────────────────────────────────────────────────────────
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
      async append(intents, texts) {
        await before('append', intents)
        return inner.append(intents, texts)
      },
      async note(events) {
        await before('note', events)
        return inner.note(events)
      },
      async rewriteOutbox(events) {
        await before('rewriteOutbox', events)
        return inner.rewriteOutbox(events)
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
