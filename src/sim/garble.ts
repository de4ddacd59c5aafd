// Bytes that are not what they should be: requests that the authority must refuse, answers that a device must not believe, and what
// hotel networks and proxies say instead (I12). A change that happens to leave something readable is not delivered: it could mean
// something else than what was sent, and what keeps that from happening is the transport's checksum, not the decoder.

import type { NetworkAnswer, NetworkRequest } from '../client/host.ts'
import { decodeText } from '../protocol/codec.ts'
import { LIMITS } from '../protocol/limits.ts'
import { pullAnswer, pullRequest } from '../protocol/pull.ts'
import { pushAnswer, pushRequest } from '../protocol/push.ts'
import type { Dice } from './random.ts'

/** A request's words, changed so that no decoder can take them; undefined when the change left them readable. */
export function garbleRequest(request: NetworkRequest, dice: Dice): NetworkRequest | undefined {
  const { path, body } = request
  const kind = dice.weighted({ member: 6, bytes: 5, cut: 2, huge: 0.2, type: 1, empty: 1 })
  if (kind === 'type') return { ...request, headers: { ...request.headers, 'content-type': 'text/plain' } }
  if (kind === 'empty') return { ...request, body: '' }
  if (kind === 'huge') return { ...request, body: `${body}${' '.repeat(LIMITS.bodyBytes)}` }
  const garbled =
    kind === 'member'
      ? garbleMember(body, dice)
      : kind === 'cut'
        ? body.slice(0, dice.below(body.length))
        : garbleBytes(body, dice)
  const decoded = decodeText<unknown>(path === 'push' ? pushRequest : pullRequest, garbled)
  return decoded.ok ? undefined : { ...request, body: garbled }
}

/** An answer's text, changed so that no decoder can take it; undefined when the change left it readable. */
export function garbleAnswer(path: NetworkRequest['path'], body: string, dice: Dice): string | undefined {
  const kind = dice.weighted({ member: 3, bytes: 3, cut: 2 })
  const garbled =
    kind === 'member'
      ? garbleMember(body, dice)
      : kind === 'cut'
        ? body.slice(0, dice.below(body.length))
        : garbleBytes(body, dice)
  const decoded = decodeText<unknown>(path === 'push' ? pushAnswer : pullAnswer, garbled)
  return decoded.ok ? undefined : garbled
}

/** What answers when it is not the authority: a sign-in page, a proxy, a load balancer. */
export function strangeAnswer(dice: Dice): NetworkAnswer {
  const [status, headers, body] = dice.pick<readonly [number, { readonly [name: string]: string }, string]>([
    [200, { 'content-type': 'text/html; charset=utf-8' }, '<html><body>Welcome to the hotel</body></html>'],
    [200, { 'content-type': 'application/json' }, '{"ok":true}'],
    [502, { 'content-type': 'text/html' }, '<h1>Bad Gateway</h1>'],
    [504, {}, ''],
    [500, { 'content-type': 'text/plain' }, 'error'],
    [503, { 'content-type': 'text/html', 'retry-after': '2' }, 'busy'],
    [503, { 'retry-after': 'Sun, 01 Mar 2026 00:00:30 GMT' }, ''],
    [429, { 'retry-after': '1' }, ''],
  ]) ?? [502, {}, '']
  return { status, header: (name) => headers[name], body }
}

/** What a member may be turned into. None is what any member should be, but for the numbers, which a decoder may take. */
const intruders: readonly unknown[] = [
  null,
  -1,
  1.5,
  2 ** 53,
  1e308,
  '',
  'x',
  [],
  {},
  true,
  { constructor: 1 },
  [[[]]],
  '\u0000',
  '\ud800',
  { __proto__: null, toString: 'x' },
]

/** Changes one member somewhere in a JSON text. */
function garbleMember(body: string, dice: Dice): string {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return garbleBytes(body, dice)
  }
  let holder = value
  for (;;) {
    if (typeof holder !== 'object' || holder === null) return 'null'
    const keys = Object.keys(holder)
    const key = dice.pick(keys)
    if (key === undefined) return '[]'
    const members = holder as { [key: string]: unknown }
    const member = members[key]
    if (typeof member === 'object' && member !== null && Object.keys(member).length > 0 && dice.chance(0.7)) {
      holder = member
      continue
    }
    if (dice.chance(0.25)) delete members[key]
    else if (dice.chance(0.1)) members['__proto__x'.slice(0, 9)] = member
    else members[key] = dice.pick(intruders)
    return JSON.stringify(value)
  }
}

/** Changes, drops or adds a few characters. */
function garbleBytes(body: string, dice: Dice): string {
  let text = body
  for (let changes = dice.between(1, 4); changes > 0; changes--) {
    const at = dice.below(text.length)
    const put = dice.chance(0.3)
      ? ''
      : String.fromCharCode(dice.pick([0, 10, 34, 44, 48, 58, 91, 93, 123, 125, 0xfffd]) ?? 0)
    text = text.slice(0, at) + put + text.slice(at + dice.below(3))
  }
  return text
}
