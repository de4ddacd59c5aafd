// What a code means, as a page for people: every problem has a link to its own, so that whoever meets one need not know where the
// documentation is. Plain text, made from the table of codes; the same for everybody, whatever happened.
import { CODES } from '../../base/codes.ts'
import { isCode } from '../../base/errors.ts'
import { LIMITS } from '../../protocol/limits.ts'

/** Codes of which plain callers want to know how keys work. */
const aboutKeys: ReadonlySet<string> = new Set(['key_missing', 'key_reused', 'in_progress', 'expired', 'malformed'])

/** The page about a code, or undefined when there is no such code. `keptSeconds` is for how long outcomes are remembered. */
export function helpOf(code: string, keptSeconds: number): string | undefined {
  if (!isCode(code)) return undefined
  const { title, advice, status, phase, remedy } = CODES[code]
  const page = [
    `${code}: ${title}`,
    advice,
    `Status ${status}; phase ${phase}; ${remedy === 'retry' ? 'the same request may succeed later' : 'the same request will not succeed by itself'}.`,
  ]
  if (aboutKeys.has(code))
    page.push(
      [
        `Keys of plain requests: Idempotency-Key is one quoted string of 1 to ${LIMITS.keyLength} visible ASCII characters, best a fresh UUID:`,
        '  Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324"',
        'or the same without quotes as client_log_id in the body. A request that is repeated with its key gets the stored outcome,',
        `success and rejection alike, for ${keptSeconds} seconds (${Math.floor(keptSeconds / 86_400)} days) from its decision. Another request under the same key is`,
        'answered 422, one whose first is still running 409, and one from before that time 410. Keys of other actors do not matter.',
      ].join('\n'),
    )
  return `${page.join('\n\n')}\n`
}
