// What an answer means, and what goes into a batch: pure parts of the loop.
import { describe, expect, test } from 'vitest'
import type { OutboxEntry } from '../../../src/client/outbox/entry.ts'
import { faultOfAnswer, readAnswer, readRetryAfter } from '../../../src/client/sync/answer.ts'
import { buildBatch } from '../../../src/client/sync/batch.ts'
import { createStaging } from '../../../src/client/sync/staging.ts'
import { decodeText } from '../../../src/protocol/codec.ts'
import type { Patch, Seal } from '../../../src/protocol/frame.ts'
import type { ActorId, ClientId, IntentId, Sequence } from '../../../src/protocol/ids.ts'
import { LIMITS } from '../../../src/protocol/limits.ts'
import { type Caller, pushAnswer, pushRequest } from '../../../src/protocol/push.ts'
import type { Scope } from '../../../src/schema/scope.ts'
import { answerOf, problemOf, uuid } from '../world.ts'

describe('an answer', () => {
  const good = { requestId: 'r', client: uuid(1), decided: 0, outcomes: [] }
  const codeOf = (status: number, body: unknown, type = 'text/html') =>
    faultOfAnswer(answerOf(status, body, { 'content-type': type }), 0).code

  test('is the authority’s word only with status 200, as JSON, and in its form', () => {
    expect(readAnswer(answerOf(200, good), pushAnswer, 0)).toEqual(good)
    expect(
      readAnswer(answerOf(200, good, { 'content-type': 'APPLICATION/JSON;charset=UTF-8' }), pushAnswer, 0),
    ).toEqual(good)
    for (const answer of [
      answerOf(200, good, { 'content-type': 'text/html' }),
      answerOf(201, good),
      answerOf(204, ''),
      answerOf(302, good),
      answerOf(200, 'null'),
      answerOf(200, { ...good, decided: 'x' }),
    ])
      expect(() => readAnswer(answer, pushAnswer, 0)).toThrow(expect.objectContaining({ code: 'not_ours' }))
  })

  test('without success is a problem that it states, or what its status means', () => {
    expect(faultOfAnswer(problemOf('actor_mismatch'), 0)).toMatchObject({
      code: 'actor_mismatch',
      remedy: 'person',
      requestId: 'req-test',
    })
    expect(codeOf(401, '')).toBe('unauthenticated')
    expect(codeOf(403, '')).toBe('not_ours')
    expect(codeOf(404, '')).toBe('not_ours')
    expect(codeOf(413, '')).toBe('too_large')
    expect(codeOf(429, '')).toBe('rate_limited')
    expect(codeOf(500, '')).toBe('server_error')
    expect(codeOf(503, '')).toBe('unavailable')
    expect(codeOf(599, '')).toBe('server_error')
    expect(codeOf(500, '{"code":5}', 'application/problem+json')).toBe('server_error')
    expect(codeOf(400, 'not json', 'application/problem+json')).toBe('not_ours')
    expect(codeOf(409, '{"code":"forked"}', 'application/json')).toBe('not_ours')
    expect(codeOf(418, '{"code":"from the future"}', 'application/problem+json')).toBe('server_error')
  })

  test('says when to come again in seconds or as a date; what makes no sense says nothing', () => {
    const now = Date.UTC(2026, 2, 1)
    const table: readonly (readonly [string | undefined, number])[] = [
      [undefined, 0],
      ['', 0],
      ['0', 0],
      ['120', 120_000],
      [' 5 ', 5_000],
      ['99999999', 86_400_000],
      ['1.5', 0],
      ['-5', 0],
      ['soon', 0],
      ['Sun, 01 Mar 2026 00:01:00 GMT', 60_000],
      ['Sat, 28 Feb 2026 23:59:00 GMT', 0],
      ['Mon, 01 Mar 2027 00:00:00 GMT', 86_400_000],
    ]
    const late = { 'retry-after': 'Sun, 01 Mar 2026 00:01:00 GMT', date: 'Sun, 01 Mar 2026 00:00:30 GMT' }
    expect(faultOfAnswer(answerOf(503, '', late), now - 36_000_000).retryAfterMs, 'by the clock of who answered').toBe(
      30_000,
    )
    for (const [header, delayMs] of table) expect(readRetryAfter(header, now), String(header)).toBe(delayMs)
  })
})

describe('a batch', () => {
  const caller: Caller = {
    protocol: 1,
    app: '3f1c5a0e-8f6b-5d0a-9c37-2b6c1e9d4a71',
    actor: '42"\\' as ActorId,
    client: uuid(1) as ClientId,
    last: 5_000,
    stored: 0,
  }
  const entry = (sequence: number, text = 'x', more: Partial<OutboxEntry> = {}): OutboxEntry => ({
    intent: { id: uuid(sequence) as IntentId, name: 'put', version: 1, args: { text }, madeAt: 0 },
    sequence: sequence as Sequence,
    givenUp: undefined,
    outcome: undefined,
    isRepeated: false,
    decidedAt: 0,
    isReopened: false,
    isRetired: false,
    isSending: false,
    attempts: 0,
    saved: undefined,
    ...more,
  })

  test('is a request that the authority’s decoder takes, with the intents as they were made', () => {
    const made = {
      id: uuid(2) as IntentId,
      root: uuid(9) as IntentId,
      name: 'put',
      version: 3,
      args: { '"': '\\ é 😀' },
      madeAt: 7,
      needs: [uuid(1) as IntentId],
      births: [[uuid(8), 4]] as never,
    }
    const { body, entries } = buildBatch(caller, undefined, [
      entry(1),
      entry(2, '', { intent: made }),
      entry(3, '', { givenUp: { as: 'parked', reason: 'fault', detail: 'secret' } }),
    ])
    const decoded = decodeText(pushRequest, body)
    if (!decoded.ok) throw new Error(`${decoded.field} ${decoded.problem}`)
    expect(entries).toHaveLength(3)
    expect(decoded.value.intents[1]).toEqual({ sequence: 2, ...made })
    expect(decoded.value.intents[2]).toEqual({ sequence: 3, id: uuid(3), withdraw: 'parked' })
    expect(body).not.toContain('secret')
  })

  test('[I13] ends before it is too large; one intent alone always goes; the body fits what is read', () => {
    const big = 'é'.repeat(120_000)
    const { entries, body } = buildBatch(
      caller,
      undefined,
      Array.from({ length: 50 }, (_, index) => entry(index + 1, big)),
    )
    expect(entries.length).toBe(8)
    expect(new TextEncoder().encode(body).length).toBeLessThanOrEqual(LIMITS.bodyBytes)
    const monstrous = 'x'.repeat(LIMITS.batchBytes * 2)
    expect(buildBatch(caller, undefined, [entry(1, monstrous), entry(2)]).entries).toHaveLength(1)
    expect(buildBatch(caller, undefined, []).entries).toEqual([])
  })

  test('[I1] never holds what has no number', () => {
    expect(() => buildBatch(caller, undefined, [entry(1, 'x', { sequence: undefined })])).toThrow(
      /before it was stored/,
    )
  })
})

describe('staging', () => {
  const scope = 'user:42' as Scope
  const patch = (from: number, to: number, more: Partial<Patch> = {}): Patch => ({
    scope,
    from: { version: from, mark: from === 0 ? '' : `${from}` },
    to: { version: to, mark: `${to}` },
    rows: {},
    gone: {},
    ...more,
  })
  const seal = (scopes: readonly Scope[] = [scope]): Seal => ({
    client: uuid(1) as ClientId,
    decided: 0,
    outcomes: [],
    scopes,
    at: 0,
  })

  test('[I5] takes patches that continue where their scope stands, and no others', () => {
    const staging = createStaging([{ scope, version: 3, mark: '3' }])
    expect(staging.stage(patch(2, 4))).toBe(false)
    expect(staging.stage({ ...patch(3, 4), from: { version: 3, mark: 'other' } })).toBe(false)
    expect(staging.stage({ ...patch(3, 4), from: { version: 3, mark: '3', within: { table: 'a', id: 'b' } } })).toBe(
      false,
    )
    expect(staging.stage(patch(3, 4))).toBe(true)
    expect(staging.stage(patch(3, 5))).toBe(false)
    expect(staging.stage(patch(4, 5))).toBe(true)
    expect(staging.stage(patch(0, 2, { reset: true }))).toBe(true)
    expect(staging.cursors()).toEqual([{ scope, version: 2, mark: '2' }])
    expect(staging.seal(seal()).patches).toHaveLength(3)
  })

  test('a scope that is not held begins before everything', () => {
    const staging = createStaging([])
    expect(staging.stage(patch(1, 2))).toBe(false)
    expect(staging.stage(patch(0, 2))).toBe(true)
  })

  test('after the seal it stands at the frame’s end, without the scopes that were not named', () => {
    const staging = createStaging([
      { scope, version: 3, mark: '3' },
      { scope: 'gym:7' as Scope, version: 1, mark: '1' },
    ])
    staging.stage(patch(3, 4))
    expect(staging.seal(seal([scope]))).toMatchObject({ patches: [{ to: { version: 4 } }], scopes: [scope] })
    expect(staging.cursors()).toEqual([{ scope, version: 4, mark: '4' }])
    expect(staging.seal(seal([])).patches).toEqual([])
    expect(staging.cursors()).toEqual([])
  })
})
