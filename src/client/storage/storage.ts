// The storage contract: what the client demands of a place that keeps things, in any mode. Storage knows no meaning: it keeps two
// journals, the outbox's events (strict: durable when the promise resolves, I1) and the frames of confirmed rows (relaxed: the
// newest may be lost with the power, but never a part of one: a cursor is never there without its rows).
// What the events mean is outbox/stored.ts; what frames mean is replica/apply-frame.ts. One contract suite runs on every mode.
import type { Patch } from '../../protocol/frame.ts'
import type { ClientId, Sequence } from '../../protocol/ids.ts'
import type { IntentContent } from '../../protocol/intent.ts'
import type { OutboxEvent } from '../outbox/stored.ts'

/** Where a device keeps things. */
export type StorageMode = 'indexeddb' | 'file' | 'localstorage' | 'memory'

/** A frame as it is kept: what the authority said in one snapshot, and how far it had decided this client's intents. */
export interface StoredFrame {
  readonly client: ClientId
  /** Everything up to this number of `client` has its effects in the rows. */
  readonly decided: number
  readonly patches: readonly Patch[]
  /** What folding wrote: in so many of the first patches no two rows are one, and all fit the tables of the app with this fingerprint. */
  readonly folded?: { readonly patches: number; readonly app: string }
  /** All scopes held after this frame; rows of others leave. */
  readonly scopes: readonly string[]
  /** When the authority took the snapshot: milliseconds since 1970. */
  readonly at: number
}

/** All that was kept. */
export interface Stored {
  /** The outbox's events, oldest first; the first is always `born`. */
  readonly outbox: readonly OutboxEvent[]
  /** The frames, oldest first; applied in order they give the confirmed rows and cursors. */
  readonly frames: readonly StoredFrame[]
}

/** What one journal would like to have done. */
export interface Folding {
  /** The outbox's journal holds many events that no longer matter. */
  readonly outbox: boolean
  /** The journal of frames is much longer than the rows that it leads to. */
  readonly frames: boolean
}

/** Says what is to be kept, in the moment in which its place in the journal is known. */
export type MakeEvents = () => readonly OutboxEvent[]

/** Intents that are put into words for the disk while there is time for it: as they are made, and not when somebody waits. */
export interface Draft {
  /** How many there are. */
  readonly count: number
  /** Adds one, as JSON. */
  add(text: string): void
}

/** A place that keeps one actor's device. One process has it open at a time, unless it is `shared`. */
export interface Storage {
  readonly mode: StorageMode
  /** Whether what is acknowledged survives a power cut. */
  readonly isDurable: boolean
  /**
   * Reads everything; called once, first. On first use it keeps `birth` and returns it. A torn end of a journal (what was being
   * written when the power went) is cut off; damage elsewhere is a SyncError `storage_corrupt`, a newer format `storage_newer`.
   */
  load(birth: OutboxEvent & { readonly kind: 'born' }): Promise<Stored>
  /**
   * Gives the intents the next sequence numbers and keeps them as one `made` event, in one transaction; resolves with the first
   * number when they are durable. Rejects with a SyncError when nothing was kept. Calls that overlap are done in order.
   * `draft` holds the same intents, for a caller who has put them into it before the disk is waited for. Where the journal of a shared
   * store was written anew behind them, the listener has heard of them before their number comes, which is 0 when they are decided and
   * forgotten already. What is durable never rejects: when a shared store is taken away between the keeping and the look at what others
   * kept before, the number is undefined, and the listener hears of the intents when the store is read the next time, here or at a start.
   */
  append(intents: readonly IntentContent[], draft?: Draft): Promise<Sequence | undefined>
  /** The platform says that there was such a store, and that it had to throw it away. */
  readonly hasLost?: boolean | undefined
  /**
   * A write is asked for as soon as the calls have run, because another process does it meanwhile. Absent where this one does it: then
   * the turn is over first, so that what the calls left behind is collected before the disk is waited for, and not in its stead.
   */
  readonly writesElsewhere?: true | undefined
  /** Begins a draft for one append of this storage. Absent where nothing would be gained by it. */
  readonly draft?: (() => Draft) | undefined
  /**
   * Keeps the events that `make` gives; resolves when they, and everything in this journal before them, are durable. `make` is
   * called once, when all that others kept before is known, so that what it says is true where it will stand; it may give none.
   */
  note(make: MakeEvents): Promise<void>
  /**
   * Replaces the outbox's journal by the events that `make` gives (called as in `note`) at once: all of them or none. Numbers go on
   * from them. Durable when it resolves.
   */
  rewriteOutbox(make: MakeEvents): Promise<void>
  /**
   * Keeps one frame, whole or not at all; need not be durable when it resolves. After a rejection every frame is refused until
   * `rewriteFrames` has come about: a frame kept behind one that is missing would tell of effects whose rows are not there.
   */
  keepFrame(frame: StoredFrame): Promise<void>
  /** Replaces the journal of frames by these, all or none. */
  rewriteFrames(frames: Iterable<StoredFrame>): Promise<void>
  /** What would be worth doing when nothing else is to do. */
  folding(): Folding
  /** Lets go of everything; what was acknowledged stays. */
  close(): Promise<void>
  /** How several clients keep to one store, where they can (the tabs of one browser). Absent where one process has it alone. */
  readonly shared?: SharedStorage | undefined
  /** How it goes on in another mode while it runs, where it can. Absent where it has one mode alone. */
  readonly ladder?: LadderPort | undefined
}

/** Why a mode was refused or left, as a word for code: apps have the sentences. */
export type RefusedWhy = 'quota' | 'forbidden' | 'lost' | 'timed_out' | 'in_use' | 'unreadable' | 'failed'

/** A mode that was tried in vain. */
export interface Refused {
  readonly mode: StorageMode
  readonly why: RefusedWhy
}

/** The side of a storage of several modes that the client sees. */
export interface LadderPort {
  /** What was tried in vain or left, in this order. */
  readonly refused: readonly Refused[]
  /** Why the mode is not the first of the order. */
  readonly why: RefusedWhy | undefined
  /** Whom to ask before a move and to tell of it. Called once, after `load`. */
  listen(mover: Mover): void
}

/** The client, as whoever moves its storage needs it. */
export interface Mover {
  /** All that the outbox holds and that is durable, as the journal of a new birth. */
  reborn(): readonly OutboxEvent[]
  /** The outbox lies elsewhere from now on: these events are all of it. `mode`, `isDurable` and `shared` are those of the new place. */
  moved(events: readonly OutboxEvent[]): void
  /** How many intents were called and are not durable. */
  countUnsaved(): number
  /** What is made may be kept in a mode that is not durable, without a person being asked. */
  readonly acceptsNotDurable: boolean
}

/**
 * What several clients of one store owe each other. Each appends and withdraws by itself; one leads, and alone notes what was decided,
 * keeps frames and rewrites journals. The store itself holds the leader's epoch, so that one who was frozen while another took over
 * changes nothing when it comes back (I8): its calls are refused with `not_leading`, and so are those of a client that never led.
 */
export interface SharedStorage {
  /**
   * Hears what others kept, in the order of the journals, before any later call of this storage settles. Called once, before `load`
   * has resolved.
   */
  listen(listener: OthersListener): void
  /** Reads what others have kept since; resolves when the listener has heard it. */
  catchUp(): Promise<void>
  /** All frames that are kept, for a client whose rows have left the journal's line. */
  readFrames(): Promise<readonly StoredFrame[]>
  /** Takes the lead over from whoever had it, and catches up. */
  lead(): Promise<void>
  /** Is a follower again. */
  resign(): void
}

/** Hears what other clients of the same store kept. */
export interface OthersListener {
  /** Events that follow those already known. When the first is `born`, the journal was rewritten and these are all of it. */
  outbox(events: readonly OutboxEvent[]): void
  /** Frames that follow those already known. When `areAll`, the journal was rewritten and these are all of it. */
  frames(frames: readonly StoredFrame[], areAll: boolean): void
}
