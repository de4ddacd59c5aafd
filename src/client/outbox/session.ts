// What the outbox's journal keeps of the person's session beside the intents: where the person is, and that the person has left. Both
// came with format 2, so a journal that says less is written anew before it holds the first of them. How they look on disk is stored.ts,
// what they mean for the intents line.ts; who sets a pointer and who signs out is ../session.
import type { Cancel } from '../../base/clock.ts'
import { hasCode } from '../../base/errors.ts'
import type { ClientId } from '../../protocol/ids.ts'
import type { Line } from './line.ts'
import { type OutboxEvent, type PointerEvent, STORED_FORMAT } from './stored.ts'

/** What of an outbox speaks of the session. */
export interface SessionNotes {
  /** How often a person has signed out of this store. */
  readonly session: number
  /** Where the person is, by name. */
  readonly pointers: ReadonlyMap<string, PointerEvent>
  /** Sets or clears a pointer as `make` says when its turn has come; resolves when that is stored. */
  point(make: () => PointerEvent): Promise<void>
  /** Calls `listener` when the pointers may be others, here or in another client of the same store. */
  onPointers(listener: () => void): Cancel
  /**
   * The person leaves: every client that has the store open ends. Either everything stays that the journal holds, or the store is a new
   * birth, of the client that `empty` gives, and holds nothing. `empty` is called when all is known that others kept, and may throw:
   * then nothing has changed. Resolves when that is stored.
   */
  leave(empty: (() => ClientId) | undefined, at: number): Promise<void>
}

/** What it works with. */
export interface SessionNotesParts {
  readonly line: Line
  /** Runs a job when nothing else is being written. */
  alone(job: () => Promise<void>): Promise<void>
  /** Notes events of this birth; false when a rebirth came first. */
  note(events: () => readonly OutboxEvent[]): Promise<boolean>
  rewrite(at: number, format: number): Promise<void>
  /** Begins the journal anew with these events alone. */
  replace(events: () => readonly OutboxEvent[]): Promise<void>
  /** The person has left, here or in another client of the same store, since this one was opened. */
  left(): void
}

/** Makes it, and what is to be called when another client may have changed something. */
export function createSessionNotes(parts: SessionNotesParts): SessionNotes & { heard(): void } {
  const { line, note } = parts
  const opened = line.session
  const pointed = new Set<() => void>()
  let hasLeft = false

  const heard = (): void => {
    for (const tell of [...pointed]) tell()
    if (line.session === opened || hasLeft) return
    hasLeft = true
    parts.left()
  }

  /** Older builds are to leave a journal alone that is about to hold what they do not know. */
  const beginFormat = async (): Promise<void> => {
    try {
      if (line.format < STORED_FORMAT) await parts.rewrite(line.bornAt, STORED_FORMAT)
    } catch (error) {
      // Only who leads may write it anew, and does so when it tidies up.
      if (!hasCode(error, 'not_leading')) throw error
    }
  }

  const point: SessionNotes['point'] = async (make) => {
    await parts.alone(beginFormat)
    let event: PointerEvent | undefined
    const isNoted = await note(() => {
      event = make()
      return [event]
    })
    // A new birth that was under way did not know of it yet.
    if (!isNoted) return point(make)
    if (event !== undefined) line.apply(event)
    heard()
  }

  const leave: SessionNotes['leave'] = async (empty, at) => {
    const left = (retired: number): OutboxEvent => ({ kind: 'left', session: line.session + 1, retired })
    if (empty !== undefined) {
      await parts.alone(() =>
        parts.replace(() => [
          { kind: 'born', format: STORED_FORMAT, client: empty(), last: 0, retired: 0, at },
          left(0),
        ]),
      )
    } else {
      await parts.alone(beginFormat)
      let event: OutboxEvent | undefined
      const isNoted = await note(() => {
        event = left(line.retired)
        return [event]
      })
      if (!isNoted) return leave(empty, at)
      if (event !== undefined) line.apply(event)
    }
    heard()
  }

  return {
    get session() {
      return line.session
    },
    pointers: line.pointers,
    point,
    onPointers(listener) {
      pointed.add(listener)
      return () => void pointed.delete(listener)
    },
    leave,
    heard,
  }
}
