// Item 11, defence: requests that no device of ours sends. Each is answered with a problem that says nothing of the inside, changes
// nothing, and leaves the process as it was. I12.
import { expectSame, expectThat } from '../contract.ts'
import { list } from './app.ts'
import { told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { type Answer, expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(11, title, run, options)
const token = { authorization: 'Bearer anna' }

/** What every problem must have, and must not say. */
export function expectProblem(
  { status, headers, body }: Answer,
  expected: { readonly status: number; readonly code: string },
): void {
  expectMatch({ status, ...body }, { ...expected, type: `urn:holdfast:problem:${expected.code}` }, 'the problem')
  expectSame(headers['content-type'], 'application/problem+json', 'the content type')
  expectSame(headers['x-request-id'], body['requestId'], 'the request id')
  for (const member of ['title', 'detail', 'phase']) expectThat(typeof body[member] === 'string', `it has a ${member}`)
  expectThat(typeof body['retryable'] === 'boolean', 'it says whether to try again')
  const text = JSON.stringify(body)
  expectThat(
    !/SELECT|INSERT|\.ts\b|node:|at \w+ \(|holdfast_|stack/.test(text),
    `nothing of the inside is told: ${text}`,
  )
}

/** Nothing was recorded or written, and the next device is served. */
async function expectUnharmed(stage: Stage): Promise<void> {
  expectSame(await stage.sql('SELECT client FROM holdfast_client'), [], 'the clients')
  expectSame(await stage.rows('lists'), [], 'the lists')
  expectSame(({} as { readonly polluted?: unknown }).polluted, undefined, 'what every object has')
  expectSame(told(await stage.device('zoe').call(list('z', 'zoe'))), ['applied'], 'what the next device is told')
}

type Forge = (valid: { [member: string]: unknown; intents: { [member: string]: unknown }[] }) => unknown

/** A push that was valid before it was changed, as JSON; a text is sent as it is. */
const refuses = (what: string, forge: Forge, expected = { status: 400, code: 'malformed' }) =>
  on(`[I12] a push with ${what} is refused with ${expected.code}, and changes nothing`, async (stage) => {
    const anna = stage.device('anna')
    const intents = anna.make(list('a', 'anna'), list('b', 'anna')).map((entry) => ({ ...entry }))
    const valid = {
      protocol: 1,
      app: stage.app.fingerprint,
      actor: 'anna',
      client: anna.client,
      last: 2,
      stored: 0,
      intents,
    }
    expectProblem(await stage.send('/sync/push', forge(valid) ?? valid, token), expected)
    await expectUnharmed(stage)
  })

/** Puts a value into the arguments of the second intent, where nothing looks at types. */
const args = (what: string, text: string) =>
  refuses(`${what} in arguments`, (valid) => {
    ;(valid.intents[1] as { [member: string]: unknown })['args'] = '«»'
    return JSON.stringify(valid).replace('"«»"', text)
  })
const member = (name: string, value: unknown) =>
  refuses(`${name} ${shown(value)}`, (valid) => {
    valid[name] = value
  })
const entry = (name: string, value: unknown) =>
  refuses(`${name} ${shown(value)} in an entry`, (valid) => {
    ;(valid.intents[0] as { [member: string]: unknown })[name] = value
  })
const shown = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text === undefined ? 'left out' : text.length > 40 ? `of ${text.length} characters` : text
}
const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

/** The cases. */
export const hostileCases: readonly AuthorityCase[] = [
  refuses('no body', () => ''),
  refuses('what is no JSON', () => '{"protocol":1,'),
  refuses('an array for a body', () => '[]'),
  refuses('null for a body', () => 'null'),
  refuses('a text for a body', () => '"push"'),
  refuses('a body that nests a million deep', () => deep(1_000_000)),
  refuses('a byte order mark', (valid) => `\ufeff${JSON.stringify(valid)}`),
  args('__proto__', '{"__proto__":{"polluted":true}}'),
  args('__proto__ six deep', '{"a":[{"b":{"c":[{"d":{"__proto__":{"polluted":true}}}]}}]}'),
  args('constructor', '{"constructor":{"prototype":{"polluted":true}}}'),
  args('prototype', '{"x":{"prototype":{"polluted":true}}}'),
  args('NUL', '{"title":"a\\u0000b"}'),
  args('NUL in a key', '{"a\\u0000b":1}'),
  args('half of a surrogate pair', '{"title":"\\ud83d"}'),
  args('the other half of one', '{"title":["x\\udc00"]}'),
  args('half of a surrogate pair in a key', '{"\\ud83d":1}'),
  args('a number that is not finite', '{"points":1e309}'),
  args('a negative one', '{"points":-1e999}'),
  args('nesting over the limit', deep(40)),
  args('nesting a hundred thousand deep', deep(100_000)),
  member('app', 'no-uuid'),
  member('app', undefined),
  member('actor', ''),
  member('actor', 'a'.repeat(129)),
  member('actor', 7),
  member('actor', 'anna\u0000'),
  member('client', 'ANNA'),
  member('client', '0B6F9B3E-3A0B-4C55-9A43-6F1F6B1F7A01'),
  member('client', "' OR 1=1 --"),
  member('last', 1),
  member('last', -1),
  member('last', 2 ** 53),
  member('last', '2'),
  member('stored', 3),
  member('stored', 0.5),
  member('intents', {}),
  member('intents', undefined),
  member('intents', [null]),
  member('after', 'none'),
  entry('sequence', 0),
  entry('sequence', -1),
  entry('sequence', 2 ** 53),
  entry('sequence', '1'),
  entry('id', 'x'),
  entry('id', undefined),
  entry('name', ''),
  entry('name', 'drop table lists'),
  entry('name', '__proto__'),
  entry('name', 'a'.repeat(64)),
  entry('version', 0),
  entry('version', 1.5),
  entry('version', 1e9),
  entry('madeAt', 'now'),
  entry('madeAt', 1e300),
  entry('root', 'x'),
  entry('needs', ['x']),
  entry('needs', Array(65).fill('0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a01')),
  entry('births', [['x', 1]]),
  entry('births', [['0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a01', 0]]),
  entry('births', Array(17).fill(['0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a01', 1])),
  entry('withdraw', 'please'),
  ...(
    [
      ['no scope', { scope: 'anna', version: 1, mark: '' }],
      ['a scope with NUL', { scope: 'user:\u0000', version: 1, mark: '' }],
      ['a negative version', { scope: 'user:anna', version: -1, mark: '' }],
      ['a version beyond numbers', { scope: 'user:anna', version: 2 ** 60, mark: '' }],
      ['a mark that is none', { scope: 'user:anna', version: 1, mark: "'; DROP TABLE lists; --" }],
      ['a mark that is too long', { scope: 'user:anna', version: 1, mark: 'f'.repeat(33) }],
      ['a place within no table', { scope: 'user:anna', version: 1, mark: '', within: { table: 'no table', id: 'x' } }],
      ['a place within no row', { scope: 'user:anna', version: 1, mark: '', within: { table: 'lists', id: '' } }],
    ] as const
  ).map(([what, cursor]) =>
    on(`[I12] a cursor with ${what} is refused by pull and live`, async (stage) => {
      const anna = stage.device('anna')
      anna.says = { cursors: [cursor] }
      const malformed = { status: 400, code: 'malformed' }
      expectProblem(await anna.page(), malformed)
      expectMatch((await anna.live()).answer, { status: 400 }, 'the answer to a stream')
    }),
  ),
  on('[I12] what looks like SQL is text, in ids, values and scopes', async (stage) => {
    const text = `'; DROP TABLE lists; -- " \` % _ \\ $1 ? {} ; SELECT`
    const actor = `anna' OR '1'='1`
    const device = stage.device(actor)
    expectSame(
      told(await device.call(list(text, actor, { title: text, note: text, extra: { [text]: text } }))),
      ['applied'],
      'the outcome',
    )
    await device.pull()
    expectMatch(
      device.rows('lists'),
      [{ id: text, ownerId: actor, title: text, note: text, extra: { [text]: text } }],
      'the rows',
    )
    await stage.device('anna').pull()
  }),
  on('[I12] texts of every kind come back as they went', async (stage) => {
    const texts = [
      '',
      ' ',
      '\t\r\n',
      '\u0001\u007f',
      '\u2028\u2029',
      '🏋️ 深蹲',
      'e\u0301 é',
      '\ufeff',
      'ı İ ß',
      '\uffff',
      '\\u0000',
      '‮abc',
    ]
    const anna = stage.device('anna')
    await anna.call(
      ...texts.map((title, n) => list(`l${String(n).padStart(2, '0')}`, 'anna', { title, extra: [title] })),
    )
    await anna.pull()
    expectSame(
      anna.rows('lists').map(({ title }) => title),
      texts,
      'the texts',
    )
    expectSame(
      anna.rows('lists').map(({ extra }) => extra),
      texts.map((text) => [text]),
      'the JSON',
    )
  }),
  on(
    '[I12] numbers come back as they went',
    async (stage) => {
      const anna = stage.device('anna')
      const reals = [0.1 + 0.2, 1e-300, 1.7976931348623157e308, -5e-324, 1e21, 123456789.125, 2 ** 53 + 2]
      const wholes = [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
      await anna.call(list('l', 'anna', { extra: reals, at: -8.64e15 }))
      await anna.call(
        ...reals.map(
          (hours, n) =>
            ['insertTasks', { id: `r${n}`, listId: 'l', label: '', points: wholes[n % 4] ?? 0, hours }] as const,
        ),
      )
      await anna.pull()
      expectSame(
        anna.rows('tasks').map(({ hours }) => hours),
        reals,
        'the reals',
      )
      expectSame(
        anna.rows('tasks').map(({ points }) => points),
        reals.map((_, n) => wholes[n % 4]),
        'the whole numbers',
      )
      expectMatch(anna.rows('lists'), [{ extra: reals, at: -8.64e15 }], 'JSON and time')
    },
    { isWhole: false },
  ),
]
