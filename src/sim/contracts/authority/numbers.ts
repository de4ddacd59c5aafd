// Item 5, idempotency: places. A client's numbers are decided in order and never mean two things; a store that went back or was copied
// is told so and loses nothing; a place that was given up is decided; what builds on a refused intent goes with it. I2, I3, I4, I18.
import { expectSame, expectThat } from '../contract.ts'
import { having, list } from './app.ts'
import { type Call, type Device, type Entry, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectMatch, onStage, type Stage } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>) => onStage(5, title, run)

const refused = (id = 'r'): Call => ['act', { id, how: 'reject' }]
const ids = async (stage: Stage) => (await stage.rows('lists')).map(({ id }) => id)
const isForked = { status: 409, body: { code: 'forked', phase: 'apply', retryable: false } }

/** A number that was used, used again in another way. */
const forks = (what: string, again: (anna: Device, entries: readonly Entry[], stage: Stage) => readonly Entry[]) =>
  on(`[I18] ${what} is answered forked, and nothing is decided`, async (stage) => {
    const anna = stage.device('anna')
    const entries = anna.make(list('a', 'anna'), list('b', 'anna'))
    await anna.push(...entries)
    expectMatch(await anna.push(...again(anna, entries, stage)), isForked, 'the answer')
    expectSame(await ids(stage), ['a', 'b'], 'the lists')
  })

/** The cases. */
export const numbersCases: readonly AuthorityCase[] = [
  on('[I2] a batch that begins above the next number is stopped with the number to send from', async (stage) => {
    const anna = stage.device('anna')
    const entries = anna.make(list('a', 'anna'), list('b', 'anna'), list('c', 'anna'))
    const gap = (sequence: number, expected: number) => ({ outcomes: [], stop: { sequence, code: 'gap', expected } })
    expectMatch(await anna.push(...entries.slice(1)), { status: 200, decided: 0, ...gap(2, 1) }, 'the answer')
    await anna.push(...entries.slice(0, 1))
    expectMatch(await anna.push(...entries.slice(2)), { decided: 1, ...gap(3, 2) }, 'the next answer')
    expectSame(await ids(stage), ['a'], 'the lists')
  }),
  on('[I2] numbers within a batch rise by one, or it is refused whole', async (stage) => {
    const anna = stage.device('anna')
    const [a, b, c] = anna.make(list('a', 'anna'), list('b', 'anna'), list('c', 'anna')) as [Entry, Entry, Entry]
    for (const batch of [
      [a, c],
      [b, a],
      [a, a],
      [a, { ...b, sequence: 3 }, c],
    ])
      expectMatch(await anna.push(...batch), { status: 400, body: { code: 'malformed' } }, 'the answer')
    expectSame(await ids(stage), [], 'the lists')
  }),
  on('an empty push says how far the authority is and leaves no trace', async (stage) => {
    const anna = stage.device('anna')
    expectMatch(await anna.push(), { status: 200, decided: 0, outcomes: [] }, 'the answer')
    expectSame(await stage.sql('SELECT client FROM holdfast_client'), [], 'the clients')
    await anna.call(list('a', 'anna'))
    expectMatch(await anna.push(), { status: 200, decided: 1, outcomes: [] }, 'the answer later')
  }),
  forks('a number that another id holds', (_anna, [a], stage) => [{ ...(a as Entry), id: stage.newId() }]),
  forks('a number that holds the same id with other content', (_anna, [a]) => [
    { ...(a as Entry), args: { id: 'x', ownerId: 'anna', title: 'other', done: false } },
  ]),
  forks('a last number below what is decided', (anna, [a]) => {
    anna.last = 1
    return [a as Entry]
  }),
  forks('a batch of one decided and one other intent', (_anna, [a, b], stage) => [
    a as Entry,
    { ...(b as Entry), id: stage.newId() },
  ]),
  forks('a batch that follows another intent than the one that was decided', (anna, _entries, stage) => {
    anna.says = { after: stage.newId() }
    return anna.make(list('c', 'anna'))
  }),
  on('[I18] a batch that follows the very intent that was decided goes on', async (stage) => {
    const anna = stage.device('anna')
    const [a, b] = anna.make(list('a', 'anna'), list('b', 'anna')) as [Entry, Entry]
    await anna.push(a)
    anna.says = { after: a.id }
    expectMatch(await anna.push(b), { status: 200, decided: 2 }, 'the answer')
  }),
  on('[I9] [I18] the client id of another actor is answered forked, and nothing of it is told', async (stage) => {
    const anna = stage.device('anna')
    const entries = anna.make(list('a', 'anna'))
    await anna.push(...entries)
    const ben = stage.device('ben', anna.client)
    ben.last = 1
    for (const answer of [await ben.push(...entries), await ben.push(), await ben.page()]) {
      expectMatch(answer, isForked, 'the answer')
      expectThat(!JSON.stringify(answer.body).includes('anna'), 'nothing of anna is told')
    }
    const stream = await ben.live()
    expectMatch(stream.answer, { status: 409 }, 'the answer to a stream')
    expectSame(await ids(stage), ['a'], 'the lists')
  }),
  on(
    '[I3] after a rebirth the same ids at new numbers get their outcomes, and the new places keep them',
    async (stage) => {
      const anna = stage.device('anna')
      const entries = anna.make(list('a', 'anna'), refused(), list('c', 'anna'))
      await anna.push(...entries.slice(0, 2))
      const born = stage.device('anna')
      born.last = 3
      const reborn = entries.map((entry) => ({ ...entry, births: [[anna.client, entry.sequence]] }))
      expectSame(
        told(await born.push(...reborn)),
        ['applied repeated', 'not_today repeated', 'applied'],
        'the outcomes',
      )
      expectSame(
        told(await born.push(...reborn)),
        ['applied repeated', 'not_today repeated', 'applied repeated'],
        'the outcomes again',
      )
      const seal = await born.pull()
      expectSame([seal.decided, ...told(seal)], [3, 'applied', 'not_today', 'applied'], 'the seal')
      expectSame(await ids(stage), ['a', 'c'], 'the lists')
    },
  ),
  on('[I4] a copied store: one goes on, the other is forked and loses nothing by a rebirth', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('a', 'anna'))
    const copy = anna.copy()
    const [hers, its] = [anna.make(list('b', 'anna')), copy.make(list('c', 'anna'))]
    expectSame(told(await anna.push(...hers)), ['applied'], 'what the one is told')
    expectMatch(await copy.push(...its), isForked, 'what the other is told')
    const born = stage.device('anna')
    born.last = 1
    const reborn = its.map((entry) => ({ ...entry, sequence: 1, births: [[copy.client, entry.sequence]] }))
    expectSame(told(await born.push(...reborn)), ['applied'], 'what it is told after a rebirth')
    expectSame(await ids(stage), ['a', 'b', 'c'], 'the lists')
  }),
  on('[I2] a withdrawal takes its place, and the intent that arrives after it is not run', async (stage) => {
    const anna = stage.device('anna')
    const [late, next] = anna.make(list('a', 'anna'), list('b', 'anna')) as [Entry, Entry]
    const answer = await anna.push({ sequence: 1, id: late.id, withdraw: 'discarded' }, next)
    expectMatch(
      answer.outcomes,
      [{ status: 'withdrawn', code: 'discarded', details: { as: 'discarded' } }, { status: 'applied' }],
      'the outcomes',
    )
    expectSame(told(await anna.push(late)), ['discarded repeated'], 'what the late one is told')
    expectSame(await ids(stage), ['b'], 'the lists')
  }),
  on(
    '[I3] a withdrawal that comes too late is answered with what was decided, at its number and at others',
    async (stage) => {
      const anna = stage.device('anna')
      const [a] = anna.make(list('a', 'anna')) as [Entry]
      await anna.push(a)
      expectSame(
        told(await anna.push({ sequence: 1, id: a.id, withdraw: 'parked' })),
        ['applied repeated'],
        'at its number',
      )
      anna.last = 2
      expectSame(
        told(await anna.push({ sequence: 2, id: a.id, withdraw: 'parked' })),
        ['applied repeated'],
        'at another',
      )
      expectSame(await ids(stage), ['a'], 'the lists')
    },
  ),
  on('[I3] an intent that was withdrawn is not run under a new birth either', async (stage) => {
    const anna = stage.device('anna')
    const [a] = anna.make(list('a', 'anna')) as [Entry]
    await anna.push({ sequence: 1, id: a.id, withdraw: 'parked' })
    const born = stage.device('anna')
    born.last = 1
    expectSame(told(await born.push({ ...a, births: [[anna.client, 1]] })), ['discarded repeated'], 'the outcome')
    expectSame(await ids(stage), [], 'the lists')
  }),
  on(
    'an intent is withdrawn when one that it needs was not applied, in the same batch and later, and so on',
    async (stage) => {
      const anna = stage.device('anna')
      const [first, second] = [stage.newId(), stage.newId()]
      const answer = await anna.call(
        having(refused(), { id: first }),
        having(list('a', 'anna'), { id: second, needs: [first] }),
        list('b', 'anna'),
      )
      expectSame(told(answer), ['not_today', 'dependency', 'applied'], 'the outcomes')
      expectMatch(answer.outcomes[1], { status: 'withdrawn', details: { intent: first } }, 'what it depended on')
      expectSame(
        told(await anna.call(having(list('c', 'anna'), { needs: [second] }))),
        ['dependency'],
        'the outcome later',
      )
      expectSame(await ids(stage), ['b'], 'the lists')
    },
  ),
  on('an intent that needs an applied one, or one that nobody knows, is run', async (stage) => {
    const anna = stage.device('anna')
    const id = stage.newId()
    const answer = await anna.call(
      having(list('a', 'anna'), { id }),
      having(list('b', 'anna'), { needs: [id, stage.newId()] }),
    )
    expectSame(told(answer), ['applied', 'applied'], 'the outcomes')
  }),
  on('[I9] what another actor was refused is nothing that one’s own intent depends on', async (stage) => {
    const id = stage.newId()
    await stage.device('ben').call(having(refused(), { id }))
    expectSame(
      told(await stage.device('anna').call(having(list('a', 'anna'), { needs: [id] }))),
      ['applied'],
      'the outcome',
    )
  }),
  on('[I2] [I10] twenty devices at once: each batch is decided whole and in its order', async (stage) => {
    const devices = Array.from({ length: 20 }, (_, n) => stage.device(`actor${n}`))
    const answers = await Promise.all(
      devices.map((device, n) =>
        n % 5 === 4
          ? device.push({ sequence: 1, id: 'no uuid' })
          : device.call(list(`a${n}`, device.actor), refused(`r${n}`), list(`b${n}`, device.actor)),
      ),
    )
    for (const [n, answer] of answers.entries()) {
      if (n % 5 === 4) expectMatch(answer, { status: 400 }, `what device ${n} is told`)
      else expectSame(told(answer), ['applied', 'not_today', 'applied'], `what device ${n} is told`)
    }
    expectSame((await ids(stage)).length, 32, 'lists')
  }),
]
