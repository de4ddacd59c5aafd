// The real world of an authority in Node: the clock and the dice of all hosts in Node, and a log of JSON lines on stderr.
// Nothing below the rim reads these by itself; the simulator hands in another world.
import { hash } from 'node:crypto'
import type { LogEntry, ServerHost } from '../../server/host.ts'
import { clock } from './clock.ts'
import { random } from './random.ts'

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
    clock,
    random,
    sha256: (text) => hash('sha256', text),
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

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const inner = cause.cause === undefined ? '' : `\ncaused by ${describe(cause.cause)}`
  return `${cause.stack ?? cause.message}${inner}`
}
