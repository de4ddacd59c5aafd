// Parse, don't trust: what is encoded is decoded to the same, and whatever else comes is refused with the name of the field.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, decodeText } from '../../src/protocol/codec.ts'
import { patch, seal } from '../../src/protocol/frame.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { decodeEvent, encodeEvent, HEARTBEAT } from '../../src/protocol/live.ts'
import { pullAnswer } from '../../src/protocol/pull.ts'
import { pushAnswer, pushRequest } from '../../src/protocol/push.ts'
import { broken, FRAMES, hostile } from './frames.ts'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe.each(FRAMES)('$kind', ({ decoder, valid }) => {
  test('[I12] what is encoded is decoded to the same', () => {
    fc.assert(
      fc.property(valid, (frame) => {
        const text = JSON.stringify(frame)
        const decoded = decodeText(decoder, text)
        if (!decoded.ok) throw new Error(`${decoded.field} ${decoded.problem} in ${text}`)
        expect(plain(decoded.value)).toEqual(plain(frame))
      }),
      { numRuns: 60 },
    )
  })

  test('[I12] any JSON at all is taken or refused, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.jsonValue()), (value) => {
        const decoded = decode(decoder, value)
        if (!decoded.ok) expect(decoded.problem.length).toBeGreaterThan(0)
      }),
      { numRuns: 150 },
    )
  })

  test('[I12] a valid frame with one place broken is refused with the path of a field, or taken without change', () => {
    fc.assert(
      fc.property(
        valid,
        hostile,
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (frame, replacement, dice) => {
          const damaged = broken(plain(frame), () => dice.next().value as number, replacement)
          const decoded = decode(decoder, damaged)
          if (decoded.ok) {
            expect(missing(plain(damaged), plain(decoded.value))).toEqual([])
            return
          }
          if (typeof damaged === 'object' && damaged !== null && !Array.isArray(damaged))
            expect(decoded.field).not.toBe('')
          expect(decoded.field.length).toBeLessThanOrEqual(200)
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** Paths at which what was taken says something else than what came; members that are left out say nothing. */
function missing(came: unknown, taken: unknown, path = ''): string[] {
  if (typeof taken !== 'object' || taken === null) return Object.is(came, taken) ? [] : [path]
  if (typeof came !== 'object' || came === null || Array.isArray(came) !== Array.isArray(taken)) return [path]
  if (Array.isArray(came) && came.length !== (taken as unknown[]).length) return [path]
  return Object.keys(taken).flatMap((key) =>
    missing((came as Record<string, unknown>)[key], (taken as Record<string, unknown>)[key], `${path}/${key}`),
  )
}

describe('text', () => {
  test('[I12] that is no JSON, or is a flood of brackets, is refused', () => {
    for (const text of ['', '{', 'undefined', '<html>sign in</html>', '\ufeff{}', '[1,]'])
      expect(decodeText(pushAnswer, text)).toEqual({ ok: false, field: '', problem: 'is not JSON' })
    expect(decodeText(pushRequest, '['.repeat(1_000_000) + ']'.repeat(1_000_000)).ok).toBe(false)
    const deep = `{"sequence":1,"id":"x","args":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
    expect(decodeText(pushRequest, `{"intents":[${deep}]}`).ok).toBe(false)
  })

  test('[I13] a field whose name is a flood is not echoed whole', () => {
    const decoded = decode(patch, {
      scope: 'user:1',
      from: { version: 0, mark: '' },
      to: { version: 1, mark: '' },
      rows: { ['k'.repeat(100_000)]: 5 },
      gone: {},
    })
    expect(decoded.ok).toBe(false)
    expect(JSON.stringify(decoded).length).toBeLessThan(1_000)
  })
})

describe('what hangs together', () => {
  const uuid = '6ba7b810-9dad-41d1-80b4-00c04fd430c8'
  const caller = {
    protocol: 1,
    app: '3f1c5a0e-8f6b-5d0a-9c37-2b6c1e9d4a71',
    actor: '42',
    client: uuid,
    last: 5,
    stored: 2,
  }
  const intent = (sequence: number) => ({ sequence, id: uuid, withdraw: 'discarded' })
  const refused = (decoder: Parameters<typeof decode>[0], value: unknown): string => {
    const decoded = decode(decoder, value)
    return decoded.ok ? 'taken' : `${decoded.field} ${decoded.problem}`
  }

  test('[I2] numbers in a batch rise by one and end at or below last', () => {
    expect(refused(pushRequest, { ...caller, intents: [intent(3), intent(4)] })).toBe('taken')
    expect(refused(pushRequest, { ...caller, intents: [] })).toBe('taken')
    expect(refused(pushRequest, { ...caller, intents: [intent(3), intent(5)] })).toBe(
      'intents[1].sequence is 5, in a batch numbers rise by one',
    )
    expect(refused(pushRequest, { ...caller, intents: [intent(4), intent(4)] })).toMatch(/^intents\[1\]\.sequence is 4/)
    expect(refused(pushRequest, { ...caller, intents: [intent(5), intent(6)] })).toMatch(
      /^last is 5, the batch has numbers up to 6/,
    )
    expect(refused(pushRequest, { ...caller, stored: 6, intents: [] })).toMatch(/^stored is 6/)
  })

  test('a request names the protocol, the app and the actor, each in its form', () => {
    expect(refused(pushRequest, { ...caller, protocol: 2, intents: [] })).toBe('protocol must be 1')
    expect(refused(pushRequest, { ...caller, app: 'x', intents: [] })).toMatch(/^app must be a UUID/)
    expect(refused(pushRequest, { ...caller, actor: '', intents: [] })).toMatch(/^actor must be a text of 1 to 128/)
    expect(refused(pushRequest, { ...caller, actor: '\ud83d', intents: [] })).toMatch(/^actor it contains half/)
    expect(refused(pushRequest, { ...caller, client: uuid.toUpperCase(), intents: [] })).toMatch(
      /^client must be a UUID in lower case/,
    )
  })

  test('[I7] a patch does not lead back, and a reset begins at the beginning', () => {
    const of = (from: number, to: number, more: object = {}) => ({
      scope: 'user:1',
      from: { version: from, mark: '' },
      to: { version: to, mark: 'ab' },
      rows: {},
      gone: {},
      ...more,
    })
    expect(refused(patch, of(3, 3))).toBe('taken')
    expect(refused(patch, of(4, 3))).toBe('to.version is before that of from')
    expect(refused(patch, of(0, 3, { reset: true }))).toBe('taken')
    expect(refused(patch, of(2, 3, { reset: true }))).toBe('from.version must be 0 in a reset')
    expect(refused(patch, of(0, 3, { reset: false }))).toBe('reset must be true or be left out')
  })

  test('a refusal inside rows, ids and outcomes names the place', () => {
    const page = (rows: unknown, gone: unknown = {}) => ({
      requestId: 'r',
      patches: [{ scope: 'user:1', from: { version: 0, mark: '' }, to: { version: 1, mark: '' }, rows, gone }],
    })
    expect(refused(pullAnswer, page({ sets: [{ id: 'a' }, { name: 'x' }] }))).toBe(
      'patches[0].rows.sets[1] must be a row with an id',
    )
    expect(refused(pullAnswer, page({}, { sets: ['a', ''] }))).toBe('patches[0].gone.sets[1] must be the id of a row')
    expect(refused(pullAnswer, page({ 'no table': [] }))).toBe('patches[0].rows.no table must be the name of a table')
    expect(refused(pullAnswer, page([]))).toBe('patches[0].rows must be an object')
    const sealed = { client: uuid, decided: 1, scopes: [], at: 0 }
    expect(refused(seal, { ...sealed, outcomes: [{ from: 2, to: 1, status: 'applied' }] })).toBe(
      'outcomes[0].to is before from',
    )
    expect(refused(seal, { ...sealed, outcomes: [{ from: 1, to: 1, status: 'rejected' }] })).toBe(
      'outcomes[0].code is missing: only what was applied has none',
    )
    expect(refused(seal, { ...sealed, outcomes: [{ from: 1, to: 1, status: 'lost' }] })).toMatch(
      /^outcomes\[0\]\.status must be one of/,
    )
  })

  test('[I12] rows keep what the app may have named like a member of objects, and nothing is inherited', () => {
    const decoded = decode(
      patch,
      JSON.parse(
        '{"scope":"user:1","from":{"version":0,"mark":""},"to":{"version":1,"mark":""},"rows":{"toString":[{"id":"a"}]},"gone":{}}',
      ),
    )
    if (!decoded.ok) throw new Error(decoded.problem)
    expect(decoded.value.rows['toString']).toEqual([{ id: 'a' }])
    expect(decoded.value.gone['toString']).toBeUndefined()
  })

  test('[I13] what is longer than its limit is refused, at the limit taken', () => {
    const seals = (scopes: number) => ({
      client: uuid,
      decided: 0,
      outcomes: [],
      scopes: Array.from({ length: scopes }, (_, index) => `user:${index}`),
      at: 0,
    })
    expect(refused(seal, seals(LIMITS.scopes))).toBe('taken')
    expect(refused(seal, seals(LIMITS.scopes + 1))).toBe(
      `scopes has ${LIMITS.scopes + 1} items, the limit is ${LIMITS.scopes}`,
    )
    const batch = (length: number) => ({
      ...caller,
      last: length,
      stored: 0,
      intents: Array.from({ length }, (_, index) => intent(index + 1)),
    })
    expect(refused(pushRequest, batch(LIMITS.batchIntents))).toBe('taken')
    expect(refused(pushRequest, batch(LIMITS.batchIntents + 1))).toMatch(/^intents has 1001 items/)
  })
})

describe('an event of the stream', () => {
  const sealed = { client: '6ba7b810-9dad-41d1-80b4-00c04fd430c8', decided: 0, outcomes: [], scopes: [], at: 0 }

  test('is one event line, one data line and an empty line, whatever its texts hold', () => {
    const text = encodeEvent('seal', { ...sealed, scopes: ['user:a\nb\r\u2028'] })
    expect(text.split('\n')).toHaveLength(4)
    expect(text).toMatch(/^event: seal\ndata: [^\n\r]*\n\n$/)
    expect(HEARTBEAT).toMatch(/^: .*\n\n$/)
  })

  test('[I12] is decoded by its name; other names and broken data are refused', () => {
    expect(decodeEvent('seal', JSON.stringify(sealed))).toEqual({ ok: true, value: { kind: 'seal', seal: sealed } })
    expect(decodeEvent('pull', '')).toEqual({ ok: true, value: { kind: 'pull' } })
    expect(decodeEvent('patch', '{}')).toMatchObject({ ok: false, field: 'scope' })
    expect(decodeEvent('seal', 'x')).toMatchObject({ ok: false, problem: 'is not JSON' })
    for (const name of ['', 'message', 'toString', 'Seal'])
      expect(decodeEvent(name, '{}')).toEqual({ ok: false, field: 'event', problem: 'must be patch, seal or pull' })
  })
})
