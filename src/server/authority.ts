// The authority: wires the rooms of the server together and decides nothing. What an app gives comes in here; what others call goes
// out: `handle` for any listener, `fetch` for web-standard ones, `run` for the server's own code.
import type { Json } from '../base/json.ts'
import type { Outcome } from '../protocol/outcome.ts'
import { PROTOCOL } from '../protocol/version.ts'
import type { App } from '../schema/app.ts'
import { checkApp } from '../schema/checks.ts'
import type { ArgsOf, ConflictPolicy, InputOf, MutatorBody } from '../schema/mutator.ts'
import type { Table } from '../schema/table.ts'
import type { Authenticate } from './actor.ts'
import { type Counters, createCounters } from './counters.ts'
import type { Database, WriteCounts } from './db/db.ts'
import { layOut } from './db/layout.ts'
import { mending } from './db/mend.ts'
import { type MigrateMode, migrate } from './db/migrate.ts'
import type { ServerHost } from './host.ts'
import type { HttpAnswer, HttpRequest } from './http/exchange.ts'
import { toFetch } from './http/fetch.ts'
import { createHandler } from './http/handler.ts'
import { createPlain } from './plain.ts'
import { createRetention, type Erased, ownScope } from './retention.ts'
import { createRightsReader, type Grants, type GrantsFunction, type GrantsTx } from './rights/grants.ts'
import { createRun } from './run.ts'
import type { Pruned } from './state/prunings.ts'
import { MIGRATIONS } from './state/tables.ts'
import { createCulprits } from './sync/culprits.ts'
import { createLive } from './sync/live.ts'
import { answerPull } from './sync/pull.ts'
import { createSnapshots } from './sync/snapshot.ts'
import { createWriter } from './sync/writer.ts'
import { TUNING, type Tuning, type World } from './world.ts'

/** What an app gives its authority. */
export interface AuthorityOptions<A extends App> {
  readonly app: A
  /** The app's database: `sqlite(path)`. The authority closes it when it is closed. */
  readonly database: Database
  /** Who sent a request; undefined for nobody known. */
  readonly authenticate: Authenticate
  /**
   * What an actor may read and write, as scopes. Asked inside the transaction or snapshot that uses the answer; it may read the
   * app's tables through `tx`, and nothing else that changes.
   */
  readonly grants: (actor: string, tx: GrantsTx<A['tables']>) => Grants | Promise<Grants>
  /** Mutators with another body at the authority. */
  readonly mutators?: {
    readonly [Name in keyof A['mutators']]?: MutatorBody<A['tables'], InputOf<A['mutators'][Name]>>
  }
  /**
   * What a start does when the database lacks tables, columns or triggers: `apply` (the default) makes them, `check` changes nothing,
   * and `ready` rejects with what is missing. `holdfast migrate` prints it, or applies it.
   */
  readonly migrate?: MigrateMode
  /** Clock, dice and log; those of the database by default. */
  readonly host?: ServerHost
  /** Where the wire begins; default `/sync`. */
  readonly basePath?: string
  /**
   * Origins whose pages may call besides those of the authority's own, such as `https://app.example`: with their cookies, and across
   * origins (CORS). None by default: a request that is known by its cookies alone is then taken from this site only.
   */
  readonly browserOrigins?: readonly string[]
  readonly tuning?: Partial<Tuning>
}

/** How an authority is. */
export interface Health {
  readonly status: 'ok' | 'failing'
  readonly protocol: typeof PROTOCOL
  /** The fingerprint of the app. */
  readonly app: string
  /** Batches that wait for the writer. */
  readonly waiting: number
  /** Live streams that are open. */
  readonly streams: number
  /** The last time that the authority forgot what need not be kept, and how much; missing before the first. */
  readonly pruned?: Pruned
}

/** How an authority is, with what only its own process is told. */
export interface OwnHealth extends Health {
  /** What was counted since this authority began. */
  readonly counters: Readonly<Counters & WriteCounts>
}

/** The side that decides. */
export interface Authority<A extends App = App> {
  /** Resolves when tables and triggers are there; rejects when the database does not fit the app. */
  readonly ready: Promise<void>
  /** Answers a request in neutral form; never rejects. */
  handle(request: HttpRequest): Promise<HttpAnswer>
  /** Answers a web-standard request; never rejects. */
  fetch(request: Request): Promise<Response>
  /**
   * Runs a mutator as `actor`, under its grants, and gives the outcome when it is durable. With an `id` (a UUID) that was used
   * before, the recorded outcome is given again. Rejects with a SyncError `mutator_unknown`, or `fault` when the mutator throws.
   */
  run<Name extends keyof A['mutators'] & string>(
    actor: string,
    name: Name,
    args: ArgsOf<A['mutators'][Name]>,
    options?: { readonly id?: string },
  ): Promise<Outcome & { readonly repeated?: true }>
  /**
   * Forgets what need not be kept any longer (see `keepStoredMs`, `keepSilentMs` and `keepHistoryMs` in `Tuning`), slice by slice
   * between other writes. The authority does it by itself every `pruneMs`.
   */
  prune(): Promise<Pruned>
  /**
   * Deletes the rows of an actor’s own scopes, default `user:<actor>`, and forgets the actor’s outcomes, so that nothing of what was
   * written or answered remains here. How far the actor’s devices had come stays: what they send again is answered `expired` and never
   * run. Devices that may read the scopes lose the rows. Rejects with a TypeError for what is no scope, or where a constraint of the
   * app’s tables keeps a row; what was deleted until then stays deleted.
   */
  erase(actor: string, options?: { readonly scopes?: readonly string[] }): Promise<Erased>
  /** How it is: what `GET /health` answers, and counters. */
  health(): Promise<OwnHealth>
  /** Ends streams, finishes what is under way, and closes the database. */
  close(): Promise<void>
}

const POLICIES: readonly ConflictPolicy[] = ['rerun', 'reject', 'fields']

/**
 * Makes an authority.
 *
 * @example
 * const authority = createAuthority({
 *   app,
 *   database: sqlite('./data.db'),
 *   authenticate: (request) => sessions.get(request.header('authorization') ?? ''),
 *   grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
 * })
 */
export function createAuthority<A extends App>(options: AuthorityOptions<A>): Authority<A> {
  const { app, database, basePath = '/sync' } = options
  // Where the app was bundled for production nobody has looked at its declaration yet.
  checkApp(app)
  for (const name of Object.keys(options.mutators ?? {})) {
    if (!Object.hasOwn(app.mutators, name))
      throw new TypeError(
        `createAuthority: the app declares no mutator ${JSON.stringify(name)} that could have another body here`,
      )
  }
  for (const [name, { conflict }] of Object.entries(app.mutators)) {
    if (!POLICIES.includes(conflict))
      throw new TypeError(
        `createAuthority: the mutator ${name} has the conflict policy ${JSON.stringify(conflict)}; there are ${POLICIES.join(', ')}`,
      )
  }
  if (!/^(\/[\w.~-]+)*$/.test(basePath))
    throw new TypeError(`createAuthority: basePath is ${JSON.stringify(basePath)}, it must look like /sync`)
  const host = options.host ?? database.host
  const tuning = { ...TUNING, ...options.tuning }
  const layout = layOut(app, database.dialect)
  const world: World = {
    app,
    layout,
    database: mending(database, layout, host, options.migrate !== 'check'),
    host,
    rights: createRightsReader(app, options.grants as unknown as GrantsFunction, host.clock, tuning.grantsTimeoutMs),
    bodies: (options.mutators ?? {}) as {
      readonly [name: string]: MutatorBody<{ readonly [table: string]: Table }, unknown>
    },
    culprits: createCulprits(),
    tuning,
  }
  const ready = migrate(database, world.layout, MIGRATIONS, host.clock.now(), options.migrate ?? 'apply', (warning) =>
    host.log({ level: 'warn', message: 'the database would do better with an index' }, warning),
  )
  ready.catch((error: unknown) => host.log({ level: 'error', message: 'the database does not fit the app' }, error))
  const writer = createWriter(world, (committed) => live.tell(committed))
  const snapshot = createSnapshots(world, writer)
  const live = createLive(world, snapshot)
  const run = createRun(world, writer, ready)
  const retention = createRetention(world, writer, ready)
  retention.start()

  const counters = createCounters()
  const plain = createPlain(world, writer, counters)
  const health = async (): Promise<Health> => {
    const known = {
      protocol: PROTOCOL as typeof PROTOCOL,
      app: app.fingerprint,
      waiting: writer.waiting(),
      streams: live.size(),
    }
    try {
      await ready
      const pruned = await retention.last()
      return { status: 'ok', ...known, ...(pruned === undefined ? {} : { pruned }) }
    } catch (error) {
      host.log({ level: 'error', message: 'the health check failed' }, error)
      return { status: 'failing', ...known }
    }
  }

  const handle = createHandler({
    host,
    basePath,
    authenticate: options.authenticate,
    browserOrigins: options.browserOrigins ?? [],
    rate: tuning.rate,
    actorStreams: tuning.actorStreams,
    keptMs: tuning.keepSilentMs,
    count(refused) {
      counters[refused]++
    },
    ready,
    plain,
    async push({ actor, client, last, stored, after, intents }, requestId) {
      const { decided, outcomes, stop } = await writer.push({
        actor,
        client,
        owner: actor,
        last,
        stored,
        after,
        entries: intents,
        requestId,
      })
      return { requestId, client, decided, outcomes, ...(stop === undefined ? {} : { stop }) }
    },
    pull: (request, requestId) => snapshot((sql) => answerPull(world, sql, request, requestId)),
    live: (request) => live.open(request),
    health,
  })

  return {
    ready,
    handle,
    fetch: toFetch(handle),
    run: (actor, name, args, more) => run(actor, name, args as Json, more),
    prune: retention.prune,
    erase: (actor, { scopes = [ownScope(actor)] } = {}) => retention.erase(actor, scopes),
    health: async () => ({ ...(await health()), counters: { ...counters, ...database.writes() } }),
    async close() {
      retention.stop()
      await ready.catch(() => undefined)
      live.close()
      await writer.close()
      await database.close()
    },
  }
}
