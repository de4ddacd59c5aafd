// What the tests of plain HTTP callers and of the defence of the wire share: an app whose mutators take no ids, an authority over a
// fresh database, and a clock that a test can move. Holds no expectations.
import { defineApp, t, table } from 'holdfast'
import { type AuthorityOptions, createAuthority, type LogEntry, type ServerHost } from 'holdfast/server'
import { nodeHost } from 'holdfast/sqlite'
import { onTestFinished } from 'vitest'
import { foreignly, freshBase, openBase } from './bases.ts'
import { anything, post } from './scenario.ts'

type Coffee = { readonly kind: string; readonly table?: string }

/** Coffees are bought: twice is twice, unless the mutator says otherwise. */
export const cafe = defineApp({
  tables: {
    coffees: table({ id: t.id(), ownerId: t.text(), kind: t.text() }).scope('user', 'ownerId'),
  },
  mutators: ({ mutator, generated }) => ({
    ...generated('coffees'),
    /** Needs a key. */
    buy: mutator(
      anything<Coffee>((value) => typeof (value as { readonly kind?: unknown } | null)?.kind === 'string'),
      async (tx, { kind }) => {
        await tx.coffees.insert({ id: tx.newId('coffee'), ownerId: tx.actor, kind })
        if (kind === 'decaf') tx.reject('not_coffee', { kind })
        if (kind === 'poison') throw new Error('the secret ingredient')
      },
    ),
    /** Without a key, the same within a minute is one. */
    order: mutator(
      anything<Coffee>((value) => typeof (value as { readonly kind?: unknown } | null)?.kind === 'string'),
      async (tx, { kind }) => {
        await tx.coffees.insert({ id: tx.newId('coffee'), ownerId: tx.actor, kind })
        if (kind === 'decaf') tx.reject('not_coffee', { kind })
        if (kind === 'poison') throw new Error('the secret ingredient')
      },
      { dedupe: { withinMs: 60_000, parent: ({ table = '' }) => table } },
    ),
    /** Is at its second version. */
    renamed: mutator(
      anything<{ readonly kind: string }>(
        (value) => typeof (value as { readonly kind?: unknown } | null)?.kind === 'string',
      ),
      async (tx, { kind }) => void (await tx.coffees.insert({ id: tx.newId('coffee'), ownerId: tx.actor, kind })),
      { version: 2, upgrades: { 1: (args) => ({ kind: String((args as { readonly name?: unknown }).name) }) } },
    ),
  }),
})

type Options = Partial<
  Pick<AuthorityOptions<typeof cafe>, 'mutators' | 'tuning' | 'authenticate' | 'browserOrigins' | 'grants' | 'basePath'>
> & { readonly path?: string; readonly watchTimers?: Set<number> }

/** A host whose clocks a test moves; timers are the real ones. */
export function movableHost(
  log: (entry: LogEntry, cause: unknown) => void = () => undefined,
  timers: Set<number> = new Set(),
) {
  const real = nodeHost({ log: 'silent' })
  let passedMs = 0
  let livedMs = 0
  const host: ServerHost = {
    random: real.random,
    log,
    clock: {
      ...real.clock,
      now: () => real.clock.now() + passedMs,
      after(delayMs, run) {
        timers.add(delayMs)
        const cancel = real.clock.after(delayMs, () => {
          timers.delete(delayMs)
          run()
        })
        return () => {
          timers.delete(delayMs)
          cancel()
        }
      },
      monotonic: () => real.clock.monotonic() + livedMs,
    },
  }
  return {
    host,
    pass(ms: number) {
      passedMs += ms
      livedMs += Math.max(0, ms)
    },
  }
}

/** An answer as a caller sees it. */
export interface Seen {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: { readonly [member: string]: unknown }
}

/** Opens a café. */
export async function openCafe(options: Options = {}) {
  const path = options.path ?? freshBase()
  const logged: { readonly entry: LogEntry; readonly cause: unknown }[] = []
  const { host, pass } = movableHost((entry, cause) => void logged.push({ entry, cause }), options.watchTimers)
  const { path: _path, watchTimers: _timers, ...more } = options
  const authority = createAuthority({
    app: cafe,
    database: openBase(path, host),
    authenticate: (request) => request.header('authorization')?.replace('Bearer ', ''),
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
    ...more,
  })
  onTestFinished(() => authority.close())
  await authority.ready
  const send = async (
    path: string,
    body: unknown,
    headers: { readonly [name: string]: string } = {},
    method = 'POST',
  ): Promise<Seen> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await authority.handle({ ...post(path, text, headers), method })
    if ('open' in answer) throw new Error('a stream came where an answer was expected')
    const isJson = /json/.test(answer.headers['content-type'] ?? '')
    return { ...answer, body: isJson ? JSON.parse(answer.body) : { text: answer.body } }
  }
  const sql = (text: string): readonly unknown[] => foreignly(path, text)
  return {
    authority,
    path,
    logged,
    /** Lets time pass, or goes back in it. */
    pass,
    send,
    /** Posts one intent as `actor`; `key` goes into the header as it is. */
    plain: (actor: string, key: string | undefined, body: unknown, headers: { readonly [name: string]: string } = {}) =>
      send('/sync/intents', body, {
        authorization: `Bearer ${actor}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...headers,
      }),
    sql,
    /** The kinds of all coffees. */
    coffees(): readonly unknown[] {
      const rows = sql('SELECT kind FROM coffees ORDER BY kind') as readonly { readonly kind: unknown }[]
      return rows.map(({ kind }) => kind)
    },
  }
}

/** Any key. */
export const KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'
