// The real world of an authority in Node: wall clock, timers, cryptographic dice, and a log of JSON lines on stderr.
// Nothing below the rim reads these by itself; the simulator hands in another world.
import { randomFillSync } from 'node:crypto'
import type { Random } from '../../../base/random.ts'
import type { LogEntry, ServerHost } from '../../host.ts'

/** What a Node host may be told. */
export interface NodeHostOptions {
  /** The least level that is written; `silent` writes nothing. Default `warn`. */
  readonly log?: LogEntry['level'] | 'silent'
}

const ranks = { info: 0, warn: 1, error: 2, silent: 3 }

/** The world of an authority that runs in Node. */
export function nodeHost(options: NodeHostOptions = {}): ServerHost {
  const least = ranks[options.log ?? 'warn']
  return {
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      after(delayMs, run) {
        const timer = setTimeout(run, delayMs)
        return () => clearTimeout(timer)
      },
      turn(run) {
        const immediate = setImmediate(run)
        return () => clearImmediate(immediate)
      },
    },
    random: createDice(),
    log(entry, cause) {
      if (ranks[entry.level] < least) return
      const line = {
        at: new Date().toISOString(),
        ...entry,
        ...(cause === undefined ? {} : { cause: describe(cause) }),
      }
      // JSON escapes control characters, so a value from outside cannot begin a line of its own.
      process.stderr.write(`${JSON.stringify(line)}\n`)
    },
  }
}

/** Random bytes, drawn from the system in larger pieces: a draw of its own for each costs more than the commit row it marks. */
function createDice(): Random {
  const pool = new Uint8Array(4096)
  let used = pool.length
  return {
    bytes(length) {
      if (length > pool.length) return randomFillSync(new Uint8Array(length))
      if (used + length > pool.length) {
        randomFillSync(pool)
        used = 0
      }
      used += length
      return pool.slice(used - length, used)
    },
  }
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const inner = cause.cause === undefined ? '' : `\ncaused by ${describe(cause.cause)}`
  return `${cause.stack ?? cause.message}${inner}`
}
