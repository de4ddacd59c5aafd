// The small language in which the tests of the authority are written: an app with parents, positions and aggregates, an authority
// over a real database (bases.ts), and devices that push and pull by hand. Holds no expectations.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type App, count, defineApp, type Json, sum, t, table } from 'holdfast'
import {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  type Database,
  type HttpAnswer,
  type LogEntry,
} from 'holdfast/server'
import { nodeHost } from 'holdfast/sqlite'
import { onTestFinished } from 'vitest'
import type { Patch, Seal } from '../../src/protocol/frame.ts'
import type { PullAnswer } from '../../src/protocol/pull.ts'
import type { PushAnswer } from '../../src/protocol/push.ts'
import type { ServerHost } from '../../src/server/host.ts'
import { copyRows, foreign, foreignly, freshBase, onPostgres, openBase } from './bases.ts'

/** A schema that takes anything, or what a predicate takes. */
export function anything<T>(fits: (value: unknown) => boolean = () => true): StandardSchemaV1<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        fits(value) ? { value: value as T } : { issues: [{ message: 'does not fit', path: ['n'] }] },
    },
  }
}

export const app = defineApp({
  tables: {
    workouts: table({
      id: t.id(),
      ownerId: t.text(),
      name: t.text(),
      note: t.text().nullable(),
      done: t.boolean(),
      extra: t.json().nullable(),
    }).scope('user', 'ownerId'),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      reps: t.integer(),
      kg: t.real(),
    }).scopeVia('workoutId'),
    laps: table({ id: t.id(), setId: t.ref('sets'), position: t.appendIndex('setId'), ms: t.integer() }).scopeVia(
      'setId',
    ),
    members: table({ id: t.id(), gymId: t.text(), userId: t.text(), role: t.text() }).scope('gym', 'gymId'),
    notes: table({ id: t.id(), gymId: t.text(), text: t.text() }).scope('gym', 'gymId'),
  },
  aggregates: ({ aggregate }) => ({
    workoutTotals: aggregate('sets')
      .by('workoutId')
      .values({ sets: count(), volume: sum((s) => s.reps * s.kg, { decimals: 2 }) }),
    userTotals: aggregate('workouts').by('ownerId').values({ workouts: count() }),
  }),
  mutators: ({ mutator, generated }) => ({
    ...generated('workouts'),
    ...generated('sets'),
    ...generated('laps'),
    ...generated('members'),
    ...generated('notes'),
    /** Fails with the mode that its argument names. */
    act: mutator(anything<{ readonly how: string; readonly id: string }>(), async (tx, { how, id }) => {
      await tx.workouts.insert({ id, ownerId: tx.actor, name: how, done: false })
      if (how === 'reject') tx.reject('not_today', { why: 'rain' })
      if (how === 'throw') throw new Error('secret of the server')
    }),
    strict: mutator(
      anything<{ readonly n: number }>((value) => typeof (value as { readonly n?: unknown }).n === 'number'),
      async () => undefined,
      {
        version: 2,
        upgrades: {
          1: (args) => ({ n: Number((args as { readonly text: string }).text) || (null as unknown as number) }),
        },
      },
    ),
    renameAll: mutator(anything<{ readonly name: string }>(), async (tx, { name }) => {
      for (const { id } of await tx.workouts.where({}).all()) await tx.workouts.update(id, { name })
    }),
  }),
})
export type TestApp = typeof app

type Options = Partial<Pick<AuthorityOptions<TestApp>, 'grants' | 'mutators' | 'tuning' | 'authenticate'>> & {
  readonly path?: string
  readonly host?: ServerHost
  /** Another app than the one above, which shares none of its types. */
  readonly app?: App
  /** Statements of the app's own that run before the authority starts. */
  readonly before?: readonly string[]
}

/** An authority, and hands to reach into its database past it. */
export interface Stage {
  readonly authority: Authority<TestApp>
  readonly database: Database
  readonly path: string
  readonly logged: LogEntry[]
  /** Runs plain SQL on a connection of its own, as a foreign process would. */
  foreign(text: string, ...parameters: (string | number | null)[]): unknown[]
  /** Runs several statements of a foreign process in one transaction. */
  foreignTransaction(...statements: readonly string[]): void
  device(actor: string): Device
  send(path: string, body: unknown, headers?: { readonly [name: string]: string }): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: { readonly [member: string]: unknown }
}

/** By default an actor reads and writes its own rows, and the gyms of which it is a member. */
export const grants: AuthorityOptions<TestApp>['grants'] = async (actor, tx) => {
  const gyms = (await tx.members.where({ userId: actor }).all()).map(({ gymId }) => `gym:${gymId}`)
  return { read: [`user:${actor}`, ...gyms], write: [`user:${actor}`, ...gyms] }
}

/** Opens an authority over an empty base, or over that of an earlier one. */
export async function stage(options: Options = {}): Promise<Stage> {
  const path = options.path ?? freshBase()
  const logged: LogEntry[] = []
  const real = options.host ?? nodeHost()
  const host: ServerHost = { ...real, log: (entry) => void logged.push(entry) }
  const declared = (options.app ?? app) as TestApp
  if (options.before !== undefined) foreignly(path, ...options.before)
  const database = openBase(path, host)
  const authority = createAuthority({
    app: declared,
    database,
    authenticate: options.authenticate ?? ((request) => request.header('authorization')?.replace('Bearer ', '')),
    grants: options.grants ?? grants,
    ...(options.mutators === undefined ? {} : { mutators: options.mutators }),
    ...(options.tuning === undefined ? {} : { tuning: options.tuning }),
  })
  onTestFinished(() => authority.close())
  await authority.ready
  const send = async (
    path: string,
    body: unknown,
    headers: { readonly [name: string]: string } = {},
  ): Promise<Answer> => {
    const answer = await authority.handle(post(path, typeof body === 'string' ? body : JSON.stringify(body), headers))
    if ('open' in answer) throw new Error('a stream came where an answer was expected')
    return { status: answer.status, headers: answer.headers, body: JSON.parse(answer.body) }
  }
  return {
    authority,
    database,
    path,
    logged,
    foreign: (text, ...values) => foreign(path, [{ text, values }]),
    foreignTransaction: (...statements) => void foreignly(path, ...statements),
    device: (actor) => createDevice(actor, send, authority, declared.fingerprint),
    send,
  }
}

/** The path of a copy of what an authority has in its database now. */
export async function copyOf({ path }: Stage): Promise<string> {
  const copy = freshBase()
  if (onPostgres()) await (await stage({ path: copy })).authority.close()
  copyRows(path, copy)
  return copy
}

/** A neutral POST. */
export function post(path: string, body: string, headers: { readonly [name: string]: string } = {}) {
  const all: { readonly [name: string]: string } = { 'content-type': 'application/json', ...headers }
  return { method: 'POST', path, header: (name: string) => all[name], text: async () => body }
}

/** A device that pushes and pulls by hand. */
export interface Device {
  readonly actor: string
  client: string
  last: number
  stored: number
  decided: number
  readonly confirmed: Map<string, Map<string, Row>>
  readonly cursors: Map<string, { readonly version: number; readonly mark: string; readonly within?: unknown }>
  /** The next intents, with fresh numbers and ids. */
  make(...calls: readonly Call[]): Entry[]
  push(...entries: readonly Entry[]): Promise<PushAnswer & Answer>
  /** Makes and pushes. */
  call(...calls: readonly Call[]): Promise<PushAnswer>
  page(): Promise<PullAnswer & Answer>
  /** Pulls until the seal; gives it. */
  pull(): Promise<Seal>
  apply(patches: readonly Patch[], seal?: Seal): void
  /** The rows of one table that the device holds, by id. */
  rows(table: string): Row[]
  caller(): { readonly [member: string]: unknown }
  live(onEvent: (event: string, data: unknown) => void): Promise<{ readonly answer: HttpAnswer; close(): void }>
}

export type Row = { readonly id: string; readonly [column: string]: unknown }
export type Call = readonly [
  name: string,
  args: unknown,
  more?: {
    readonly id?: string
    readonly needs?: readonly string[]
    readonly version?: number
    readonly births?: readonly unknown[]
    readonly root?: string
  },
]
export type Entry = { readonly sequence: number; readonly id: string; readonly [member: string]: unknown }

let made = 0
/** A UUID that no other call gave. */
export function uuid(): string {
  made++
  return `${made.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
}

function createDevice(actor: string, send: Stage['send'], authority: Authority<TestApp>, fingerprint: string): Device {
  const headers = { authorization: `Bearer ${actor}` }
  const device: Device = {
    actor,
    client: uuid(),
    last: 0,
    stored: 0,
    decided: 0,
    confirmed: new Map(),
    cursors: new Map(),
    make: (...calls) =>
      calls.map(([name, args, more = {}]) => ({
        sequence: ++device.last,
        id: uuid(),
        name,
        version: 1,
        args: args as Json,
        madeAt: 1_700_000_000_000,
        ...more,
      })),
    async push(...entries) {
      const answer = await send('/sync/push', { ...device.caller(), intents: entries }, headers)
      return { ...answer, ...(answer.body as unknown as PushAnswer) }
    },
    call: (...calls) => device.push(...device.make(...calls)),
    async page() {
      const answer = await send(
        '/sync/pull',
        { ...device.caller(), cursors: [...device.cursors].map(([scope, place]) => ({ scope, ...place })) },
        headers,
      )
      return { ...answer, ...(answer.body as unknown as PullAnswer) }
    },
    async pull() {
      for (;;) {
        const page = await device.page()
        if (page.status !== 200) throw new Error(JSON.stringify(page.body))
        device.apply(page.patches, page.seal)
        if (page.seal !== undefined) return page.seal
      }
    },
    apply(patches, seal) {
      for (const { scope, to, reset, rows, gone } of patches) {
        const held = device.confirmed.get(scope)
        const mine = reset || held === undefined ? new Map<string, Row>() : held
        device.confirmed.set(scope, mine)
        for (const [name, list] of Object.entries(rows)) for (const row of list) mine.set(`${name}/${row.id}`, row)
        for (const [name, list] of Object.entries(gone)) for (const id of list) mine.delete(`${name}/${id}`)
        device.cursors.set(scope, to)
      }
      if (seal === undefined) return
      device.decided = seal.decided
      for (const scope of [...device.cursors.keys()]) {
        if (seal.scopes.includes(scope as Seal['scopes'][number])) continue
        device.cursors.delete(scope)
        device.confirmed.delete(scope)
      }
    },
    rows(name) {
      const found: Row[] = []
      for (const rows of device.confirmed.values())
        for (const [key, row] of rows) if (key.startsWith(`${name}/`)) found.push(row)
      return found.sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    caller: () => ({
      protocol: 1,
      app: fingerprint,
      actor,
      client: device.client,
      last: device.last,
      stored: device.stored,
    }),
    async live(onEvent) {
      const body = JSON.stringify({
        ...device.caller(),
        cursors: [...device.cursors].map(([scope, place]) => ({ scope, ...place })),
      })
      const answer = await authority.handle(post('/sync/live', body, headers))
      if (!('open' in answer)) return { answer, close: () => undefined }
      const close = answer.open({
        write(text) {
          const event = /^event: (.*)\ndata: (.*)\n\n$/.exec(text)
          onEvent(event?.[1] ?? '', event === null ? undefined : JSON.parse(event[2] ?? ''))
          return 0
        },
        close: () => onEvent('closed', undefined),
      })
      return { answer, close }
    },
  }
  return device
}
