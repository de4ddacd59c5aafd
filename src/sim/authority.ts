// The authority as a node of a simulated world: the real one, over the real database adapter and a file in memory, which can die
// between any two statements, be restored from a backup, refuse credentials, and run a deploy whose mutators throw.
// When it dies, what was not committed is gone, as SQLite promises; a power cut beneath SQLite is not simulated here.
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from '../server/db/sqlite/index.ts'
import type { LogEntry } from '../server/host.ts'
import type { HttpAnswer, HttpRequest, StreamSink } from '../server/http/exchange.ts'
import { type Authority, createAuthority } from '../server/index.ts'
import { app } from './app.ts'
import { createNodeClock, type NodeClock } from './clock.ts'
import { watchDatabase } from './database.ts'
import type { History } from './history.ts'
import type { Server } from './network.ts'
import type { Dice } from './random.ts'
import type { World } from './world.ts'

/** Where requests of devices go. */
export const AUTHORITY_URL = 'http://authority.example/sync'

/** Who hears of what the authority does. */
export interface AuthorityWatch {
  /** The authority has committed, and nothing has been written since; `order` are the places (client, sequence) recorded, in order. */
  committed(order: readonly string[]): void
  /** Something is about to be read or written, in a transaction or a snapshot that is open. */
  between(kind: 'read' | 'write'): void
  logged(entry: LogEntry, cause: unknown): void
  /** A copy of what is committed was made. */
  backedUp(): void
  /** The file is that of the backup again. */
  wentBack(): void
}

/** How often what happens between two statements. */
export interface Unrest {
  /** The world goes on for a moment. */
  readonly pause: number
  /** The statement fails, as with a full disk. */
  readonly failure: number
}

/** The authority of a world. */
export interface AuthorityNode {
  readonly server: Server
  start(): Promise<void>
  /** The process dies: resolves when it can be started again. */
  crash(): Promise<void>
  /** Keeps a copy of the database for `setBack`; false while a transaction is open. */
  backUp(): boolean
  /** Between `crash` and `start`: the database is that of the backup. */
  setBack(): void
  /** Writes or reads as somebody else. Undefined while the authority holds the lock. */
  foreign<Result>(run: (db: DatabaseSync) => Result): Result | undefined
  /** Reads for the oracle; sees what is committed. */
  judge(): DatabaseSync
  readonly isUp: boolean
  readonly hasBackup: boolean
  setUnrest(unrest: Unrest): void
  setBadDeploy(isBad: boolean): void
  setSignedOut(actor: string, isOut: boolean): void
  close(): Promise<void>
}

/** A failure that the simulator makes. */
class SimulatedFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SimulatedFailure'
  }
}

/** One running process of it. */
interface Process {
  readonly isAlive: () => boolean
  readonly kill: () => Promise<void>
  readonly clock: NodeClock
  readonly authority: Authority
  /** Streams and requests that end with the process. */
  readonly endings: Set<() => void>
}

/** What the node is made of. */
export interface AuthorityParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  /** A folder of its own, best in memory. */
  readonly folder: string
  readonly watch: AuthorityWatch
}

/** Makes the authority of a world; it runs after `start`. */
export function createAuthorityNode({ world, dice, history, folder, watch }: AuthorityParts): AuthorityNode {
  let files = 0
  let path = join(folder, 'authority-0.db')
  let backup: string | undefined
  let isWriting = false
  let unrest: Unrest = { pause: 0, failure: 0 }
  let isBadDeploy = false
  let running: Process | undefined
  let foreign: DatabaseSync | undefined
  let judge: DatabaseSync | undefined
  const signedOut = new Set<string>()
  // One stream for all lives: a process that starts again must not throw the same dice.
  const hostDice = dice.fork('host')

  const closeOthers = (): void => {
    foreign?.close()
    judge?.close()
    foreign = undefined
    judge = undefined
  }

  const start = async (): Promise<void> => {
    const clock = createNodeClock(world)
    const host = {
      clock,
      random: hostDice,
      log: (entry: LogEntry, cause?: unknown) => (isAlive ? watch.logged(entry, cause) : undefined),
    }
    const inner = sqlite(path, { host })
    const pauses = new Set<(error: Error) => void>()
    let isAlive = true

    const between = (kind: 'read' | 'write'): Promise<void> | undefined => {
      if (!isAlive) throw new SimulatedFailure('The process is dead')
      watch.between(kind)
      if (dice.chance(unrest.failure)) {
        history.fault('databaseFailure', 'authority')
        throw new SimulatedFailure('disk I/O error')
      }
      if (!dice.chance(unrest.pause)) return undefined
      return new Promise((resolve, reject) => {
        pauses.add(reject)
        world.after(dice.below(40), () => {
          pauses.delete(reject)
          if (isAlive) resolve()
        })
      })
    }
    let order: string[] = []
    const database = watchDatabase(inner, {
      between,
      writing: (now) => {
        isWriting = now
        order = []
      },
      inserting(head, rows) {
        if (head.includes('holdfast_ledger'))
          order.push(...rows.map(([client, sequence]) => `${String(client)} ${String(sequence)}`))
      },
      committed: () => (isAlive ? watch.committed(order) : undefined),
    })
    const authority = createAuthority({
      app,
      database,
      host,
      authenticate: (request) => {
        const [, actor] = request.header('authorization')?.match(/^Bearer (.+)$/) ?? []
        return actor === undefined || signedOut.has(actor) ? undefined : actor
      },
      grants: async (actor, tx) => {
        const members = await tx.members.where({ actorId: actor }).all()
        const gyms = (role?: string) =>
          members.filter((member) => role === undefined || member.role === role).map(({ gymId }) => `gym:${gymId}`)
        return { read: [`user:${actor}`, ...gyms()], write: [`user:${actor}`, ...gyms('member')] }
      },
      mutators: {
        logSet: async (tx, input) => {
          failWhenBad()
          await app.mutators.logSet.body(tx as never, input)
        },
        useMachine: async (tx, input) => {
          failWhenBad()
          await app.mutators.useMachine.body(tx as never, input)
        },
      },
    })
    running = {
      isAlive: () => isAlive,
      clock,
      authority,
      endings: new Set(),
      async kill() {
        isAlive = false
        clock.stop()
        for (const reject of pauses) reject(new SimulatedFailure('The process died'))
        await inner.close()
      },
    }
    await authority.ready.catch((error: unknown) => {
      if (isAlive) throw error
    })
  }

  function failWhenBad(): void {
    if (isBadDeploy) {
      history.fault('badDeploy', 'authority')
      throw new SimulatedFailure('The deploy is broken')
    }
  }

  return {
    server: {
      handle(request: HttpRequest) {
        const life = running
        if (life === undefined) return undefined
        return new Promise<HttpAnswer>((resolve, reject) => {
          const die = (): void => reject(new SimulatedFailure('The process died'))
          life.endings.add(die)
          life.authority.handle(request).then(
            (answer) => {
              life.endings.delete(die)
              if (life.isAlive())
                resolve(
                  'open' in answer ? { ...answer, open: (sink) => openWhileAlive(life, answer.open, sink) } : answer,
                )
            },
            (error: unknown) => {
              life.endings.delete(die)
              watch.logged({ level: 'error', message: 'authority.handle rejected' }, error)
              reject(error)
            },
          )
        })
      },
    },
    start,
    async crash() {
      const life = running
      if (life === undefined) return
      running = undefined
      for (const end of life.endings) end()
      await life.kill()
    },
    backUp() {
      if (isWriting) return false
      backup = join(folder, `backup-${++files}.db`)
      copyDatabase(path, backup)
      watch.backedUp()
      return true
    },
    setBack() {
      if (backup === undefined) return
      closeOthers()
      path = join(folder, `authority-${++files}.db`)
      copyDatabase(backup, path)
      watch.wentBack()
    },
    foreign(run) {
      if (isWriting) return undefined
      foreign ??= new DatabaseSync(path)
      return run(foreign)
    },
    judge: () => (judge ??= new DatabaseSync(path)),
    get isUp() {
      return running !== undefined
    },
    get hasBackup() {
      return backup !== undefined
    },
    setUnrest: (next) => {
      unrest = next
    },
    setBadDeploy: (isBad) => {
      isBadDeploy = isBad
    },
    setSignedOut: (actor, isOut) => void (isOut ? signedOut.add(actor) : signedOut.delete(actor)),
    async close() {
      closeOthers()
      await running?.kill()
      running = undefined
    },
  }
}

/** A stream of one process: it ends with the process, which says nothing any more. */
function openWhileAlive(life: Process, open: (sink: StreamSink) => () => void, sink: StreamSink): () => void {
  const end = (): void => sink.close()
  life.endings.add(end)
  const gone = open({
    write: (text) => (life.isAlive() ? sink.write(text) : 0),
    close: () => {
      life.endings.delete(end)
      if (life.isAlive()) sink.close()
    },
  })
  return () => {
    life.endings.delete(end)
    if (life.isAlive()) gone()
  }
}

/** A copy of the file and of what stands only in its log yet; no other process writes, so the two belong together. */
function copyDatabase(from: string, to: string): void {
  for (const suffix of ['', '-wal']) {
    rmSync(to + suffix, { force: true })
    if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix)
  }
}
