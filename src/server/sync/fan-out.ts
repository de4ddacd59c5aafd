// Hints of what was committed, gathered until the next tick of the live streams. A lost hint costs time, never a change: a poll looks
// for what nobody told us of (another process on the same database, plain SQL). Knows no streams; live.ts does what a tick does.
import type { Cancel, Clock } from '../../base/clock.ts'
import type { CommitHints } from '../db/db.ts'
import type { Committed } from './writer.ts'

/** What a tick has to look at. */
export interface Hints {
  readonly scopes: Set<string>
  readonly tables: Set<string>
  readonly clients: Set<string>
  /** Look at everything: something may have been committed of which nothing is known. */
  isFull: boolean
}

/** The gatherer of hints. */
export interface FanOut {
  /** Something was committed here. */
  tell(committed: Committed): void
  /** Something may be news for these scopes and clients. */
  hint(hints: { readonly scopes?: Iterable<string>; readonly clients?: Iterable<string>; readonly isFull?: true }): void
  /** Begins or ends ticking; without streams nothing is gathered. */
  setActive(isActive: boolean): void
}

/** Between two ticks it rests for so many times what the last one took, and `tickMs` at most: ticking leaves the time to others. */
const REST = 3

/**
 * Makes one. `others` are the authorities that share the database: they are told of every commit here, and heard while there are streams.
 * `tick` is called with what was gathered, never twice at once, at least `tickMs` apart; `poll` every `pollMs`.
 */
export function createFanOut(
  clock: Clock,
  times: { readonly tickMs: number; readonly pollMs: number },
  tick: (hints: Hints) => Promise<void>,
  poll: () => Promise<void>,
  others?: CommitHints,
): FanOut {
  let hints = none()
  let isActive = false
  let isTicking = false
  let earliestAt = Number.NEGATIVE_INFINITY
  let cancelTick: Cancel | undefined
  let cancelPoll: Cancel | undefined
  let cancelListening: Cancel | undefined
  /** Rises when polling begins or ends, so that a poll which was under way does not begin it again. */
  let polling = 0

  function schedule(): void {
    if (!isActive || isTicking || cancelTick !== undefined || isEmpty(hints)) return
    const waitMs = earliestAt - clock.monotonic()
    cancelTick = waitMs > 0 ? clock.after(waitMs, run) : clock.turn(run)
  }

  function run(): void {
    cancelTick = undefined
    const gathered = hints
    hints = none()
    isTicking = true
    const beganAt = clock.monotonic()
    void tick(gathered)
      .then(
        () => Math.min(times.tickMs, REST * (clock.monotonic() - beganAt)),
        () => {
          // What could not be told now is told later, and not at once: what failed will hardly be well again.
          gather(gathered)
          return times.pollMs
        },
      )
      .then((pauseMs) => {
        isTicking = false
        earliestAt = clock.monotonic() + pauseMs
        schedule()
      })
  }

  function gather(more: {
    readonly scopes?: Iterable<string>
    readonly tables?: Iterable<string>
    readonly clients?: Iterable<string>
    readonly isFull?: boolean
  }): void {
    for (const scope of more.scopes ?? []) hints.scopes.add(scope)
    for (const table of more.tables ?? []) hints.tables.add(table)
    for (const client of more.clients ?? []) hints.clients.add(client)
    if (more.isFull) hints.isFull = true
  }

  function pollLater(): void {
    const mine = polling
    cancelPoll = clock.after(times.pollMs, () => {
      // A poll that fails says so itself; the next one tries again.
      const again = () => {
        if (polling === mine) pollLater()
      }
      void poll().then(again, again)
    })
  }

  return {
    tell({ adopted, clients }) {
      others?.tell({ scopes: [...adopted.scopes.keys()], tables: [...adopted.tables], clients })
      if (!isActive) return
      gather({ scopes: adopted.scopes.keys(), tables: adopted.tables, clients })
      schedule()
    },
    hint(more) {
      if (!isActive) return
      gather(more)
      schedule()
    },
    setActive(active) {
      if (active === isActive) return
      isActive = active
      polling++
      if (active) {
        cancelListening = others?.listen((hint) => {
          gather(hint)
          schedule()
        })
        return pollLater()
      }
      cancelListening?.()
      hints = none()
      cancelTick?.()
      cancelTick = undefined
      cancelPoll?.()
    },
  }
}

const none = (): Hints => ({ scopes: new Set(), tables: new Set(), clients: new Set(), isFull: false })

const isEmpty = ({ scopes, tables, clients, isFull }: Hints): boolean =>
  !isFull && scopes.size === 0 && tables.size === 0 && clients.size === 0
