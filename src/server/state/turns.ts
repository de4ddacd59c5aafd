// Turns: in which order a row was changed, and by whom, across all scopes in which it has been. Versions order what happens within one
// scope; a row that moves from scope to scope needs an order of its own, and its turns are that: each commit that a client made of it
// takes the next but one, and what strangers did since, who leave no note, stands in the gap: the next client to write the row notes
// that for them. Pure: authors.ts keeps the turns, and conflicts.ts asks whether others came after what a device saw.

/** One client at one point of its numbers. */
export interface Author {
  readonly client: string
  readonly actor: string
  /** Its last number that was decided when it wrote. */
  readonly sequence: number
}

/** A client with the numbers that it had in earlier births of its device's store. */
export interface Line {
  readonly client: string
  readonly births: readonly (readonly [client: string, sequence: number])[]
}

/**
 * Whether an author is an earlier moment of the same device: the same client, or one of its earlier births. Another copy of that birth
 * went on with numbers that this device gave to something else.
 */
export function isSameLine({ client, births }: Line, author: Pick<Author, 'client' | 'sequence'>): boolean {
  return (
    author.client === client ||
    births.some(([birth, sequence]) => birth === author.client && author.sequence < sequence)
  )
}

/** The key of a row among others. */
export const keyOf = (table: string, id: string): string => `${table}/${id}`

/** One change of a row. */
export interface Touch {
  readonly turn: number
  /** Who made it; undefined for a stranger. */
  readonly by: Pick<Author, 'client' | 'actor'> | undefined
  /** Where it was committed. */
  readonly place: { readonly scope: string; readonly version: number }
}

/** An entry of the change log with what is known of who wrote it. */
export interface Authored {
  readonly scope: string
  readonly version: number
  readonly isGone: boolean
  /** Who wrote this version; undefined for a stranger. */
  readonly by: Author | undefined
  /** The row's turn at this version; undefined for a stranger's that came after everything a client wrote. */
  readonly turn: number | undefined
  /** The turn at which the row began that is or was here; undefined where `turn` is. */
  readonly born: number | undefined
  /** The last turn that is known of this entry, if `turn` is not. */
  readonly past: number
  /** A place of this scope below this version has not seen the last change by anybody but `by`; 0 when there is none. */
  readonly unseen: number
  /** That change, wherever it was. */
  readonly others: Touch | undefined
}

/** The turn of the next commit of a row. */
export function nextTurn(entries: readonly Authored[]): number {
  return Math.max(0, ...entries.map(({ turn, past }) => turn ?? past)) + 2
}

/** When an entry was written. What no client has noted yet, was written after them all. */
export function turnOf(entry: Authored, entries: readonly Authored[]): number {
  return entry.turn ?? nextTurn(entries) - 1
}

/** When the row began that is in this entry. */
export function bornAt(entry: Authored, entries: readonly Authored[]): number {
  return entry.born ?? turnOf(entry, entries)
}

/** The last change of a row by others. */
export function lastByOthers(entries: readonly Authored[], isOwn: (author: Author) => boolean): Touch | undefined {
  let last: Touch | undefined
  for (const entry of entries) {
    const { by, scope, version } = entry
    const touch: Touch | undefined =
      by !== undefined && isOwn(by) ? entry.others : { turn: turnOf(entry, entries), by, place: { scope, version } }
    if (touch === undefined || (last !== undefined && touch.turn < last.turn)) continue
    // A commit that moved a row wrote two entries: the one where the row is tells more.
    if (last === undefined || touch.turn > last.turn || !entry.isGone) last = touch
  }
  return last
}

/** What the next version of a scope has to say of a row, after `before`, for places that have not seen the last change by others. */
export function lastUnseen(
  next: {
    readonly before: Authored | undefined
    readonly others: Touch | undefined
    /** Whether the row is in the scope now. */
    readonly isBack: boolean
    readonly version: number
  },
  isOwn: (author: Author) => boolean,
  entries: readonly Authored[],
): number {
  const { before, others, isBack, version } = next
  if (others === undefined) return 0
  // What others did while the row was elsewhere has been seen by none that still believe it here.
  const wasAway = before === undefined || (before.isGone && isBack && others.turn > turnOf(before, entries))
  if (wasAway) return version
  return before.by !== undefined && isOwn(before.by) ? before.unseen : before.version
}
