// Item 11, defence against callers: pages of other sites that ride on cookies, one actor that floods the rest, bodies that are packed, and
// credentials that end while a stream is open. I9, I13.
import { expectSame, expectThat } from '../contract.ts'
import { list } from './app.ts'
import { told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectProblem } from './hostile.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(11, title, run, options)

/** Who is signed in by a cookie. */
const byCookie: StageOptions = {
  authenticate: (request) =>
    request.header('authorization')?.replace('Bearer ', '') ?? request.header('cookie')?.replace('session=', ''),
}
const ask = (stage: Stage, headers: { readonly [name: string]: string }, method = 'POST') =>
  stage.send(
    '/sync/pull',
    {
      protocol: 1,
      app: stage.app.fingerprint,
      actor: 'anna',
      client: '0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a01',
      last: 0,
      stored: 0,
      cursors: [],
    },
    { cookie: 'session=anna', host: 'api.example', ...headers },
    method,
  )

/** The cases. */
export const callersCases: readonly AuthorityCase[] = [
  ...(
    [
      ['of another site', { 'sec-fetch-site': 'cross-site' }],
      ['of another host of the site', { 'sec-fetch-site': 'same-site' }],
      ['of another origin', { origin: 'https://evil.example' }],
      ['of an origin that hides', { origin: 'null' }],
    ] as const
  ).map(([what, headers]) =>
    on(
      `[I9] a request ${what} that only a cookie speaks for is refused`,
      async (stage) => {
        const answer = await ask(stage, headers)
        expectProblem(answer, { status: 403, code: 'cross_site' })
        expectSame(answer.headers['access-control-allow-origin'], undefined, 'what is allowed')
      },
      byCookie,
    ),
  ),
  ...(
    [
      ['of the same origin', { 'sec-fetch-site': 'same-origin' }],
      ['that a person typed', { 'sec-fetch-site': 'none' }],
      ['without any word of its origin', {}],
    ] as const
  ).map(([what, headers]) =>
    on(
      `a request with a cookie ${what} is served`,
      async (stage) => {
        expectMatch(await ask(stage, headers), { status: 200 }, 'the answer')
      },
      byCookie,
    ),
  ),
  on(
    'a request that bears a token is served, wherever its page is from',
    async (stage) => {
      const headers = { authorization: 'Bearer anna', 'sec-fetch-site': 'cross-site', origin: 'https://app.example' }
      expectMatch(await ask(stage, headers), { status: 200 }, 'the answer')
    },
    byCookie,
  ),
  on(
    'a page of an origin that the app lists is served, and told so',
    async (stage) => {
      const answer = await ask(stage, { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' })
      expectMatch(
        answer,
        { status: 200, headers: { 'access-control-allow-origin': 'https://app.example' } },
        'the answer',
      )
      expectProblem(await ask(stage, { origin: 'https://app.example.evil' }), { status: 403, code: 'cross_site' })
    },
    { ...byCookie, browserOrigins: ['https://app.example'] },
  ),
  on(
    '[I13] one actor that asks too often is told when to come again, others are served meanwhile, and so is it later',
    async (stage) => {
      const [anna, ben] = [stage.device('anna'), stage.device('ben')]
      for (let n = 0; n < 3; n++) expectMatch(await anna.page(), { status: 200 }, `request ${n}`)
      const refused = await anna.call(list('l', 'anna'))
      expectProblem(refused, { status: 429, code: 'rate_limited' })
      expectThat(Number(refused.headers['retry-after']) > 0, 'it says when')
      expectThat(Number(refused.body['retryAfterMs']) > 0, 'it says when in the body')
      expectMatch(await ben.page(), { status: 200 }, 'what ben is told')
      stage.clock.move(5_000)
      anna.last = 0
      expectSame(told(await anna.call(list('l', 'anna'))), ['applied'], 'what anna is told later')
    },
    { tuning: { rate: { perSecond: 0.5, burst: 3 } }, isWhole: false },
  ),
  ...['gzip', 'br', 'deflate'].map((coding) =>
    on(`[I13] a body that is packed with ${coding} is refused before it is read`, async (stage) => {
      expectProblem(await ask(stage, { authorization: 'Bearer anna', 'content-encoding': coding }), {
        status: 415,
        code: 'media_type',
      })
    }),
  ),
  on('[I13] arguments with more members than the limit decide their own intent and no other', async (stage) => {
    const anna = stage.device('anna')
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`k${n}`, 0]))
    const answer = await anna.call(list('a', 'anna'), list('b', 'anna', { extra: many }), list('c', 'anna'))
    expectSame(told(answer), ['applied', 'arguments_invalid', 'applied'], 'the outcomes')
  }),
  on(
    '[I9] a stream ends with the credentials that opened it',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.pull()
      until = stage.clock.now() + 60_000
      const stream = await anna.live()
      await stream.until(() => stream.seals.length === 1, 'the first seal')
      stage.clock.move(61_000)
      await stream.until(() => stream.events.includes('closed'), 'the end')
      until = Number.MAX_SAFE_INTEGER
    },
    {
      authenticate: (request) => ({ actor: request.header('authorization')?.replace('Bearer ', '') ?? '', until }),
    },
  ),
]

/** When the credentials of one case end. */
let until = Number.MAX_SAFE_INTEGER
