// The push, seen from the device: sends a batch of what the authority has not decided, in order, and takes in what it says.
// The answer settles `decided` and the badge; it changes no rows: that is for frames alone (I6).
import { check } from '../../base/assert.ts'
import { hasCode, SyncError } from '../../base/errors.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { type PushAnswer, pushAnswer, type Stop } from '../../protocol/push.ts'
import type { OutboxEntry } from '../outbox/entry.ts'
import type { ParkedReason } from '../outbox/stored.ts'
import { readAnswer } from './answer.ts'
import { buildBatch } from './batch.ts'
import type { Core, IsCurrent } from './core.ts'
import { createPatience } from './patience.ts'

/** Makes the verb that sends one batch. */
export function createPush(core: Core): (isCurrent: IsCurrent) => Promise<void> {
  const { sender, receiver, push, pull, parts } = core
  const { outbox, host, tuning } = parts
  const patience = createPatience(host.clock)
  let batchLimit: number = LIMITS.batchIntents

  async function pushBatch(isCurrent: IsCurrent): Promise<void> {
    const next = outbox.undecided(batchLimit)
    const { entries, body } = buildBatch(core.caller(), outbox.at((next[0]?.sequence ?? 0) - 1), next)
    if (entries.length === 0) return sender.send('done')
    check(
      outbox.last >= (entries.at(-1)?.sequence ?? Number.POSITIVE_INFINITY),
      'I1',
      'an intent that is not durable was about to be sent',
    )
    const known = core.known()
    const histories = core.histories()
    outbox.setSending(entries, true)
    try {
      const answer = await core.exchange(push, 'push', body, isCurrent)
      if (answer === undefined) return
      const decoded = readAnswer(answer, pushAnswer, host.clock.now())
      if (decoded.client !== outbox.client) throw new SyncError('not_ours', 'The answer is for another client')
      // Told by an authority that has gone back since: it is asked again.
      if (core.histories() !== histories) return sender.send('more')
      takeAnswer(decoded, entries, known)
    } catch (error) {
      if (isCurrent()) takeFault(error, entries)
    } finally {
      // A stop has taken the marks off already, and by now they may be those of another batch.
      if (isCurrent()) outbox.setSending(entries, false)
    }
  }

  function takeAnswer({ decided, outcomes, stop }: PushAnswer, sent: readonly OutboxEntry[], known: number): void {
    const before = push.attempts
    core.heard(push)
    batchLimit = Math.min(LIMITS.batchIntents, Math.max(batchLimit, sent.length) * 2)
    outbox.decide(outcomes, host.clock.now()).catch(host.report)
    core.noticeHistory(decided, known)
    receiver.send('wake')
    // What is answered without moving anything is asked ever more rarely, although the authority answers.
    const isMoving = core.known() !== known
    if (!isMoving) push.attempts = before
    if (stop !== undefined) takeStop(stop, sent)
    else if (outbox.countUndecided() === 0) sender.send('done')
    else if (isMoving) sender.send('more')
    else fail('The answer decides nothing of what was sent')
  }

  function takeStop(stop: Stop, sent: readonly OutboxEntry[]): void {
    switch (stop.code) {
      case 'gap': {
        const expected = stop.expected ?? outbox.first
        // What the authority misses may be older than what is kept here: then only a new birth can go on.
        if (expected < outbox.first) return core.guard(() => core.beReborn(false))
        outbox.reopen(expected)
        // Nothing earlier is there to be sent: the same again would be answered in the same way.
        if (core.known() + 1 >= (sent[0]?.sequence ?? 0))
          return fail(`The authority misses number ${expected}, but it was sent what follows`)
        return sender.send('more')
      }
      case 'fault':
      case 'version_unknown':
      case 'expired': {
        const entry = sent.find(({ sequence }) => sequence === stop.sequence)
        if (entry === undefined || entry.givenUp !== undefined)
          return fail(`The authority stops at number ${stop.sequence}, at which no intent was sent`)
        if (stop.code === 'expired') return park(entry, 'expired', stop.detail)
        const { id } = entry.intent
        const { fault, version } = tuning.parkAfter
        if (stop.code === 'version_unknown' && patience.isOver(id, version)) return park(entry, 'version', stop.detail)
        if (stop.pinned === true && patience.isOver(id, fault)) return park(entry, 'fault', stop.detail)
        const { retryAfterMs = 0 } = stop
        core.failed(push, new SyncError(stop.code, stop.detail, { retryAfterMs, details: { intent: id } }))
        return sender.send('failed')
      }
    }
  }

  function park(entry: OutboxEntry, reason: ParkedReason, detail: string): void {
    parts.park(entry, reason, detail)
    sender.send('more')
  }

  /** The authority contradicts itself; as long as it does, asking at once would only make a storm. */
  function fail(what: string): void {
    sender.send(core.failed(push, new SyncError('server_error', what)))
  }

  function takeFault(error: unknown, entries: readonly OutboxEntry[]): void {
    if (hasCode(error, 'forked')) return core.guard(() => core.beReborn(true))
    // A smaller batch may get through where a large one breaks.
    batchLimit = Math.max(1, Math.floor(entries.length / 2))
    if (hasCode(error, 'too_large') || hasCode(error, 'malformed')) {
      if (entries.length > 1) return sender.send('more')
      // One intent that is too large alone never will. Where not even its withdrawal gets through, the fault is not the intent's. What cannot
      // be read may be the reader's fault: that of this intent only if pulls are read, and after as long as any fault of its own.
      const [entry] = entries
      if (entry !== undefined && entry.givenUp === undefined) {
        const isItsOwn = pull.fault === undefined && pull.answers > 0
        if (error.code === 'too_large' || (isItsOwn && patience.isOver(entry.intent.id, tuning.parkAfter.fault)))
          return park(entry, 'fault', error.message)
      }
    }
    sender.send(core.failed(push, error))
  }

  return pushBatch
}
