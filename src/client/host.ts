// All that the client wants of the world. A host supplies it: hosts/node, the simulator, or the app's own.
import type { Cancel, Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { ActorId } from '../protocol/ids.ts'
import type { Storage } from './storage/storage.ts'

/** A request to the authority. */
export interface NetworkRequest {
  /** The path below the client's `url`: `push`, `pull` or `live`. */
  readonly path: 'push' | 'pull' | 'live'
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  /** JSON. The method is POST. */
  readonly body: string
}

/** Whatever answered. Whether it was the authority is for the caller to find out. */
export interface NetworkAnswer {
  readonly status: number
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined
  readonly body: string
}

/** What a stream tells. Exactly one of `refused` and `ended` is called, last and once, unless the stream was cancelled. */
export interface StreamListener {
  /** The authority took the stream; events follow. */
  opened(): void
  /** One server-sent event, or a heartbeat (`event` is then ''). */
  event(event: string, data: string): void
  /** Something answered, but not with a stream. */
  refused(answer: NetworkAnswer): void
  /** The connection could not be made, or is over. `error` is a SyncError with code unreachable, timed_out or stream_lost. */
  ended(error: unknown): void
}

/** How requests travel. */
export interface Network {
  /** Sends and waits for the whole answer; rejects with a SyncError `unreachable` or `timed_out` after `timeoutMs`. Cancelling rejects too. */
  exchange(
    request: NetworkRequest,
    timeoutMs: number,
  ): { readonly answer: Promise<NetworkAnswer>; readonly cancel: Cancel }
  /** Opens a stream; the returned function ends it, after which nothing is told. */
  stream(request: NetworkRequest, listener: StreamListener): Cancel
}

/** What joins the clients of one shared store (the tabs of one browser). Nothing said here is relied on: the store is the truth. */
export interface Tabs {
  /**
   * Waits until no other client leads, or takes the turn from whoever has it (`isSeizing`), and calls back once; `onTaken` when another
   * has taken it from here. The returned function gives the turn, or the wait for it, up.
   */
  lead(onTurn: () => void, onTaken: () => void, isSeizing?: boolean): Cancel
  /** Says something that can be cloned to all others. */
  say(word: object): void
  /** Hears what others say, from now on; who says it may be another version, or no Holdfast at all. Called once. */
  hear(listener: (word: unknown) => void): void
  close(): void
}

/** A short note beside a store, in a place that does not go with it. */
export interface Canary {
  read(): string | null | undefined | Promise<string | undefined>
  /** Puts this text in the place of the one before. */
  write(text: string): void | Promise<void>
  /** Calls `listener` when another client has written it. */
  onChange?(listener: () => void): Cancel
}

/** The world of one client. */
export interface Host {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  /** Opens the storage of one actor; each actor's is separate. Rejects with a SyncError of phase persist. */
  openStorage(actor: ActorId): Promise<Storage>
  /** Joins the clients that share this actor’s store; absent where a store is one client’s alone. */
  openTabs?(actor: ActorId): Tabs
  /** The note beside this actor’s store; absent where there is no place for one. */
  openCanary?(actor: ActorId): Canary
  /** Where errors go that no caller awaits: a listener of the app that threw, a broken invariant. */
  report(error: unknown): void
}
