// The engine: feeds the two tables of loop.ts with what happens, and carries out what they ask: requests, timers, streams.
// What an intent is, and what rows are, it leaves to outbox and replica; who is told, to its listener.
// Whatever was under way in an old epoch (a stop, a rebirth) changes nothing when it comes back (I8).
import { check, InvariantError } from '../../base/assert.ts'
import { backoffMs } from '../../base/backoff.ts'
import type { Cancel } from '../../base/clock.ts'
import { SyncError } from '../../base/errors.ts'
import type { Seal } from '../../protocol/frame.ts'
import type { ActorId } from '../../protocol/ids.ts'
import { decodeEvent } from '../../protocol/live.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { type PullAnswer, pullAnswer } from '../../protocol/pull.ts'
import { type Caller, type PushAnswer, pushAnswer, type Stop } from '../../protocol/push.ts'
import { PROTOCOL } from '../../protocol/version.ts'
import type { Host, NetworkAnswer, NetworkRequest } from '../host.ts'
import type { Outbox, OutboxEntry } from '../outbox/outbox.ts'
import type { ParkedReason } from '../outbox/stored.ts'
import { newClientId } from '../session/identity.ts'
import type { StoredFrame } from '../storage/storage.ts'
import { faultOfAnswer, readAnswer } from './answer.ts'
import { createMachine, RECEIVER, type ReceiverEffect, type ReceiverState, SENDER, type SenderEffect, type SenderState } from './loop.ts'
import { buildBatch } from './push.ts'
import { createStaging, type Staging } from './staging.ts'
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
  cursors(): ReturnType<Staging['cursors']>
  /** The newest stored frame’s word on how far this client’s intents were decided. */
  readonly sealed: number
  /**
   * Applies a whole frame; rejects with a SyncError when it does not fit what is held, and then nothing of it was applied.
   * `wentBack`: it is of an earlier history than what was held; what stands above its `decided` is pending again.
   */
  takeFrame(frame: StoredFrame, wentBack: boolean): Promise<void>
  /** Gives up the place of an intent that cannot be sent. */
  park(entry: OutboxEntry, reason: ParkedReason, detail: string): void
  /** Something of `health()` changed. */
  onChange(): void
  /** An invariant failed: the client stops as broken. */
  onBroken(error: unknown): void
}

/** How the loop is doing. */
export interface Health {
  readonly sender: SenderState
  readonly receiver: ReceiverState
  /** The last fault that has not been overcome. */
  readonly fault: SyncError | undefined
  /** Tries in vain since the last success, of the half that has more. */
  readonly attempts: number
  /** When the last answer of the authority came, by this device's clock; 0 for never. */
  readonly heardAt: number
  /** The authority has gone back to an earlier history this many times; births that were needed because of forks. */
  readonly rebirths: number
}

/** The running engine. */
export interface Engine {
  start(): void
  stop(): void
  /** There may be something new to send. */
  work(): void
  health(): Health
}

/** Makes the engine; it does nothing before `start`. */
export function createEngine(parts: EngineParts): Engine {
  const { host, outbox, tuning } = parts
  let epoch = 0
  let batchLimit: number = LIMITS.batchIntents
  let heardAt = 0
  let rebirths = 0
  /** The highest number that a seal of this birth has called decided. */
  let sealed = parts.sealed
  let isReborn: Promise<void> | undefined
  let staging: Staging = createStaging([])
  const push = { attempts: 0, fault: undefined as SyncError | undefined, waitsForNetwork: false, cancel: nothing, stopWaiting: nothing }
  const pull = { attempts: 0, fault: undefined as SyncError | undefined, waitsForNetwork: false, cancel: nothing, stopWaiting: nothing }

  const sender = createMachine(SENDER, 'off', carryOutSender, parts.onChange)
  const receiver = createMachine(RECEIVER, 'off', carryOutReceiver, parts.onChange)

  function carryOutSender(effect: SenderEffect): void {
    if (effect === 'push') guard(pushBatch)
    else if (effect === 'cancel') push.cancel()
    else if (effect === 'stopWaiting') push.stopWaiting()
    else push.stopWaiting = wait(push, () => sender.send('timer'))
  }

  function carryOutReceiver(effect: ReceiverEffect): void {
    if (effect === 'pull') guard(pullPage)
    else if (effect === 'open') guard(openStream)
    else if (effect === 'cancel') pull.cancel()
    else if (effect === 'stopWaiting') pull.stopWaiting()
    else if (effect === 'poll') pull.stopWaiting = host.clock.after(tuning.pollMs, () => receiver.send('timer'))
    else pull.stopWaiting = wait(pull, () => receiver.send('timer'))
  }

  /** Runs one verb in the present epoch; what it throws is a broken invariant of ours. */
  function guard(verb: (isCurrent: () => boolean) => Promise<void>): void {
    const begun = epoch
    verb(() => epoch === begun).catch((error: unknown) => {
      stop()
      parts.onBroken(error)
    })
  }

  function wait(half: typeof push, onTime: () => void): Cancel {
    const delayMs = backoffMs(half.attempts, tuning.backoff, host.random, half.fault?.retryAfterMs)
    return host.clock.after(delayMs, onTime)
  }

  function caller(): Caller {
    return { protocol: PROTOCOL, app: parts.fingerprint, actor: parts.actor, client: outbox.client, last: outbox.last, stored: outbox.stored }
  }

  async function request(path: NetworkRequest['path'], body: string): Promise<NetworkRequest> {
    const token = await parts.token()
    return { path, url: `${parts.url}/${path}`, body, headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } }
  }

  async function exchange(half: typeof push, path: 'push' | 'pull', body: string, isCurrent: () => boolean): Promise<NetworkAnswer | undefined> {
    const ready = await request(path, body)
    if (!isCurrent()) return undefined
    const { answer, cancel } = host.network.exchange(ready, tuning.requestMs)
    half.cancel = cancel
    const answered = await answer
    return isCurrent() ? answered : undefined
  }

  /** The authority has spoken: the other half need not wait for the network any longer. */
  function heard(half: typeof push): void {
    heardAt = host.clock.now()
    half.attempts = 0
    half.fault = undefined
    if (half === push && pull.waitsForNetwork) receiver.send('reachable')
    if (half === pull && push.waitsForNetwork) sender.send('reachable')
  }

  /** Counts a fault and gives the event that it is to its half. */
  function failed(half: typeof push, error: unknown): 'failed' | 'refused' {
    if (!(error instanceof SyncError)) throw error
    half.attempts++
    half.fault = error
    half.waitsForNetwork = error.code === 'unreachable' || error.code === 'timed_out' || error.code === 'not_ours'
    parts.onChange()
    return error.remedy === 'person' ? 'refused' : 'failed'
  }

  async function pushBatch(isCurrent: () => boolean): Promise<void> {
    const batch = buildBatch(caller(), outbox.undecided(batchLimit))
    if (batch.entries.length === 0) return sender.send('done')
    check(batch.entries.every(({ sequence }) => sequence !== undefined), 'I1', 'an intent that is not durable was about to be sent')
    const known = decidedHere()
    outbox.setSending(batch.entries, true)
    try {
      const answer = await exchange(push, 'push', batch.body, isCurrent)
      if (answer === undefined) return
      const decoded = readAnswer(answer, pushAnswer, host.clock.now())
      if (decoded.client !== outbox.client) throw new SyncError('not_ours', 'The answer is for another client')
      takeAnswer(decoded, batch.entries, known)
    } catch (error) {
      if (!isCurrent()) return
      if (error instanceof SyncError && error.code === 'forked') return await beReborn()
      // A smaller batch may get through where a large one breaks; one intent that is too large alone never will.
      if (error instanceof SyncError && error.code === 'too_large' && batch.entries.length === 1) {
        parts.park(batch.entries[0] as OutboxEntry, 'fault', error.message)
        return sender.send('more')
      }
      batchLimit = Math.max(1, Math.floor(batch.entries.length / 2))
      sender.send(failed(push, error))
    } finally {
      outbox.setSending(batch.entries, false)
    }
  }

  function takeAnswer({ decided, outcomes, stop }: PushAnswer, entries: readonly OutboxEntry[], known: number): void {
    const before = push.attempts
    heard(push)
    // An intent at which the authority fails again and again is tried ever more rarely, although the authority answers.
    if (stop?.code === 'fault' && outcomes.length === 0) push.attempts = before
    batchLimit = Math.min(LIMITS.batchIntents, Math.max(batchLimit, entries.length) * 2)
    store(outbox.decide(outcomes, host.clock.now()))
    noticeHistory(decided, known)
    receiver.send('wake')
    if (stop !== undefined) return takeStop(stop)
    sender.send(outbox.countUndecided() > 0 ? 'more' : 'done')
  }

  function takeStop(stop: Stop): void {
    const entry = outbox.entries()[stop.sequence - outbox.first]
    switch (stop.code) {
      case 'gap':
        // What the authority misses is older than what is kept here: only a new birth can go on.
        if ((stop.expected ?? 1) < outbox.first) return guard(beReborn)
        outbox.reopen(stop.expected ?? outbox.first)
        return sender.send('more')
      case 'fault':
        return sender.send(failed(push, new SyncError('fault', stop.detail, { retryAfterMs: stop.retryAfterMs ?? 0 })))
      case 'version_unknown':
      case 'expired':
        if (entry !== undefined) parts.park(entry, stop.code === 'expired' ? 'expired' : 'version', stop.detail)
        return sender.send('more')
    }
  }

  /** Up to here the authority has told us that it decided. */
  function decidedHere(): number {
    return outbox.last - outbox.countUndecided()
  }

  /**
   * Whether the authority says to have decided less than it had told before the question was asked: then it was restored from a
   * backup, and is asked again for what it lost.
   */
  function noticeHistory(decided: number, known: number): boolean {
    if (decided >= known) return false
    if (decided + 1 < outbox.first) guard(beReborn)
    else outbox.reopen(decided + 1)
    sealed = Math.min(sealed, decided)
    sender.send('work')
    return true
  }

  /** Another copy of this store has used its numbers: the same intents go on under a new client id. */
  function beReborn(): Promise<void> {
    isReborn ??= (async () => {
      const wasOn = sender.state !== 'off'
      stop()
      rebirths++
      try {
        await outbox.rebirth(newClientId(host.random), host.clock.now())
        sealed = 0
        if (wasOn) start()
      } catch (error) {
        // The disk refuses for now: what is stored is as it was, and the fork will be noticed again.
        if (wasOn) push.stopWaiting = wait(push, start)
        failed(push, error)
      } finally {
        isReborn = undefined
      }
    })()
    return isReborn
  }

  async function pullPage(isCurrent: () => boolean): Promise<void> {
    try {
      if (receiverBegan !== epoch) beginStaging()
      const known = decidedHere()
      const answer = await exchange(pull, 'pull', JSON.stringify({ ...caller(), cursors: staging.cursors() }), isCurrent)
      if (answer === undefined) return
      const page: PullAnswer = readAnswer(answer, pullAnswer, host.clock.now())
      heard(pull)
      if (!page.patches.every(staging.stage)) {
        beginStaging()
        throw new SyncError('behind', 'A page of the pull does not start where the one before ended')
      }
      if (page.seal === undefined) return receiver.send('page')
      await takeSeal(page.seal, known)
      if (!isCurrent()) return
      receiver.send(parts.wantsStream ? 'sealed' : page.seal.decided < decidedHere() ? 'behind' : 'sealedForNow')
    } catch (error) {
      if (!isCurrent()) return
      if (error instanceof SyncError && error.code === 'forked') return await beReborn()
      beginStaging()
      receiver.send(failed(pull, error))
    }
  }
  let receiverBegan = -1

  function beginStaging(): void {
    receiverBegan = epoch
    staging = createStaging(parts.cursors())
  }

  async function openStream(isCurrent: () => boolean): Promise<void> {
    beginStaging()
    const ready = await request('live', JSON.stringify({ ...caller(), cursors: staging.cursors() }))
    if (!isCurrent() || receiver.state !== 'streaming') return
    let isOver = false
    let hasBrought = false
    let last: Promise<void> = Promise.resolve()
    const over = (event: 'behind' | 'failed' | 'refused'): void => {
      if (isOver || !isCurrent()) return
      isOver = true
      receiver.send(event)
    }
    const take = async (name: string, data: string): Promise<void> => {
      if (isOver || !isCurrent()) return
      const decoded = decodeEvent(name, data)
      if (!decoded.ok) return over(failed(pull, new SyncError('not_ours', `An event’s field ${decoded.field} ${decoded.problem}`)))
      const event = decoded.value
      if (event.kind === 'pull' || (event.kind === 'patch' && !staging.stage(event.patch))) return over('behind')
      if (event.kind !== 'seal') return
      heard(pull)
      hasBrought = true
      // What a push was told since may not be in this snapshot yet, so only earlier seals count.
      await takeSeal(event.seal, sealed)
      if (isCurrent() && !isOver) receiver.send('frame')
    }
    const cancel = host.network.stream(ready, {
      opened: () => undefined,
      event(name, data) {
        if (name === '') return
        // Frames are applied one after the other, in the order in which they came.
        last = last.then(() => take(name, data)).catch((error: unknown) => {
          if (isOver || !isCurrent()) return
          if (!(error instanceof SyncError)) return guard(() => Promise.reject(error))
          if (error.code === 'forked') guard(beReborn)
          else over(failed(pull, error))
        })
      },
      refused: (answer) => {
        const error = faultOfAnswer(answer, host.clock.now())
        if (isOver || !isCurrent()) return
        if (error.code === 'forked') guard(beReborn)
        else over(failed(pull, error))
      },
      ended: (error) => {
        if (isOver || !isCurrent()) return
        // A stream that worked is simply opened again; one that never did waits like any request in vain.
        over(hasBrought ? 'behind' : failed(pull, error))
      },
    })
    pull.cancel = () => {
      isOver = true
      cancel()
    }
  }

  /** Takes a whole frame in, of an authority that had told before to have decided up to `known`. */
  async function takeSeal(seal: Seal, known: number): Promise<void> {
    if (seal.client !== outbox.client) throw new SyncError('not_ours', 'The seal is for another client')
    if (seal.decided > outbox.last) throw new SyncError('forked', `The seal names number ${seal.decided}, this store gave up to ${outbox.last}`)
    const frame = staging.seal(seal)
    const wentBack = noticeHistory(seal.decided, Math.max(known, sealed))
    store(outbox.decide(seal.outcomes, host.clock.now()))
    await parts.takeFrame(frame, wentBack)
    sealed = Math.max(sealed, seal.decided)
    parts.onChange()
  }

  /** Waits for the disk without making anyone else wait; a disk that refuses what was decided is told, and asked again by a reload. */
  function store(writing: Promise<void>): void {
    writing.catch((error: unknown) => (error instanceof InvariantError ? parts.onBroken(error) : host.report(error)))
  }

  function start(): void {
    sender.send('start')
    receiver.send('start')
  }

  function stop(): void {
    epoch++
    sender.send('stop')
    receiver.send('stop')
  }

  return {
    start,
    stop,
    work: () => sender.send('work'),
    health: () => ({
      sender: sender.state,
      receiver: receiver.state,
      fault: push.fault ?? pull.fault,
      attempts: Math.max(push.attempts, pull.attempts),
      heardAt,
      rebirths,
    }),
  }
}

function nothing(): void {}
