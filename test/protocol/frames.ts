// Arbitrary valid frames of every kind, for round trips and for breaking.
import fc from 'fast-check'
import { CODES } from '../../src/base/codes.ts'
import type { Details } from '../../src/base/errors.ts'
import { type Json, jsonProblem } from '../../src/base/json.ts'
import type { Decoder } from '../../src/protocol/codec.ts'
import { cursor, patch, seal } from '../../src/protocol/frame.ts'
import { entry } from '../../src/protocol/intent.ts'
import { outcomeRange } from '../../src/protocol/outcome.ts'
import { problem } from '../../src/protocol/problem.ts'
import { pullAnswer, pullRequest } from '../../src/protocol/pull.ts'
import { pushAnswer, pushRequest } from '../../src/protocol/push.ts'

const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => jsonProblem(value) === undefined) as fc.Arbitrary<Json>
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const uuid = fc.uuid({ version: [4, 5] })
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,20}$/)
const code = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/)
const whole = fc.oneof(fc.nat(), fc.maxSafeNat())
const scope = fc
  .tuple(fc.constantFrom('user', 'gym'), fc.stringMatching(/^[A-Za-z0-9é😀-]{1,10}$/u))
  .map(([kind, value]) => `${kind}:${value}`)
const id = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((text) => text.length <= 128 && !text.includes('\u0000'))
const mark = fc.oneof(fc.constant(''), hex(32))
const within = fc.record({ table: name, id })
const details = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,6}$/),
  fc.oneof(fc.string(), fc.integer()),
) as unknown as fc.Arbitrary<Details>

const place = (version: fc.Arbitrary<number>) =>
  fc.oneof(fc.record({ version, mark }), fc.record({ version, mark, within }))

const range = fc
  .tuple(
    fc.integer({ min: 1, max: 1e6 }),
    fc.nat(1_000),
    fc.constantFrom('applied', 'rejected', 'withdrawn'),
    code,
    details,
    fc.boolean(),
  )
  .map(([from, length, status, said, why, isRepeated]) => ({
    from,
    to: from + length,
    status,
    ...(status === 'applied' ? {} : { code: said, details: why }),
    ...(isRepeated ? { repeated: true } : {}),
  }))

const caller = fc.tuple(uuid, id, uuid, fc.nat(), fc.nat()).map(([app, actor, client, a, b]) => ({
  protocol: 1,
  app,
  actor,
  client,
  last: Math.max(a, b),
  stored: Math.min(a, b),
}))

const numbered = fc.record(
  {
    id: uuid,
    root: uuid,
    replaces: uuid,
    name,
    version: fc.integer({ min: 1, max: 1_000_000 }),
    args: json,
    madeAt: fc.integer({ min: -8.64e15, max: 8.64e15 }),
    needs: fc.array(uuid, { maxLength: 3 }),
    births: fc.array(fc.tuple(uuid, fc.integer({ min: 1 })), { maxLength: 3 }),
  },
  { requiredKeys: ['id', 'name', 'version', 'args', 'madeAt'] },
)
const withdrawal = fc.record(
  { id: uuid, withdraw: fc.constantFrom('discarded', 'parked'), replaces: uuid },
  { requiredKeys: ['id', 'withdraw'] },
)
const anyEntry = fc.oneof(numbered, withdrawal)

const rows = fc.dictionary(
  name,
  fc.array(
    fc.tuple(id, fc.dictionary(name, json)).map(([key, row]) => ({ ...row, id: key })),
    { maxLength: 3 },
  ),
  { maxKeys: 3 },
)
const gone = fc.dictionary(name, fc.array(id, { maxLength: 3 }), { maxKeys: 3 })
const anyPatch = fc
  .tuple(scope, place(fc.nat(50)), place(fc.integer({ min: 50, max: 100 })), fc.boolean(), rows, gone)
  .map(([of, from, to, isReset, there, left]) => ({
    scope: of,
    from: isReset ? { version: 0, mark: '' } : from,
    to,
    ...(isReset ? { reset: true } : {}),
    rows: there,
    gone: left,
  }))
const anySeal = fc.record(
  {
    client: uuid,
    decided: whole,
    decidedId: uuid,
    outcomes: fc.array(range, { maxLength: 4 }),
    scopes: fc.array(scope, { maxLength: 4 }),
    at: whole,
  },
  { requiredKeys: ['client', 'decided', 'outcomes', 'scopes', 'at'] },
)
const stop = fc.record(
  {
    sequence: fc.integer({ min: 1 }),
    code: fc.constantFrom('gap', 'fault', 'version_unknown', 'expired'),
    detail: fc.string(),
    expected: fc.integer({ min: 1 }),
    retryAfterMs: fc.nat(),
  },
  { requiredKeys: ['sequence', 'code', 'detail'] },
)

/** One kind of frame: its decoder, and valid values of it. */
export interface FrameKind {
  readonly kind: string
  readonly decoder: Decoder<unknown>
  readonly valid: fc.Arbitrary<unknown>
}

/** All kinds of frames that cross the wire, and the parts that decoders are made of. */
export const FRAMES: readonly FrameKind[] = [
  {
    kind: 'entry',
    decoder: entry,
    valid: fc.tuple(fc.integer({ min: 1 }), anyEntry).map(([sequence, rest]) => ({ sequence, ...rest })),
  },
  { kind: 'outcome range', decoder: outcomeRange, valid: range },
  {
    kind: 'push request',
    decoder: pushRequest,
    valid: fc
      .tuple(caller, fc.integer({ min: 1, max: 1e6 }), fc.array(anyEntry, { maxLength: 4 }))
      .map(([who, first, entries]) => ({
        ...who,
        last: Math.max(who.last, first + entries.length),
        intents: entries.map((rest, index) => ({ sequence: first + index, ...rest })),
      })),
  },
  {
    kind: 'push answer',
    decoder: pushAnswer,
    valid: fc.record(
      { requestId: fc.string(), client: uuid, decided: whole, outcomes: fc.array(range, { maxLength: 4 }), stop },
      { requiredKeys: ['requestId', 'client', 'decided', 'outcomes'] },
    ),
  },
  { kind: 'cursor', decoder: cursor, valid: fc.tuple(scope, place(whole)).map(([of, at]) => ({ scope: of, ...at })) },
  {
    kind: 'pull request',
    decoder: pullRequest,
    valid: fc
      .tuple(
        caller,
        fc.array(
          fc.tuple(scope, place(whole)).map(([of, at]) => ({ scope: of, ...at })),
          { maxLength: 3 },
        ),
      )
      .map(([who, cursors]) => ({ ...who, cursors })),
  },
  {
    kind: 'pull answer',
    decoder: pullAnswer,
    valid: fc.record(
      { requestId: fc.string(), patches: fc.array(anyPatch, { maxLength: 3 }), seal: anySeal },
      { requiredKeys: ['requestId', 'patches'] },
    ),
  },
  { kind: 'patch', decoder: patch, valid: anyPatch },
  { kind: 'seal', decoder: seal, valid: anySeal },
  {
    kind: 'problem',
    decoder: problem,
    valid: fc.record(
      {
        code: fc.constantFrom(...Object.keys(CODES)),
        detail: fc.string(),
        retryAfterMs: fc.nat(86_400_000),
        requestId: fc.string(),
      },
      { requiredKeys: ['code'] },
    ),
  },
]

/** What hostile hands put in the place of something. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    -0,
    2 ** 53,
    1e308,
    '',
    ' ',
    'x'.repeat(300),
    '\u0000',
    '\ud83d',
    [],
    {},
    [null],
    { id: 5 },
    { length: 3 },
  ),
  fc.constantFrom('__proto__', 'constructor', 'prototype').map((key) => JSON.parse(`{"${key}":{"x":1}}`) as unknown),
  fc.jsonValue({ maxDepth: 2 }),
)

/** A JSON value with one place somewhere in it changed, taken away or added to. */
export function broken(value: unknown, dice: () => number, replacement: unknown): unknown {
  if (typeof value !== 'object' || value === null || dice() < 0.15) return replacement
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...value] as unknown as Record<string, unknown>)
    : { ...value }
  const keys = Object.keys(copy)
  const key = keys[Math.floor(dice() * keys.length)]
  const how = dice()
  if (key === undefined || how < 0.1)
    Object.defineProperty(copy, 'extra', { value: replacement, enumerable: true, configurable: true, writable: true })
  else if (how < 0.25) delete copy[key]
  else copy[key] = broken(copy[key], dice, replacement)
  return JSON.parse(JSON.stringify(copy)) as unknown
}
