// Which entries go into one batch, and as what. An entry whose place was given up goes as a withdrawal. Pure; sending is push.ts.
import { SyncError } from '../../base/errors.ts'
import type { Withdrawal } from '../../protocol/intent.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Caller } from '../../protocol/push.ts'
import { type OutboxEntry, textOf } from '../outbox/outbox.ts'

/** A batch ready to be sent. */
export interface Batch {
  readonly entries: readonly OutboxEntry[]
  readonly body: string
}

/** Takes entries from the front until the batch is full; the first always fits. */
export function buildBatch(caller: Caller, candidates: readonly OutboxEntry[]): Batch {
  const texts: string[] = []
  let bytes = 0
  for (const entry of candidates) {
    const text = wireText(entry)
    bytes += utf8Length(text) + 1
    if (texts.length > 0 && bytes > LIMITS.batchBytes) break
    texts.push(text)
  }
  const envelope = JSON.stringify({ ...caller, intents: [] })
  return { entries: candidates.slice(0, texts.length), body: `${envelope.slice(0, -2)}${texts.join(',')}]}` }
}

/** What stands in the entry's place on the wire (protocol/intent.ts, Entry), as JSON. */
function wireText(entry: OutboxEntry): string {
  const { intent, sequence, givenUp } = entry
  if (sequence === undefined)
    throw new SyncError('storage_failed', 'An intent was about to be sent before it was stored')
  if (givenUp !== undefined) {
    const withdrawal: Withdrawal = { sequence, id: intent.id, withdraw: givenUp.as }
    return JSON.stringify(withdrawal)
  }
  // The intent's own text goes on as it is: it has been made once, when the person acted.
  return `{"sequence":${sequence},${textOf(entry).slice(1)}`
}

/** How many bytes a text has in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    // Each half of a pair counts two bytes here: together the four that the pair needs.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}
