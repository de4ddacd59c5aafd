// Item 6, fallback dedupe: a mutator may say that a call without a key means the same as an equal one a moment ago. Off unless declared:
// the same coffee may be bought twice. What counts as equal is actor, mutator, arguments and the declared parent, by the authority's clock.
import { expectSame, expectThat } from '../contract.ts'
import { list } from './app.ts'
import type { AuthorityCase } from './ground.ts'
import { post, withPoints } from './plain.ts'
import { type Answer, expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(6, title, run, options)

const buy = (label = 'coffee', listId = 'l') => ({ name: 'buy', args: { listId, label } })
const bought = async (stage: Stage) => (await stage.rows('tasks')).length - 1
const isSame = ({ body }: Answer) => body['deduplicated'] === true
async function open(stage: Stage): Promise<void> {
  await withPoints(stage)
  await stage.device('anna').call(list('m', 'anna'))
}

/** The cases. */
export const dedupeCases: readonly AuthorityCase[] = [
  on(
    'an equal call within the window is answered with the first one’s outcome, says so, and nothing is recorded',
    async (stage) => {
      await open(stage)
      const first = await post(stage, 'anna', buy())
      expectMatch(first, { status: 200, body: { status: 'applied' } }, 'the first answer')
      const recorded = async () => (await stage.sql('SELECT sequence FROM holdfast_ledger')).length
      const before = await recorded()
      const second = await post(stage, 'anna', buy())
      expectMatch(
        second,
        { status: 200, body: { status: 'applied', deduplicated: true, intentId: first.body['intentId'] } },
        'the second answer',
      )
      expectSame([await bought(stage), await recorded()], [1, before], 'what was bought and recorded')
    },
  ),
  on('a rejection is given again too', async (stage) => {
    await open(stage)
    await post(stage, 'anna', buy('reject'))
    expectMatch(
      await post(stage, 'anna', buy('reject')),
      { body: { status: 'rejected', code: 'sold_out', deduplicated: true } },
      'the answer',
    )
  }),
  on('the order of keys makes no other call', async (stage) => {
    await open(stage)
    await post(stage, 'anna', buy())
    expectThat(
      isSame(await post(stage, 'anna', { name: 'buy', args: { label: 'coffee', listId: 'l' } })),
      'it is the same',
    )
  }),
  on('after the window the same call is another one, and repeats do not stretch it', async (stage) => {
    await open(stage)
    await post(stage, 'anna', buy())
    stage.clock.move(40_000)
    expectThat(isSame(await post(stage, 'anna', buy())), 'it is the same within the window')
    stage.clock.move(40_000)
    expectThat(!isSame(await post(stage, 'anna', buy())), 'it is another after it')
    expectSame(await bought(stage), 2, 'what was bought')
  }),
  ...(
    [
      ['other arguments', 'anna', buy('tea')],
      ['another parent', 'anna', buy('coffee', 'm')],
      ['another actor', 'ben', buy()],
    ] as const
  ).map(([what, actor, call]) =>
    on(`a call with ${what} is another one`, async (stage) => {
      await open(stage)
      await post(stage, 'anna', buy())
      const answer = await post(stage, actor, call)
      expectThat(!isSame(answer), 'it is another')
      expectSame(await bought(stage), actor === 'anna' ? 2 : 1, 'what was bought')
    }),
  ),
  on('calls with keys of their own are never compared', async (stage) => {
    await open(stage)
    for (const [n, key] of ['one-key', 'another-key'].entries()) {
      const answer = await post(stage, 'anna', buy(), { 'idempotency-key': `"${key}"` })
      expectThat(!isSame(answer), `call ${n} is its own`)
    }
    expectSame(await bought(stage), 2, 'what was bought')
  }),
  on('what devices push is never compared: each intent has an id', async (stage) => {
    await open(stage)
    const args = { listId: 'l', label: 'coffee' }
    await stage.device('anna').call(['buy', args], ['buy', args])
    expectSame(await bought(stage), 2, 'what was bought')
  }),
  on('a fault keeps no window: the next equal call runs', async (stage) => {
    await open(stage)
    expectMatch(await post(stage, 'anna', buy('throw')), { status: 500, body: { code: 'fault' } }, 'the first answer')
    const next = await post(stage, 'anna', buy('throw'))
    expectMatch(next, { status: 500, body: { code: 'fault' } }, 'the second answer')
  }),
  on('a mutator that does not declare it takes no call without a key', async (stage) => {
    await open(stage)
    const answer = await post(stage, 'anna', { name: 'addPoints', args: { id: 't', points: 1 } })
    expectMatch(answer, { status: 400, body: { code: 'key_missing' } }, 'the answer')
  }),
  on('sixteen equal calls at once over two processes: one runs', async (stage) => {
    await open(stage)
    const other = await stage.another()
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) => post(n % 2 === 0 ? stage : other, 'anna', buy())),
    )
    expectSame(
      answers.map(({ status }) => status),
      Array(16).fill(200),
      'the answers',
    )
    expectSame([answers.filter((answer) => !isSame(answer)).length, await bought(stage)], [1, 1], 'how many ran')
  }),
  on('the window outlives the process', async (stage) => {
    await open(stage)
    await post(stage, 'anna', buy())
    await stage.authority.close()
    const next = await stage.another()
    expectThat(isSame(await post(next, 'anna', buy())), 'it is the same')
    expectSame(await bought(next), 1, 'what was bought')
  }),
]
