// What push, pull and live share: the two halves of the loop with their faults, the requests, and the history of the authority
// as far as it was told. Knows neither what a batch nor what a patch is.
import { InvariantError } from '../../base/assert.ts'
import type { Cancel } from '../../base/clock.ts'
import { SyncError } from '../../base/errors.ts'
import { createLane } from '../../base/lane.ts'
import type { Cursor, Seal } from '../../protocol/frame.ts'
import type { ActorId } from '../../protocol/ids.ts'
import type { Caller } from '../../protocol/push.ts'
import { PROTOCOL } from '../../protocol/version.ts'
import type { Host, NetworkAnswer, NetworkRequest } from '../host.ts'
import type { OutboxEntry } from '../outbox/entry.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { ParkedReason } from '../outbox/stored.ts'
import type { StoredFrame } from '../storage/storage.ts'
import type { Machine, ReceiverEvent, ReceiverState, SenderEvent, SenderState } from './loop.ts'
import type { Staging } from './staging.ts'
import type { Tuning } from './tuning.ts'

/** What the engine works on and with. */
export interface EngineParts {
  readonly host: Host
  readonly outbox: Outbox
  readonly fingerprint: string
  readonly actor: ActorId
  readonly url: string
  readonly wantsStream: boolean
  readonly tuning: Tuning
  /** The bearer token of the session, asked for before each request. */
  token(): Promise<string | undefined>
  /** Where the confirmed rows stand. */
  cursors(): readonly Cursor[]
  /** How far the newest stored frame called this client’s intents decided. */
  readonly sealed: number
  /** Applies a whole frame; rejects with a SyncError when it does not fit what is held, and then nothing of it was applied. */
  takeFrame(frame: StoredFrame): Promise<void>
  /** Gives up the place of an intent that cannot be sent. */
  park(entry: OutboxEntry, reason: ParkedReason, detail: string): void
  /** The authority says that another copy of this store has used its numbers; they begin anew. */
  onForked(): void
  /** Something of `health()` changed. */
  onChange(): void
  /** An invariant failed: the client stops as broken. */
  onBroken(error: unknown): void
}

/** How much of a frame has come that is not whole yet. How much it will be, nobody knows: the authority does not count beforehand. */
export interface Incoming {
  readonly pages: number
  readonly rows: number
}

/** One half of the loop: its faults, and what it has under way. */
export interface Half {
  /** Tries in vain since the last success. */
  attempts: number
  fault: SyncError | undefined
  /** Nothing of the authority was heard at the last try, so news of it is a reason to try again at once. */
  waitsForNetwork: boolean
  /** How often the authority has spoken to this half. */
  answers: number
  /** When the last fault came, on the monotonic clock. */
  failedAt: number
  /** What has come of a frame that takes several pages. */
  incoming: Incoming | undefined
  cancel: Cancel
  stopWaiting: Cancel
}

/** Whether the epoch in which a verb began is still the present one. */
export type IsCurrent = () => boolean

/** What the verbs share. */
export interface Core {
  readonly parts: EngineParts
  readonly push: Half
  readonly pull: Half
  readonly sender: Machine<SenderState, SenderEvent>
  readonly receiver: Machine<ReceiverState, ReceiverEvent>
  /** What each request says of this device. */
  caller(): Caller
  request(path: NetworkRequest['path'], body: string): Promise<NetworkRequest>
  /** Sends and waits; undefined when the epoch has changed meanwhile. */
  exchange(half: Half, path: 'push' | 'pull', body: string, isCurrent: IsCurrent): Promise<NetworkAnswer | undefined>
  /** The authority has spoken to this half. */
  heard(half: Half): void
  /** Counts a fault and gives the event that it is; what is no SyncError is thrown on. */
  failed(half: Half, error: unknown): 'failed' | 'refused'
  /** Up to here the authority has told that it decided. */
  known(): number
  /** Up to here a seal has told so: what a later seal of the same stream cannot fall below. */
  sealed(): number
  /** How often the authority was found to have gone back: an answer to what was asked before the last time speaks of what it has lost. */
  histories(): number
  /**
   * Compares what the authority says to have decided with what it had told before it was asked. When that is less, it was restored
   * from a backup and is asked again for what it lost.
   */
  noticeHistory(decided: number, known: number): void
  /** Ends a frame and applies it, if its epoch is still the present one when its turn comes; `known` as for noticeHistory. */
  takeSeal(staging: Staging, seal: Seal, known: number, isCurrent: IsCurrent): Promise<void>
  /** Runs a job while no frame is being applied: frames and births speak of the same numbers. */
  exclusively(job: () => Promise<void>): Promise<void>
  /**
   * Whether numbers were given since this was said of the device: a pull that was overtaken by a push looks like one of a store that
   * went back, and is simply asked again.
   */
  isOutdated(caller: Caller): boolean
  /** The same intents go on under a new client id. `isForked`: for another copy of this store has used its numbers. */
  beReborn(isForked: boolean): Promise<void>
  /** Runs a verb in the present epoch; what it throws is a broken invariant. */
  guard(verb: (isCurrent: IsCurrent) => Promise<void>): void
  heardAt(): number
}

/** What the core needs of the conductor. */
export interface Conductor {
  readonly sender: Core['sender']
  readonly receiver: Core['receiver']
  guard: Core['guard']
  beReborn: Core['beReborn']
}

/** Makes the core. */
export function createCore(
  parts: EngineParts,
  { sender, receiver, guard, beReborn }: Conductor,
): Core & { forgetSealed(): void } {
  const { host, outbox, tuning } = parts
  const push: Half = {
    attempts: 0,
    fault: undefined,
    waitsForNetwork: false,
    answers: 0,
    failedAt: 0,
    incoming: undefined,
    cancel: nothing,
    stopWaiting: nothing,
  }
  const pull: Half = { ...push }
  let sealed = parts.sealed
  let heardAt = 0
  let histories = 0
  const lane = createLane()

  /** Whoever gives tokens may have to ask somebody for them, be as offline as we are, or never answer. */
  function tokenInTime(): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = host.clock.after(tuning.requestMs, () =>
        reject(new SyncError('timed_out', 'The session gave no token')),
      )
      parts.token().then(
        (token) => {
          cancel()
          resolve(token)
        },
        (error: unknown) => {
          cancel()
          reject(faultOfNetwork('The session’s token could not be had', error))
        },
      )
    })
  }

  /** Whether news of the authority may shorten the wait of a half: not at each frame of a busy stream. */
  const mayTryAgain = (half: Half): boolean =>
    half.waitsForNetwork && host.clock.monotonic() - half.failedAt >= tuning.backoff.firstMs

  const core: Core & { forgetSealed(): void } = {
    parts,
    push,
    pull,
    sender,
    receiver,
    guard,
    beReborn,
    caller: () => ({
      protocol: PROTOCOL,
      app: parts.fingerprint,
      actor: parts.actor,
      client: outbox.client,
      last: outbox.last,
      stored: outbox.stored,
    }),
    async request(path, body) {
      const token = await tokenInTime()
      const headers = {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      }
      return { path, url: `${parts.url}/${path}`, body, headers }
    },
    async exchange(half, path, body, isCurrent) {
      const ready = await core.request(path, body)
      if (!isCurrent()) return undefined
      try {
        const { answer, cancel } = host.network.exchange(ready, tuning.requestMs)
        half.cancel = cancel
        const answered = await answer
        return isCurrent() ? answered : undefined
      } catch (error) {
        throw faultOfNetwork('The request failed', error)
      }
    },
    heard(half) {
      heardAt = host.clock.now()
      half.answers++
      half.attempts = 0
      half.fault = undefined
      if (half === push && mayTryAgain(pull)) receiver.send('reachable')
      if (half === pull && mayTryAgain(push)) sender.send('reachable')
      half.waitsForNetwork = false
    },
    failed(half, error) {
      if (!(error instanceof SyncError)) throw error
      half.attempts++
      half.fault = error
      half.failedAt = host.clock.monotonic()
      half.waitsForNetwork = error.code === 'unreachable' || error.code === 'timed_out' || error.code === 'not_ours'
      parts.onChange()
      return error.remedy === 'person' ? 'refused' : 'failed'
    },
    known: () => outbox.last - outbox.countUndecided(),
    sealed: () => sealed,
    histories: () => histories,
    noticeHistory(decided, known) {
      if (decided >= known) return
      histories++
      if (decided + 1 < outbox.first) guard(() => beReborn(false))
      else outbox.reopen(decided + 1)
      sealed = Math.min(sealed, decided)
      sender.send('work')
    },
    exclusively: lane.run,
    isOutdated: ({ client, last }) => client !== outbox.client || last !== outbox.last,
    takeSeal: (staging, seal, known, isCurrent) =>
      lane.run(async () => {
        if (!isCurrent()) return
        refuseOthers(outbox, seal)
        const frame = staging.seal(seal)
        core.noticeHistory(seal.decided, Math.max(known, sealed))
        outbox.decide(seal.outcomes, host.clock.now()).catch(host.report)
        await parts.takeFrame(frame)
        sealed = Math.max(sealed, seal.decided)
        parts.onChange()
      }),
    forgetSealed() {
      sealed = 0
    },
    heardAt: () => heardAt,
  }
  return core
}

/** A seal speaks of numbers: it must mean those of this birth of this very store (I3, I18). */
function refuseOthers(outbox: Outbox, { client, decided, decidedId }: Seal): void {
  if (client !== outbox.client) throw new SyncError('not_ours', 'The seal is for another client')
  if (decided > outbox.last)
    throw new SyncError('forked', `The seal names number ${decided}, this store gave up to ${outbox.last}`)
  const own = outbox.at(decided)
  if (decidedId !== undefined && own !== undefined && own.intent.id !== decidedId)
    throw new SyncError('forked', `Another copy of this store has used number ${decided}`)
}

/** What a network or a session threw, as a fault that time may heal. A broken invariant stays one. */
export function faultOfNetwork(what: string, error: unknown): unknown {
  if (error instanceof SyncError || error instanceof InvariantError) return error
  return new SyncError('unreachable', `${what}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
}

function nothing(): void {}
