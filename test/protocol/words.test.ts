// Limits, outcomes, problems, ids and fingerprints: the small words of the wire.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CODES } from '../../src/base/codes.ts'
import { type Code, SyncError } from '../../src/base/errors.ts'
import { decode } from '../../src/protocol/codec.ts'
import { actorProblem, isUuid, parseActor, parseIntentId } from '../../src/protocol/ids.ts'
import { entry, fingerprintIntent, isWithdrawal } from '../../src/protocol/intent.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { appendOutcome, type Outcome, type OutcomeRange, outcomeOf, outcomeRange } from '../../src/protocol/outcome.ts'
import { faultOf, makeProblem, problem } from '../../src/protocol/problem.ts'
import { MAX_ID_LENGTH } from '../../src/schema/column.ts'
import { MAX_MUTATOR_VERSION } from '../../src/schema/mutator.ts'
import { MAX_SCOPE_LENGTH } from '../../src/schema/scope.ts'
import { nameProblem } from '../../src/schema/table.ts'
import { MAX_DETAILS_LENGTH } from '../../src/schema/tx.ts'

const uuid = '6ba7b810-9dad-41d1-80b4-00c04fd430c8'
const bytes = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length

describe('limits', () => {
  const widest = '\u0001' // six bytes in JSON for one unit
  const largestIntent = {
    sequence: Number.MAX_SAFE_INTEGER,
    id: uuid,
    root: uuid,
    replaces: uuid,
    name: 'n'.repeat(LIMITS.nameLength),
    version: MAX_MUTATOR_VERSION,
    args: '',
    madeAt: -8.64e15,
    needs: Array.from({ length: LIMITS.needs }, () => uuid),
    births: Array.from({ length: LIMITS.births }, () => [uuid, Number.MAX_SAFE_INTEGER]),
  }
  const caller = {
    protocol: 1,
    app: '3f1c5a0e-8f6b-5d0a-9c37-2b6c1e9d4a71',
    actor: widest.repeat(LIMITS.actorLength),
    client: uuid,
    last: Number.MAX_SAFE_INTEGER,
    stored: Number.MAX_SAFE_INTEGER,
  }

  test('[I13] the largest intent fits a batch, and a batch with its envelope fits a body', () => {
    expect(decode(entry, largestIntent).ok).toBe(true)
    expect(bytes(largestIntent) + LIMITS.argsBytes).toBeLessThan(LIMITS.batchBytes)
    expect(LIMITS.batchBytes + LIMITS.batchIntents + bytes({ ...caller, intents: [] })).toBeLessThan(LIMITS.bodyBytes)
  })

  test('[I13] the largest pull fits a body', () => {
    const place = {
      version: Number.MAX_SAFE_INTEGER,
      mark: 'f'.repeat(32),
      within: { table: 'n'.repeat(63), id: widest.repeat(MAX_ID_LENGTH) },
    }
    const cursor = { scope: `user:${widest.repeat(MAX_SCOPE_LENGTH - 5)}`, ...place }
    expect(bytes(cursor) * LIMITS.scopes + bytes({ ...caller, cursors: [] })).toBeLessThan(LIMITS.bodyBytes)
  })

  test('[I13] a row fits a page, a live patch fits a page, what one run writes fits no fewer pages than there are', () => {
    expect(LIMITS.rowBytes).toBeLessThanOrEqual(LIMITS.pageBytes)
    expect(LIMITS.liveEntries).toBeLessThanOrEqual(LIMITS.pageEntries)
    expect(LIMITS.argsBytes).toBeLessThanOrEqual(LIMITS.rowBytes)
    expect(MAX_DETAILS_LENGTH * 6 * LIMITS.batchIntents).toBeLessThan(32 * 1024 * 1024)
  })

  test('[I13] names of the schema and of the wire have one length', () => {
    expect(nameProblem('a'.repeat(LIMITS.nameLength))).toBeUndefined()
    expect(nameProblem('a'.repeat(LIMITS.nameLength + 1))).toBeTypeOf('string')
    expect(decode(entry, { ...largestIntent, name: 'a'.repeat(LIMITS.nameLength + 1) })).toMatchObject({
      ok: false,
      field: 'name',
    })
    expect(decode(entry, { ...largestIntent, version: MAX_MUTATOR_VERSION + 1 })).toMatchObject({
      ok: false,
      field: 'version',
    })
    expect(() => Object.assign(LIMITS, { needs: 0 })).toThrow()
  })
})

describe('outcomes', () => {
  const anyOutcome: fc.Arbitrary<{ outcome: Outcome; repeated: boolean }> = fc.record({
    outcome: fc.oneof(
      fc.constant<Outcome>({ status: 'applied' }),
      fc
        .constantFrom('rejected' as const, 'withdrawn' as const)
        .map((status): Outcome => ({ status, code: 'row_gone', details: { id: 'a' } })),
    ),
    repeated: fc.boolean(),
  })

  test('[I3] travel as ranges and come out as they went in, number by number', () => {
    fc.assert(
      fc.property(fc.array(anyOutcome, { maxLength: 30 }), fc.nat(1_000), (outcomes, before) => {
        const ranges: OutcomeRange[] = []
        outcomes.forEach(({ outcome, repeated }, index) => {
          appendOutcome(ranges, before + 1 + index, outcome, repeated)
        })
        for (const range of ranges)
          expect(decode(outcomeRange, JSON.parse(JSON.stringify(range)))).toEqual({ ok: true, value: range })
        const back = ranges.flatMap((range) =>
          Array.from({ length: range.to - range.from + 1 }, (_, index) => ({
            sequence: range.from + index,
            outcome: outcomeOf(range),
            repeated: range.repeated === true,
          })),
        )
        expect(back).toEqual(
          outcomes.map(({ outcome, repeated }, index) => ({ sequence: before + 1 + index, outcome, repeated })),
        )
      }),
    )
  })

  test('of ten thousand applied intents are one range; a hole or another word begins a new one', () => {
    const ranges: OutcomeRange[] = []
    for (let sequence = 1; sequence <= 10_000; sequence++) appendOutcome(ranges, sequence, { status: 'applied' }, false)
    expect(ranges).toEqual([{ from: 1, to: 10_000, status: 'applied' }])
    appendOutcome(ranges, 10_001, { status: 'applied' }, true)
    appendOutcome(ranges, 10_003, { status: 'applied' }, true)
    expect(ranges).toHaveLength(3)
  })

  test('an entry is an intent, or a withdrawal in its place', () => {
    const intent = decode(entry, { sequence: 1, id: uuid, name: 'x', version: 1, args: null, madeAt: 0 })
    const withdrawal = decode(entry, { sequence: 1, id: uuid, withdraw: 'parked' })
    expect(intent.ok && isWithdrawal(intent.value)).toBe(false)
    expect(withdrawal.ok && isWithdrawal(withdrawal.value)).toBe(true)
    expect(decode(entry, { sequence: 1, id: uuid, withdraw: undefined })).toMatchObject({
      ok: false,
      field: 'withdraw',
    })
    expect(decode(entry, { sequence: 1, id: uuid, withdraw: 'lost' })).toMatchObject({ ok: false, field: 'withdraw' })
  })
})

describe('problems', () => {
  test('of every code are read back by the device as the fault that they mean', () => {
    for (const code of Object.keys(CODES) as Code[]) {
      const made = makeProblem(code, 'r-1', 'The batch has 5 intents.', { retryAfterMs: 40, intentId: uuid })
      expect(made).toMatchObject({
        type: `urn:holdfast:problem:${code}`,
        status: CODES[code].status,
        phase: CODES[code].phase,
        retryable: CODES[code].remedy === 'retry',
      })
      const read = decode(problem, JSON.parse(JSON.stringify(made)))
      if (!read.ok) throw new Error(read.problem)
      const fault = faultOf(read.value, 0)
      expect(fault).toBeInstanceOf(SyncError)
      expect(fault).toMatchObject({ code, retryAfterMs: 40, requestId: 'r-1' })
      // Each sentence once, in the authority's words: a device need not have sentences for what it never raises.
      expect(fault.message).toBe(`${CODES[code].title}. The batch has 5 intents. ${CODES[code].advice}`)
    }
  })

  test('of a code that this build does not know count as a server error, and the longer delay counts', () => {
    expect(
      faultOf({ code: 'too_hot', title: undefined, detail: undefined, retryAfterMs: 10, requestId: undefined }, 5_000),
    ).toMatchObject({ code: 'server_error', retryAfterMs: 5_000, requestId: undefined })
    expect(
      faultOf({ code: 'toString', title: undefined, detail: 'x', retryAfterMs: 10, requestId: undefined }, 0),
    ).toMatchObject({
      code: 'server_error',
      retryAfterMs: 10,
    })
  })

  test('[I12] a device reads the members that it needs and refuses delays that are none', () => {
    expect(decode(problem, { code: 'gap', unknown: 1 })).toEqual({ ok: true, value: { code: 'gap' } })
    for (const retryAfterMs of [-1, 1.5, 86_400_001, '5', null])
      expect(decode(problem, { code: 'gap', retryAfterMs })).toMatchObject({ ok: false, field: 'retryAfterMs' })
    expect(decode(problem, {})).toMatchObject({ ok: false, field: 'code' })
  })
})

describe('ids', () => {
  test('an intent id is a UUID in lower case, with a version and a variant', () => {
    for (const good of [uuid, '7a8f0e0c-c4a0-5eb2-8a4e-5f3f7a0f5b3c', '018f0e0c-c4a0-7eb2-ba4e-5f3f7a0f5b3c'])
      expect(parseIntentId(good)).toBe(good)
    for (const bad of [
      '',
      uuid.toUpperCase(),
      `${uuid} `,
      uuid.slice(1),
      '00000000-0000-0000-0000-000000000000',
      '6ba7b810-9dad-41d1-10b4-00c04fd430c8',
      `{${uuid}}`,
    ]) {
      expect(isUuid(bad)).toBe(false)
      expect(() => parseIntentId(bad)).toThrow(/must be a UUID in lower case/)
    }
    expect(isUuid(5)).toBe(false)
  })

  test('an actor is a text of 1 to 128 characters', () => {
    expect(parseActor('42')).toBe('42')
    expect(actorProblem('x'.repeat(LIMITS.actorLength))).toBeUndefined()
    for (const bad of ['', 'x'.repeat(LIMITS.actorLength + 1), 'a\u0000', '\ud83d', 42, null, undefined])
      expect(actorProblem(bad)).toBeTypeOf('string')
    expect(() => parseActor('')).toThrow(/The actor must be a text of 1 to 128/)
  })
})

describe('the fingerprint of an intent', () => {
  const content = { name: 'logSet', version: 1, args: { reps: 5, kg: 100 } }

  test('[I3] is over what was meant, not over where and when', () => {
    expect(fingerprintIntent(content)).toMatch(/^[0-9a-f]{64}$/)
    expect(fingerprintIntent({ ...content, args: { kg: 100, reps: 5 } })).toBe(fingerprintIntent(content))
    expect(fingerprintIntent({ ...content, sequence: 9, madeAt: 5, births: [] } as typeof content)).toBe(
      fingerprintIntent(content),
    )
    expect(fingerprintIntent({ ...content, args: JSON.parse('{"reps":5,"kg":1e2}') as typeof content.args })).toBe(
      fingerprintIntent(content),
    )
  })

  test('[I3] differs with the name, the version and each argument', () => {
    const all = [
      content,
      { ...content, name: 'logSets' },
      { ...content, version: 2 },
      { ...content, args: { reps: 5 } },
      { ...content, args: { reps: 5, kg: '100' } },
      { ...content, args: null },
    ]
    expect(new Set(all.map((each) => fingerprintIntent(each as typeof content))).size).toBe(all.length)
  })
})
