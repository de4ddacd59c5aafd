// Which entries go into one batch, and as what. An entry whose place was given up goes as a withdrawal. Pure; sending is push.ts.
import { SyncError } from '../../base/errors.ts'
import { utf8Bytes } from '../../base/utf8.ts'
import type { Withdrawal } from '../../protocol/intent.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Caller } from '../../protocol/push.ts'
import type { OutboxEntry } from '../outbox/entry.ts'

/** A batch ready to be sent. */
export interface Batch {
  readonly entries: readonly OutboxEntry[]
  readonly body: string
}

/** Takes entries from the front until the batch is full; the first always fits. `before` is the entry that stands before them. */
export function buildBatch(caller: Caller, before: OutboxEntry | undefined, candidates: readonly OutboxEntry[]): Batch {
  const texts: string[] = []
  let bytes = 0
  for (const entry of candidates) {
    const text = wireText(entry)
    bytes += utf8Bytes(text) + 1
    if (texts.length > 0 && bytes > LIMITS.batchBytes) break
    texts.push(text)
  }
  const envelope = JSON.stringify({ ...caller, after: before?.intent.id, intents: [] })
  return { entries: candidates.slice(0, texts.length), body: `${envelope.slice(0, -2)}${texts.join(',')}]}` }
}

/** What stands in the entry's place on the wire (protocol/intent.ts, Entry), as JSON. */
function wireText({ intent, sequence, givenUp }: OutboxEntry): string {
  if (sequence === undefined)
    throw new SyncError('storage_failed', 'An intent was about to be sent before it was stored')
  if (givenUp !== undefined) {
    const { id, replaces } = intent
    const withdrawal: Withdrawal = {
      sequence,
      id,
      withdraw: givenUp.as === 'parked' ? 'parked' : 'discarded',
      replaces,
    }
    return JSON.stringify(withdrawal)
  }
  return JSON.stringify({ sequence, ...intent })
}
