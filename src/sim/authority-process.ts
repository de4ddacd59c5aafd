// One running process of the authority: the real one over the real database adapter, which can die between any two statements. When
// it dies, what was not committed is gone, as SQLite promises; its clock stops, and its streams and requests end.

import type { Outcome } from '../protocol/outcome.ts'
import { sqlite } from '../server/db/sqlite/index.ts'
import type { HttpAnswer, HttpRequest, StreamSink } from '../server/http/exchange.ts'
import { type Authority, createAuthority, type LogEntry } from '../server/index.ts'
import { app, type SimApp } from './app.ts'
import { createNodeClock } from './clock.ts'
import { type DatabaseWatch, watchDatabase } from './database.ts'
import type { Dice } from './random.ts'
import type { World } from './world.ts'

/** A failure that the simulator makes. */
export class SimulatedFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SimulatedFailure'
  }
}

/** What a process needs of its node. */
export interface ProcessParts {
  readonly world: World
  /** Dice of the node, not of the process: one that starts again must not throw the same. */
  readonly dice: Dice
  readonly path: string
  /** What may happen before a statement: nothing, a failure that it throws, or a pause of so many milliseconds. */
  before(kind: 'read' | 'write'): number
  /** Before the body of a mutator; throws where the deploy is bad. */
  beforeMutator(): void
  writing(isWriting: boolean): void
  committed(order: readonly string[]): void
  logged(entry: LogEntry, cause: unknown): void
  isSignedOut(actor: string): boolean
}

/** A running process. */
export interface AuthorityProcess {
  readonly ready: Promise<void>
  /** Answers, or rejects when the process dies first. */
  handle(request: HttpRequest): Promise<HttpAnswer>
  /** Runs a mutator as an actor, for server code; never settles when the process dies first. */
  run(actor: string, name: string, args: unknown, id: string): Promise<Outcome>
  /** Moves its wall clock. */
  jump(byMs: number): void
  freeze(): void
  thaw(): void
  /** Resolves when its file can be opened by the next. */
  kill(): Promise<void>
}

/** Starts a process. */
export function startProcess(parts: ProcessParts): AuthorityProcess {
  const { world, dice, path } = parts
  const clock = createNodeClock(world)
  const pauses = new Set<(error: Error) => void>()
  const endings = new Set<() => void>()
  let isAlive = true
  let order: string[] = []

  const watch: DatabaseWatch = {
    between(kind) {
      if (!isAlive) throw new SimulatedFailure('The process is dead')
      const pauseMs = parts.before(kind)
      if (pauseMs === 0) return undefined
      return new Promise((resolve, reject) => {
        pauses.add(reject)
        world.after(pauseMs, () =>
          clock.hear(() => {
            pauses.delete(reject)
            resolve()
          }),
        )
      })
    },
    writing(isWriting) {
      order = []
      parts.writing(isWriting)
    },
    inserting(head, rows) {
      if (head.includes('holdfast_ledger')) order.push(...rows.map(([client, sequence]) => `${client} ${sequence}`))
    },
    committed() {
      if (isAlive) parts.committed(order)
    },
  }
  const host = {
    clock,
    random: dice,
    log: (entry: LogEntry, cause?: unknown) => {
      if (isAlive) parts.logged(entry, cause)
    },
  }
  const inner = sqlite(path, { host })
  const authority = authorityOver(watchDatabase(inner, watch), host, parts)
  const ready = authority.ready.catch((error: unknown) => {
    if (isAlive) throw error
  })

  /** A stream ends with the process, which says nothing any more. */
  const openWhileAlive = (open: (sink: StreamSink) => () => void, sink: StreamSink): (() => void) => {
    const end = (): void => sink.close()
    endings.add(end)
    const gone = open({
      write: (text) => (isAlive ? sink.write(text) : 0),
      close() {
        endings.delete(end)
        if (isAlive) sink.close()
      },
    })
    return () => {
      endings.delete(end)
      clock.hear(gone)
    }
  }

  return {
    ready,
    handle: (request) =>
      new Promise((resolve, reject) => {
        const die = (): void => reject(new SimulatedFailure('The process died'))
        endings.add(die)
        clock.hear(() => {
          authority.handle(request).then(
            (answer) => {
              endings.delete(die)
              if (!isAlive) return
              resolve('open' in answer ? { ...answer, open: (sink) => openWhileAlive(answer.open, sink) } : answer)
            },
            (error: unknown) => {
              endings.delete(die)
              parts.logged({ level: 'error', message: 'authority.handle rejected' }, error)
              reject(error)
            },
          )
        })
      }),
    run: (actor, name, args, id) =>
      new Promise((resolve, reject) => {
        clock.hear(() => {
          authority.run(actor, name as keyof SimApp['mutators'], args as never, { id }).then(
            (outcome) => {
              if (isAlive) resolve(outcome)
            },
            (error: unknown) => {
              if (isAlive) reject(error)
            },
          )
        })
      }),
    jump: clock.jump,
    freeze: clock.freeze,
    thaw: clock.thaw,
    async kill() {
      for (const end of endings) end()
      isAlive = false
      clock.stop()
      for (const reject of pauses) reject(new SimulatedFailure('The process died'))
      await inner.close()
    },
  }
}

type ServerParts = Parameters<typeof createAuthority<SimApp>>[0]

function authorityOver(
  database: ServerParts['database'],
  host: NonNullable<ServerParts['host']>,
  parts: ProcessParts,
): Authority<SimApp> {
  return createAuthority({
    app,
    database,
    host,
    authenticate: (request) => {
      const [, actor] = request.header('authorization')?.match(/^Bearer (.+)$/) ?? []
      return actor === undefined || parts.isSignedOut(actor) ? undefined : actor
    },
    grants: async (actor, tx) => {
      const members = await tx.members.where({ actorId: actor }).all()
      const gyms = (role?: string) =>
        members.filter((member) => role === undefined || member.role === role).map(({ gymId }) => `gym:${gymId}`)
      return { read: [`user:${actor}`, ...gyms()], write: [`user:${actor}`, ...gyms('member')] }
    },
    mutators: {
      logSet: async (tx, input) => {
        parts.beforeMutator()
        await app.mutators.logSet.body(tx as never, input)
      },
      useMachine: async (tx, input) => {
        parts.beforeMutator()
        await app.mutators.useMachine.body(tx as never, input)
      },
      // The same in the authority's own way: by SQL, inside the same transaction.
      step: async (tx, { id, by }) => {
        if ((await tx.tallies.get(id)) === undefined) return tx.tallies.insert({ id, ownerId: tx.actor, steps: by })
        await tx.sql('UPDATE "tallies" SET "steps" = "steps" + ? WHERE id = ?', [by, id])
      },
    },
    // Fewer looks than by default: each is an event, and a world is watched for minutes.
    tuning: { pollMs: 1_000 },
  })
}
