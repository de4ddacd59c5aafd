// Item 5, idempotency for plain HTTP callers: one intent, a key, one decision. The key belongs to its actor and to one content; the stored
// answer is given for success and rejection alike, for as long as every answer says. I3.
import { createDeferred } from '../../../base/deferred.ts'
import { expectSame, expectThat } from '../contract.ts'
import { list, task } from './app.ts'
import type { AuthorityCase } from './ground.ts'
import { type Answer, expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(5, `[I3] ${title}`, run, options)

const DAY = 86_400_000

/** Posts one intent as somebody without the engine. */
export function post(
  stage: Stage,
  actor: string,
  body: { readonly [member: string]: unknown },
  headers: { readonly [name: string]: string } = {},
): Promise<Answer> {
  return stage.send('/sync/intents', body, { authorization: `Bearer ${actor}`, ...headers })
}
const key = (text = 'a-key-of-mine') => ({ 'idempotency-key': `"${text}"` })
const add = (points = 1) => ({ name: 'addPoints', args: { id: 't', points } })

/** A list of anna with a task that has no points yet. */
export async function withPoints(stage: Stage): Promise<() => Promise<number>> {
  await stage.device('anna').call(list('l', 'anna'), task('t', 'l', { points: 0 }))
  return async () => Number((await stage.rows('tasks')).find(({ id }) => id === 't')?.['points'])
}
const recorded = async (stage: Stage) => (await stage.sql('SELECT sequence FROM holdfast_ledger')).length

/** Where the mutator of one case has come to; made anew for each run of it. */
const gates = () => ({ started: createDeferred<void>(), held: createDeferred<void>() })
let running = gates()

/** The cases. */
export const plainCases: readonly AuthorityCase[] = [
  on('a plain call with a key is decided once, and its answer is given again', async (stage) => {
    const points = await withPoints(stage)
    const first = await post(stage, 'anna', add(), key())
    expectMatch(first, { status: 200, body: { status: 'applied' } }, 'the answer')
    expectThat(first.body['repeated'] === undefined, 'the first answer is no repetition')
    const before = await recorded(stage)
    const again = await post(stage, 'anna', add(), key())
    expectMatch(
      again,
      { status: 200, body: { status: 'applied', repeated: true, intentId: first.body['intentId'] } },
      'the answer again',
    )
    expectSame([await points(), await recorded(stage)], [1, before], 'points, and what is recorded')
  }),
  on('a rejection is stored and given again like a success', async (stage) => {
    await withPoints(stage)
    const call = { name: 'act', args: { id: 'x', how: 'reject' } }
    for (const repeated of [undefined, true])
      expectMatch(
        await post(stage, 'anna', call, key()),
        {
          body: {
            status: 'rejected',
            code: 'not_today',
            details: { why: 'rain' },
            ...(repeated === undefined ? {} : { repeated }),
          },
        },
        'the answer',
      )
  }),
  on('the same key with other content is refused with 422, and the first answer stays', async (stage) => {
    const points = await withPoints(stage)
    await post(stage, 'anna', add(), key())
    for (const other of [add(2), { name: 'sweep', args: { listId: 'l', below: 0 } }])
      expectMatch(await post(stage, 'anna', other, key()), { status: 422, body: { code: 'key_reused' } }, 'the answer')
    expectMatch(await post(stage, 'anna', add(), key()), { status: 200, body: { repeated: true } }, 'the first answer')
    expectSame(await points(), 1, 'points')
  }),
  on('a key belongs to its actor: another’s answer is never given away', async (stage) => {
    const points = await withPoints(stage)
    await post(stage, 'anna', add(), key())
    const answer = await post(stage, 'ben', add(), key())
    expectMatch(answer, { status: 200, body: { status: 'rejected', code: 'no_task' } }, 'what ben is told')
    expectThat(answer.body['repeated'] === undefined, 'it is no repetition')
    expectSame(await points(), 1, 'points')
  }),
  on(
    'while the first is running the same call is told to wait, and another content is refused',
    async (stage) => {
      running = gates()
      const first = post(stage, 'anna', { name: 'act', args: { n: 1 } }, key())
      await running.started.promise
      const waiting = await post(stage, 'anna', { name: 'act', args: { n: 1 } }, key())
      expectMatch(waiting, { status: 409, body: { code: 'in_progress', retryable: true } }, 'the second answer')
      expectThat(Number(waiting.headers['retry-after']) > 0, 'it says when')
      expectMatch(await post(stage, 'anna', { name: 'act', args: { n: 2 } }, key()), { status: 422 }, 'other content')
      running.held.resolve()
      expectMatch(await first, { status: 200, body: { status: 'applied' } }, 'the first answer')
      expectMatch(
        await post(stage, 'anna', { name: 'act', args: { n: 1 } }, key()),
        { status: 200, body: { repeated: true } },
        'the answer after',
      )
    },
    {
      mutators: {
        act: async () => {
          running.started.resolve()
          await running.held.promise
        },
      },
    },
  ),
  on('a key is missing where one is required: 400, and nothing is run', async (stage) => {
    const points = await withPoints(stage)
    expectMatch(await post(stage, 'anna', add()), { status: 400, body: { code: 'key_missing' } }, 'the answer')
    expectSame(await points(), 0, 'points')
  }),
  ...[`plain`, `""`, `"a b"`, `"ä"`, `"${'k'.repeat(256)}"`, `"unfinished`, `("list")`].map((header) =>
    on(
      `a key that is no key (${header.length > 20 ? 'too long' : header}) is refused before anything is looked up`,
      async (stage) => {
        const points = await withPoints(stage)
        expectMatch(
          await post(stage, 'anna', add(), { 'idempotency-key': header }),
          { status: 400, body: { code: 'malformed' } },
          'the answer',
        )
        expectSame(await points(), 0, 'points')
      },
    ),
  ),
  on('a key may stand in the body as client_log_id, and means the same as in the header', async (stage) => {
    const points = await withPoints(stage)
    await post(stage, 'anna', { ...add(), client_log_id: 'a-key-of-mine' })
    expectMatch(await post(stage, 'anna', add(), key()), { body: { repeated: true } }, 'the answer')
    const both = await post(stage, 'anna', { ...add(), client_log_id: 'another' }, key())
    expectMatch(both, { status: 400, body: { code: 'malformed' } }, 'the answer to two keys')
    expectSame(await points(), 1, 'points')
  }),
  on('arguments that do not fit, and a mutator that is not there, are answered and not recorded', async (stage) => {
    await withPoints(stage)
    const before = await recorded(stage)
    expectMatch(
      await post(stage, 'anna', { name: 'rename', version: 3, args: { id: 'l', title: 7 } }, key()),
      { status: 422, body: { code: 'arguments_invalid' } },
      'the answer',
    )
    expectMatch(
      await post(stage, 'anna', { name: 'dance', args: {} }, key()),
      { status: 422, body: { code: 'version_unknown' } },
      'the answer',
    )
    expectSame(await recorded(stage), before, 'what is recorded')
    expectMatch(
      await post(stage, 'anna', { name: 'rename', version: 3, args: { id: 'l', title: 'mended' } }, key()),
      { status: 200 },
      'the same key, mended',
    )
  }),
  on('a fault is not recorded: the same key runs when it is gone', async (stage) => {
    await withPoints(stage)
    const call = { name: 'buy', args: { listId: 'l', label: 'throw' } }
    const answer = await post(stage, 'anna', call, key())
    expectMatch(answer, { status: 500, body: { code: 'fault', retryable: true } }, 'the answer')
    expectThat(!JSON.stringify(answer.body).includes('secret'), 'nothing of the inside is told')
    await stage.authority.close()
    const mended = await stage.another({ mutators: { buy: async () => undefined } })
    expectMatch(
      await post(mended, 'anna', call, key()),
      { status: 200, body: { status: 'applied' } },
      'the answer of the next',
    )
  }),
  on('answers outlive the process that gave them', async (stage) => {
    const points = await withPoints(stage)
    await post(stage, 'anna', add(), key())
    await stage.authority.close()
    const next = await stage.another()
    expectMatch(await post(next, 'anna', add(), key()), { status: 200, body: { repeated: true } }, 'the answer')
    expectSame(await points(), 1, 'points')
  }),
  on('sixteen calls with one key at once over two processes: one runs', async (stage) => {
    const points = await withPoints(stage)
    const other = await stage.another()
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) => post(n % 2 === 0 ? stage : other, 'anna', add(), key())),
    )
    for (const { status } of answers) expectThat(status === 200 || status === 409, `it is answered ${status}`)
    const fresh = answers.filter(({ status, body }) => status === 200 && body['repeated'] === undefined)
    expectSame([fresh.length, await points()], [1, 1], 'how many ran, and points')
  }),
  on(
    'every answer says for how long a key is kept, and what is older is not run again',
    async (stage) => {
      const points = await withPoints(stage)
      const first = await post(stage, 'anna', add(), key())
      expectSame(Number(first.headers['idempotency-window']), 400 * 86_400, 'the window in seconds')
      expectThat(Number(first.body['keptUntil']) > 0, 'it says until when')
      stage.clock.move(401 * DAY)
      const expired = { status: 410, body: { code: 'expired' } }
      expectMatch(await post(stage, 'anna', add(), key()), expired, 'the answer after it')
      await stage.authority.prune()
      const made = { ...add(), madeAt: stage.clock.now() - 401 * DAY }
      expectMatch(await post(stage, 'anna', made, key()), expired, 'the answer when nothing is remembered')
      expectSame(await points(), 1, 'points')
    },
    { tuning: { pruneMs: Number.POSITIVE_INFINITY } },
  ),
  on('a plain call is decided under the rights of its actor, and reaches devices', async (stage) => {
    const anna = stage.device('anna')
    await withPoints(stage)
    await anna.pull()
    expectMatch(
      await post(stage, 'ben', { name: 'updateLists', args: { id: 'l', title: 'mine' } }, key()),
      { body: { status: 'rejected', code: 'row_gone' } },
      'what ben is told',
    )
    await post(stage, 'anna', { name: 'updateLists', args: { id: 'l', title: 'hers' } }, key())
    await anna.pull()
    expectMatch(anna.rows('lists'), [{ title: 'hers' }], 'the list')
  }),
  on('a plain call without credentials, of another type, or by another method is refused', async (stage) => {
    const points = await withPoints(stage)
    expectMatch(await stage.send('/sync/intents', add(), key()), { status: 401 }, 'without credentials')
    expectMatch(
      await post(stage, 'anna', add(), { ...key(), 'content-type': 'text/plain' }),
      { status: 415 },
      'of another type',
    )
    expectMatch(
      await stage.send('/sync/intents', '', { authorization: 'Bearer anna' }, 'GET'),
      { status: 405 },
      'by another method',
    )
    expectSame(await points(), 0, 'points')
  }),
]
