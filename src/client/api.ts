// What an app and a tool see of a client. Only types: what they mean in code is client.ts.
import type { Cancel } from '../base/clock.ts'
import type { Cursor } from '../protocol/frame.ts'
import type { ClientId } from '../protocol/ids.ts'
import type { App } from '../schema/app.ts'
import type { ArgsOf } from '../schema/mutator.ts'
import type { Query } from '../schema/query.ts'
import type { Between, CallOptions, Decision, IntentHandle } from './calls.ts'
import type { Host } from './host.ts'
import type { OutboxEntry } from './outbox/entry.ts'
import type { OutboxItem } from './outbox/item.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { Live, LiveQuery } from './query/live.ts'
import type { Question } from './query/view.ts'
import type { Replica } from './replica/replica.ts'
import type { Status, SyncInfo } from './status.ts'
import type { Storage } from './storage/storage.ts'
import type { Tuning } from './sync/tuning.ts'
import type { Role } from './tabs/role.ts'

/** Who is signed in on this device. */
export interface Session {
  /** Whose replica and outbox these are; each actor's are kept apart. */
  readonly actor: string
  /** The bearer token, or what gives the present one before each request; left out when cookies say who is asking. */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>)
}

/** What a client is made of. */
export interface ClientOptions<A extends App> {
  readonly app: A
  readonly host: Host
  /** Where the authority answers: requests go to `url/push`, `url/pull` and `url/live`. */
  readonly url: string
  readonly session: Session
  /** Keep a stream open and hear of changes at once (default), or pull from time to time. */
  readonly live?: boolean
  /** What to do with a call while storage is not durable: refuse it unless the call accepts that (default), or keep it. */
  readonly whenNotDurable?: 'ask' | 'accept'
  /** Begin to talk to the authority as soon as storage is loaded (default), or only after `resume()`. */
  readonly startPaused?: boolean
  readonly tuning?: Partial<Tuning>
}

/** A row of a query, with what is known of its way to the authority. */
export type Shown<R> = R & { readonly sync: SyncInfo }

/** A look inside, for tests, the simulator and tools for developers; not for apps. */
export interface Inspection {
  readonly actor: string
  readonly client: ClientId
  readonly last: number
  readonly stored: number
  readonly decided: number
  readonly isComplete: boolean
  readonly cursors: readonly Cursor[]
  readonly entries: readonly OutboxEntry[]
  readonly replica: Replica
  readonly rebirths: number
}

/** What a client that is about to end works with, while nothing else does. */
export interface Leaving {
  readonly storage: Storage
  readonly outbox: Outbox
  readonly host: Pick<Host, 'clock' | 'random'>
  role(): Role
}

/** A replica that wants to agree with the authority. */
export interface Client<A extends App = App> {
  /** The app that it was made with. */
  readonly app: A
  /** The host that it was made with: what is built upon a client, such as a binding, takes its timers from there. */
  readonly host: Host
  /** Resolves when storage is loaded and its intents show; rejects with a SyncError of phase persist when it cannot be opened. */
  readonly ready: Promise<void>
  /** The app's mutators. A call shows before the next frame of the screen. */
  readonly mutate: {
    readonly [Name in keyof A['mutators']]: (args: ArgsOf<A['mutators'][Name]>, options?: CallOptions) => IntentHandle
  }
  /** Runs a job when its turn has come among the calls, over what they work with: for repairs and the like (take.ts), not for apps. */
  between<Result>(job: (parts: Between) => Promise<Result>, options?: CallOptions): Promise<Result>
  /**
   * A query that stays up to date: its rows, its rows with their relations (`include`), or one value of them (`countOf`, `sumOf`, `minOf`,
   * `maxOf`). Close it when it is no longer shown.
   */
  live<R>(question: Question<readonly R[]>): LiveQuery<R>
  live<Value>(question: Question<Value>): Live<Value>
  live<R>(query: Query<R>): LiveQuery<Shown<R>>
  status(): Status
  /** Calls `listener` after the status has changed, at most once a turn. */
  onStatus(listener: (status: Status) => void): Cancel
  /** Everything that is not synced, in order: a frozen array, the same one as long as nothing in it changes. */
  outbox(): readonly OutboxItem[]
  /**
   * Gives an intent up. The decision is `withdrawn`, or the outcome if the authority had decided it already. One that was rejected or
   * parked leaves the list of what is not synced.
   */
  discard(id: string): Promise<Decision>
  /** Stops talking to the authority; calls are kept as always. */
  pause(): void
  /** Talks to the authority (again): after `pause`, after signing in again, or to try at once. */
  resume(): void
  /** The person knows what `status().lost` says: it is told no more, in any tab and after any start. */
  acknowledgeLoss(): Promise<void>
  /** Resolves when every intent made so far is decided and its effects are here. */
  quiet(): Promise<void>
  inspect(): Inspection
  /**
   * Ends this client by a job that runs when nothing else does: nothing is sent, kept or called any more. Where the job throws, everything
   * goes on as before. For sign-out (session/sign-out.ts), not for apps.
   */
  leave<Result>(job: (parts: Leaving) => Promise<Result>): Promise<Result>
  /** Stops and lets go of storage; what was saved stays. */
  close(): Promise<void>
}
