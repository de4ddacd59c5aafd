// The engine: feeds the two tables of loop.ts with what happens, and carries out what they ask. The verbs are push.ts, pull.ts and
// live.ts; what they share is core.ts. Whatever was under way in an old epoch (a stop, a rebirth) changes nothing when it comes
// back (I8).
import { InvariantError } from '../../base/assert.ts'
import { backoffMs } from '../../base/backoff.ts'
import type { Cancel } from '../../base/clock.ts'
import { asSyncError, SyncError } from '../../base/errors.ts'
import { newClientId } from '../session/identity.ts'
import { createCore, type EngineParts, type Half, type Incoming, type IsCurrent } from './core.ts'
import { createLive } from './live.ts'
import {
  createMachine,
  RECEIVER,
  type ReceiverEffect,
  type ReceiverState,
  SENDER,
  type SenderEffect,
  type SenderState,
} from './loop.ts'
import { createPull } from './pull.ts'
import { createPush } from './push.ts'
import { createWatchdog } from './watchdog.ts'

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
  /** What has come of a frame that takes several pages. */
  readonly incoming: Incoming | undefined
  /** How often this store has begun a new birth since it was opened. */
  readonly rebirths: number
  /** The authority speaks, and has decided nothing of what waits for `tuning.stalledMs`. */
  readonly isStalled: boolean
}

/** The running engine. */
export interface Engine {
  start(): void
  stop(): void
  /** There may be something new to send. */
  work(): void
  health(): Health
  /** Resolves when no frame is being applied and no new birth written: after `stop`, none is begun. */
  settled(): Promise<void>
}

/** Makes the engine; it does nothing before `start`. */
export function createEngine(parts: EngineParts): Engine {
  const { host, outbox, tuning } = parts
  let epoch = 0
  let rebirths = 0
  let rebirth: Promise<void> | undefined
  /** Whether the client wants the loop to run; a new birth comes between at times. */
  let isWanted = false
  /** A new birth that could not be written is due again. */
  let isBirthDue = false
  /** The count of answers to pushes at which the present client was born, if by this engine. */
  let bornAt = -1

  const sender = createMachine(SENDER, 'off', carryOutSender, onMove)
  const receiver = createMachine(RECEIVER, 'off', carryOutReceiver, parts.onChange)
  const core = createCore(parts, { sender, receiver, guard, beReborn })
  const pushBatch = createPush(core)
  const pullPage = createPull(core)
  const openStream = createLive(core)
  const watchdog = createWatchdog({
    clock: host.clock,
    stalledMs: tuning.stalledMs,
    isWanting: () => outbox.countUndecided() > 0 && (isBirthDue || (sender.state !== 'off' && sender.state !== 'held')),
    progress: () => `${outbox.client} ${core.known()}`,
    answers: () => core.push.answers + core.pull.answers,
    onStalled() {
      host.report(core.push.fault ?? new SyncError('server_error', 'Nothing of what waits was decided for too long'))
      // Where a try is due it comes when it is due: the authority may have named the time.
      if (sender.state !== 'waiting' && !isBirthDue) {
        halt()
        run()
      }
      parts.onChange()
    },
  })

  function onMove(): void {
    watchdog.look()
    parts.onChange()
  }

  function carryOutSender(effect: SenderEffect): void {
    if (effect === 'push') guard(pushBatch)
    else if (effect === 'cancel') core.push.cancel()
    else if (effect === 'stopWaiting') core.push.stopWaiting()
    else core.push.stopWaiting = wait(core.push, () => sender.send('timer'))
  }

  function carryOutReceiver(effect: ReceiverEffect): void {
    if (effect === 'pull') guard(pullPage)
    else if (effect === 'open') guard(openStream)
    else if (effect === 'cancel') core.pull.cancel()
    else if (effect === 'stopWaiting') core.pull.stopWaiting()
    else if (effect === 'poll') core.pull.stopWaiting = host.clock.after(tuning.pollMs, () => receiver.send('timer'))
    else core.pull.stopWaiting = wait(core.pull, () => receiver.send('timer'))
  }

  function guard(verb: (isCurrent: IsCurrent) => Promise<void>): void {
    const begun = epoch
    verb(() => epoch === begun).catch((error: unknown) => {
      stop()
      parts.onBroken(error)
    })
  }

  function wait(half: Half, onTime: () => void): Cancel {
    return host.clock.after(
      backoffMs(Math.max(1, half.attempts), tuning.backoff, host.random, half.fault?.retryAfterMs),
      onTime,
    )
  }

  function beReborn(isForked: boolean): Promise<void> {
    if (rebirth === undefined && bornAt === core.push.answers) {
      waitAsNewborn()
      return Promise.resolve()
    }
    rebirth ??= (async () => {
      halt()
      try {
        await core.exclusively(() => outbox.rebirth(newClientId(host.random), host.clock.now()))
        rebirths++
        bornAt = core.push.answers
        core.forgetSealed()
        if (isForked) parts.onForked()
      } catch (error) {
        if (error instanceof InvariantError) throw error
        // The disk refuses for now. What is stored is as it was; the fork will be noticed again.
        core.failed(core.push, asSyncError(error, 'storage_failed', 'The new birth of the outbox could not be written'))
        isBirthDue = true
      } finally {
        rebirth = undefined
      }
      if (!isWanted) isBirthDue = false
      else if (isBirthDue) core.push.stopWaiting = wait(core.push, run)
      else run()
    })()
    return rebirth
  }

  /** That a client is forked before anybody can have copied it is no copy's doing: believing it at once would be a storm of births. */
  function waitAsNewborn(): void {
    bornAt = -1
    const fault = new SyncError('forked', 'The authority calls a client forked that was born just now')
    if (sender.state === 'sending') sender.send(core.failed(core.push, fault))
    if (receiver.state === 'pulling' || receiver.state === 'streaming') receiver.send(core.failed(core.pull, fault))
  }

  function run(): void {
    isBirthDue = false
    core.push.stopWaiting()
    sender.send('start')
    receiver.send('start')
  }

  /** Ends what is under way: it changes nothing when it comes back. */
  function halt(): void {
    epoch++
    isBirthDue = false
    core.push.stopWaiting()
    sender.send('stop')
    receiver.send('stop')
    outbox.setSending(
      outbox.entries().filter(({ isSending }) => isSending),
      false,
    )
  }

  function start(): void {
    isWanted = true
    if (rebirth === undefined) run()
  }

  function stop(): void {
    isWanted = false
    halt()
    watchdog.stop()
  }

  return {
    start,
    stop,
    work: () => sender.send('work'),
    settled: () => core.exclusively(async () => undefined),
    health: () => ({
      sender: isBirthDue ? 'waiting' : sender.state,
      receiver: receiver.state,
      fault: core.push.fault ?? core.pull.fault,
      attempts: Math.max(core.push.attempts, core.pull.attempts),
      heardAt: core.heardAt(),
      incoming: core.pull.incoming,
      rebirths,
      isStalled: watchdog.isStalled,
    }),
  }
}
