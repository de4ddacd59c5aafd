// Item 11, limits and defence: who is asking comes before what is asked, every size has a limit that is told, and whoever is told to
// wait is told how long. What was decided before a refusal stays decided. I9, I12, I13.
import { LIMITS } from '../../../protocol/limits.ts'
import { expectSame, expectThat } from '../contract.ts'
import { having, list, task } from './app.ts'
import { type Call, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectProblem } from './hostile.ts'
import { type Answer, expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(11, title, run, options)
const token = { authorization: 'Bearer anna' }

const validPush = (stage: Stage, entries: readonly unknown[] = [], last = entries.length) => ({
  protocol: 1,
  app: stage.app.fingerprint,
  actor: 'anna',
  client: '0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a01',
  last,
  stored: 0,
  intents: entries,
})
const each = (answer: Promise<Answer>, status: number, code: string) =>
  answer.then((got) => expectProblem(got, { status, code }))

/** Whether the credentials of one case have ended. */
let isSignedOut = false

/** The cases. */
export const defenceCases: readonly AuthorityCase[] = [
  on('[I9] nobody known is answered 401 on every address, before the body is read', async (stage) => {
    for (const path of ['/sync/push', '/sync/pull', '/sync/live']) {
      let wasRead = false
      const answer = await stage.authority.handle({
        method: 'POST',
        path,
        header: (name) => (name === 'content-type' ? 'application/json' : undefined),
        text: async () => {
          wasRead = true
          return '{}'
        },
      })
      expectMatch(answer, { status: 401 }, `the answer of ${path}`)
      expectThat(!wasRead, `the body for ${path} was not read`)
    }
    await each(stage.send('/sync/push', validPush(stage)), 401, 'unauthenticated')
  }),
  on(
    '[I9] a body that names another actor than its credentials is refused, and nothing of either is told',
    async (stage) => {
      await stage.device('anna').call(list('l', 'anna'))
      const ben = stage.device('ben')
      ben.says = { actor: 'anna' }
      for (const answer of [await ben.call(list('m', 'anna')), await ben.page()]) {
        expectProblem(answer, { status: 403, code: 'actor_mismatch' })
        expectThat(!/anna|ben/.test(JSON.stringify(answer.body)), 'nobody is named')
      }
      expectMatch((await ben.live()).answer, { status: 403 }, 'the answer to a stream')
      expectMatch(await stage.rows('lists'), [{ id: 'l' }], 'the lists')
    },
  ),
  ...(
    [
      ['throws', () => Promise.reject(new Error('/secret/path SELECT password'))],
      ['gives an actor that is none', () => 'x'.repeat(200)],
    ] as const
  ).map(([what, authenticate]) =>
    on(
      `an authentication that ${what} is a failure of the authority, and its reason stays inside`,
      async (stage) => {
        const answer = await stage.send('/sync/push', validPush(stage), token)
        expectProblem(answer, { status: 500, code: 'internal' })
        expectThat(!/secret|password|xxx/.test(JSON.stringify(answer.body)), 'nothing of the reason is told')
        expectThat(
          stage.logged.some(({ requestId }) => requestId === answer.body['requestId']),
          'the log has it under the request id',
        )
      },
      { authenticate, isWhole: false },
    ),
  ),
  on(
    '[I3] credentials that end between two halves of a batch keep what was decided; signed in again, the rest follows',
    async (stage) => {
      const anna = stage.device('anna')
      const entries = anna.make(list('a', 'anna'), list('b', 'anna'), list('c', 'anna'))
      await anna.push(...entries.slice(0, 2))
      isSignedOut = true
      const answer = await anna.call(having(list('out', 'anna'), { sequence: 3 }))
      isSignedOut = false
      expectProblem(answer, { status: 401, code: 'unauthenticated' })
      expectSame(
        (await stage.rows('lists')).map(({ id }) => id),
        ['a', 'b'],
        'what is there while signed out',
      )
      anna.last = 3
      expectSame(told(await anna.push(...entries)), ['applied repeated', 'applied repeated', 'applied'], 'the outcomes')
    },
    {
      authenticate: (request) => (isSignedOut ? undefined : request.header('authorization')?.replace('Bearer ', '')),
    },
  ),
  ...(
    [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonx',
      'text/json',
      '',
    ] as const
  ).map((type) =>
    on(`a body of the type «${type}» is refused`, async (stage) => {
      await each(stage.send('/sync/push', validPush(stage), { ...token, 'content-type': type }), 415, 'media_type')
    }),
  ),
  ...(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'] as const).map((type) =>
    on(`a body of the type «${type}» is taken`, async (stage) => {
      expectMatch(
        await stage.send('/sync/push', validPush(stage), { ...token, 'content-type': type }),
        { status: 200 },
        'the answer',
      )
    }),
  ),
  on('addresses that are none are answered 404, with the same problem for all', async (stage) => {
    for (const path of [
      '/',
      '/sync',
      '/sync/',
      '/sync/push/',
      '/sync/../sync/push',
      '/SYNC/push',
      '/sync/push%00',
      '/sync/pushes',
      '//sync/push',
      '/admin',
    ])
      await each(stage.send(path, validPush(stage), token), 404, 'not_found')
  }),
  ...(['GET', 'PUT', 'DELETE', 'PATCH', 'TRACE'] as const).map((method) =>
    on(`${method} is answered 405 with what is allowed`, async (stage) => {
      const answer = await stage.send('/sync/push', validPush(stage), token, method)
      expectProblem(answer, { status: 405, code: 'method_not_allowed' })
      expectSame(answer.headers['allow'], 'POST', 'what is allowed')
    }),
  ),
  on('a request id of a device comes back, one that could be more than an id does not', async (stage) => {
    const ask = async (id: string) =>
      (await stage.send('/sync/push', validPush(stage), { ...token, 'x-request-id': id })).headers['x-request-id']
    expectSame(await ask('req-1.a_B'), 'req-1.a_B', 'the id')
    for (const bad of ['a b', 'a\r\nset-cookie: x=1', '<script>', 'x'.repeat(65), '', '\u001b[31m', 'é'])
      expectThat((await ask(bad)) !== bad, `«${bad}» does not come back`)
  }),
  on('a trace context comes back as it was sent, one that is none does not', async (stage) => {
    const ask = async (traceparent: string) =>
      (await stage.send('/sync/push', validPush(stage), { ...token, traceparent })).headers['traceparent']
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expectSame(await ask(trace), trace, 'the trace')
    for (const bad of ['x', `${trace}\r\nx: y`, trace.toUpperCase()]) expectSame(await ask(bad), undefined, `«${bad}»`)
  }),
  on('answers are not cached, not sniffed, and bear a request id', async (stage) => {
    for (const answer of [
      await stage.send('/sync/push', validPush(stage), token),
      await stage.send('/nothing', '', token),
    ]) {
      expectMatch(answer.headers, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }, 'the headers')
      expectThat(String(answer.headers['x-request-id']).length > 0, 'there is a request id')
    }
  }),
  on('[I13] a thousand intents fit a batch, one more does not', async (stage) => {
    const anna = stage.device('anna')
    const make = (count: number) =>
      anna.make(...Array.from({ length: count }, (_, n): Call => list(`l${anna.last}-${n}`, 'anna')))
    const first = make(LIMITS.batchIntents)
    expectMatch(await anna.push(...first), { status: 200, decided: 1_000 }, 'a thousand')
    expectProblem(await anna.push(...make(LIMITS.batchIntents + 1)), { status: 400, code: 'malformed' })
    expectSame((await stage.rows('lists')).length, 1_000, 'the lists')
  }),
  on('[I13] arguments at their limit are taken, above it refused', async (stage) => {
    const anna = stage.device('anna')
    const sized = (id: string, bytes: number): Call => {
      const empty = JSON.stringify({ id, ownerId: 'anna', title: '', done: false })
      return list(id, 'anna', { title: 'ö'.repeat(Math.floor((bytes - empty.length) / 2)) })
    }
    expectSame(told(await anna.call(sized('a', LIMITS.argsBytes))), ['applied'], 'at the limit')
    expectProblem(await anna.call(sized('b', LIMITS.argsBytes + 4)), { status: 400, code: 'malformed' })
    expectMatch(await stage.rows('lists'), [{ id: 'a' }], 'the lists')
  }),
  on(
    '[I13] a row larger than its limit is refused, and the sequence goes on',
    async (stage) => {
      const anna = stage.device('anna')
      const answer = await anna.call(list('a', 'anna'), ['act', { times: 9 }], ['act', { times: 3 }])
      expectSame(told(answer), ['applied', 'row_invalid', 'applied'], 'the outcomes')
    },
    {
      mutators: {
        act: async (tx, { times }) => {
          await tx.lists.update('a', { title: 'x'.repeat(125_000).repeat(Number(times)) })
        },
      },
    },
  ),
  on(
    '[I13] an intent that writes more rows than the limit is refused whole',
    async (stage) => {
      const answer = await stage.device('anna').call(['act', {}], list('a', 'anna'))
      expectSame(told(answer), ['too_large', 'applied'], 'the outcomes')
      expectMatch(await stage.rows('lists'), [{ id: 'a' }], 'the lists')
    },
    {
      // Each insert looks whether its id is taken.
      tuning: { mutatorTimeoutMs: 60_000 },
      mutators: {
        act: async (tx) => {
          for (let n = 0; n <= LIMITS.runWrites; n++)
            await tx.lists.insert({ id: `l${n}`, ownerId: tx.actor, title: '', done: false })
        },
      },
    },
  ),
  on('[I13] more cursors than an actor may have scopes are refused', async (stage) => {
    const anna = stage.device('anna')
    anna.says = {
      cursors: Array.from({ length: LIMITS.scopes + 1 }, (_, n) => ({ scope: `user:${n}`, version: 0, mark: '' })),
    }
    expectProblem(await anna.page(), { status: 400, code: 'malformed' })
  }),
  on(
    '[I13] who comes when too many wait is told when to come again, and who waits is served',
    async (stage) => {
      const devices = Array.from({ length: 6 }, (_, n) => stage.device(`a${n}`))
      const answers = await Promise.all(devices.map((device) => device.call(list(device.actor, device.actor))))
      const turnedAway = answers.filter(({ status }) => status === 503)
      expectSame(turnedAway.length, 4, 'how many are turned away')
      for (const answer of turnedAway) {
        expectProblem(answer, { status: 503, code: 'unavailable' })
        expectThat(Number(answer.headers['retry-after']) > 0, 'it says when')
      }
      expectSame((await stage.rows('lists')).length, 2, 'the lists')
    },
    { tuning: { waitingBatches: 2 } },
  ),
  ...(
    [
      ['an id that is too long', list('x'.repeat(129), 'anna')],
      ['an empty id', list('', 'anna')],
      ['a column that is not declared', list('x', 'anna', { isAdmin: true })],
      ['a column of another type', list('x', 'anna', { done: 'yes' })],
      ['a number for a text', list('x', 'anna', { title: 7 })],
      ['a whole number with a fraction', task('x', 'l', { points: 1.5 })],
      ['a whole number beyond what is exact', task('x', 'l', { points: 2 ** 53 })],
      ['null where it may not be', list('x', 'anna', { title: null })],
      ['a missing column', ['insertLists', { id: 'x', ownerId: 'anna' }]],
      ['a change of the id', ['updateLists', { id: 'l', ownerId: 'anna', sync: 'synced' }]],
    ] as readonly (readonly [string, Call])[]
  ).map(([what, call]) =>
    on(`a row with ${what} is refused, and the sequence goes on`, async (stage) => {
      const anna = stage.device('anna')
      expectSame(
        told(await anna.call(list('l', 'anna'), call, list('m', 'anna'))),
        ['applied', 'arguments_invalid', 'applied'],
        'the outcomes',
      )
      expectMatch(await stage.rows('lists'), [{ id: 'l' }, { id: 'm' }], 'the lists')
    }),
  ),
  on(
    'details of a rejection that no decoder would take do not leave the authority',
    async (stage) => {
      const answer = await stage.device('anna').call(['act', { how: 'deep' }])
      expectMatch(answer, { status: 200, stop: { code: 'fault' } }, 'the answer')
      expectThat(!JSON.stringify(answer.body).includes('nested'), 'the details are not told')
    },
    {
      mutators: {
        act: async (tx) => {
          tx.reject('too_deep', { nested: JSON.parse('['.repeat(40) + ']'.repeat(40)) })
        },
      },
    },
  ),
]
