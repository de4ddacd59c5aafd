// The authority as a node of a simulated world: it can die and start again, be restored from a backup, refuse credentials, fail in
// the middle of a statement, and run a deploy whose mutators throw. What runs is authority-process.ts.
import type { DatabaseSync } from 'node:sqlite'
import type { Outcome } from '../protocol/outcome.ts'
import type { LogEntry } from '../server/index.ts'
import { type AuthorityProcess, SimulatedFailure, startProcess } from './authority-process.ts'
import { createDatabaseFiles } from './database-files.ts'
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
  readonly isUp: boolean
  readonly hasBackup: boolean
  /** Rejects when a statement fails while it starts; then it has to be killed. */
  start(): Promise<void>
  /** The process dies: resolves when it can be started again. */
  crash(): Promise<void>
  /** Keeps a copy of the database for `setBack`, unless a transaction is open. */
  backUp(): void
  /** Between `crash` and `start`: the database is that of the backup. */
  setBack(): void
  /** Writes as somebody else. Undefined while the authority holds the lock. */
  foreign<Result>(run: (db: DatabaseSync) => Result): Result | undefined
  /** Reads for the oracle; sees what is committed. */
  judge(): DatabaseSync
  /** Runs a mutator as server code does, under an id; undefined while it is down. */
  run(actor: string, name: string, args: unknown, id: string): Promise<Outcome> | undefined
  jump(byMs: number): void
  freeze(): void
  thaw(): void
  setUnrest(unrest: Unrest): void
  setBadDeploy(isBad: boolean): void
  setSignedOut(actor: string, isOut: boolean): void
  /** The end. */
  close(): Promise<void>
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
  const files = createDatabaseFiles(folder)
  const signedOut = new Set<string>()
  const hostDice = dice.fork('host')
  let unrest: Unrest = { pause: 0, failure: 0 }
  let isBadDeploy = false
  let isWriting = false
  let running: AuthorityProcess | undefined

  const crash = async (): Promise<void> => {
    const process = running
    running = undefined
    await process?.kill()
    isWriting = false
  }

  return {
    server: { handle: (request) => running?.handle(request) },
    get isUp() {
      return running !== undefined
    },
    get hasBackup() {
      return files.hasBackup
    },
    async start() {
      running = startProcess({
        world,
        dice: hostDice,
        path: files.path,
        before(kind) {
          watch.between(kind)
          if (dice.chance(unrest.failure)) {
            history.fault('databaseFailure', 'authority')
            throw new SimulatedFailure('disk I/O error')
          }
          return dice.chance(unrest.pause) ? dice.between(1, 40) : 0
        },
        beforeMutator() {
          if (!isBadDeploy) return
          history.fault('badDeploy', 'authority')
          throw new SimulatedFailure('The deploy is broken')
        },
        writing: (now) => {
          isWriting = now
        },
        committed: watch.committed,
        logged: watch.logged,
        isSignedOut: (actor) => signedOut.has(actor),
      })
      await running.ready
    },
    crash,
    backUp() {
      if (isWriting) return
      files.backUp()
      watch.backedUp()
    },
    setBack() {
      files.setBack()
      watch.wentBack()
    },
    foreign: (run) => (isWriting ? undefined : run(files.foreign())),
    judge: files.judge,
    run: (actor, name, args, id) => running?.run(actor, name, args, id),
    jump: (byMs) => running?.jump(byMs),
    freeze: () => running?.freeze(),
    thaw: () => running?.thaw(),
    setUnrest: (next) => {
      unrest = next
    },
    setBadDeploy: (isBad) => {
      isBadDeploy = isBad
    },
    setSignedOut: (actor, isOut) => void (isOut ? signedOut.add(actor) : signedOut.delete(actor)),
    async close() {
      files.close()
      await crash()
    },
  }
}
