// The push, seen from the device: sends a batch of what the authority has not decided, in order, and takes in what it says.
// The answer settles `decided` and the badge; it changes no rows: that is for frames alone (I6).
import { check } from '../../base/assert.ts'
import { SyncError } from '../../base/errors.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { type PushAnswer, pushAnswer, type Stop } from '../../protocol/push.ts'
import type { OutboxEntry } from '../outbox/outbox.ts'
import { readAnswer } from './answer.ts'
import { buildBatch } from './batch.ts'
import type { Core, IsCurrent } from './core.ts'

/** Makes the verb that sends one batch. */
export function createPush(core: Core): (isCurrent: IsCurrent) => Promise<void> {
  const { sender, receiver, push, parts } = core
  const { outbox, host } = parts
  let batchLimit: number = LIMITS.batchIntents

  async function pushBatch(isCurrent: IsCurrent): Promise<void> {
    const { entries, body } = buildBatch(core.caller(), outbox.undecided(batchLimit))
    if (entries.length === 0) return sender.send('done')
    check(
      outbox.last >= (entries.at(-1)?.sequence ?? Number.POSITIVE_INFINITY),
      'I1',
      'an intent that is not durable was about to be sent',
    )
    const known = core.known()
    outbox.setSending(entries, true)
    try {
      const answer = await core.exchange(push, 'push', body, isCurrent)
      if (answer === undefined) return
      const decoded = readAnswer(answer, pushAnswer, host.clock.now())
      if (decoded.client !== outbox.client) throw new SyncError('not_ours', 'The answer is for another client')
      takeAnswer(decoded, entries.length, known)
    } catch (error) {
      if (isCurrent()) takeFault(error, entries)
    } finally {
      outbox.setSending(entries, false)
    }
  }

  function takeAnswer({ decided, outcomes, stop }: PushAnswer, sent: number, known: number): void {
    const before = push.attempts
    core.heard(push)
    // An intent at which the authority fails again and again is tried ever more rarely, although the authority answers.
    if (stop?.code === 'fault' && outcomes.length === 0) push.attempts = before
    batchLimit = Math.min(LIMITS.batchIntents, Math.max(batchLimit, sent) * 2)
    outbox.decide(outcomes, host.clock.now()).catch(host.report)
    core.noticeHistory(decided, known)
    receiver.send('wake')
    if (stop !== undefined) takeStop(stop)
    else sender.send(outbox.countUndecided() > 0 ? 'more' : 'done')
  }

  function takeStop(stop: Stop): void {
    switch (stop.code) {
      case 'gap':
        // What the authority misses may be older than what is kept here: then only a new birth can go on.
        if ((stop.expected ?? 1) < outbox.first) return core.guard(core.beReborn)
        outbox.reopen(stop.expected ?? outbox.first)
        return sender.send('more')
      case 'fault':
        return sender.send(
          core.failed(push, new SyncError('fault', stop.detail, { retryAfterMs: stop.retryAfterMs ?? 0 })),
        )
      case 'version_unknown':
      case 'expired': {
        const entry = outbox.at(stop.sequence)
        if (entry !== undefined) parts.park(entry, stop.code === 'expired' ? 'expired' : 'version', stop.detail)
        return sender.send('more')
      }
    }
  }

  function takeFault(error: unknown, entries: readonly OutboxEntry[]): void {
    if (error instanceof SyncError && error.code === 'forked') return core.guard(core.beReborn)
    // A smaller batch may get through where a large one breaks; one intent that is too large alone never will.
    if (error instanceof SyncError && error.code === 'too_large' && entries.length === 1) {
      parts.park(entries[0] as OutboxEntry, 'fault', error.message)
      return sender.send('more')
    }
    batchLimit = Math.max(1, Math.floor(entries.length / 2))
    sender.send(core.failed(push, error))
  }

  return pushBatch
}
