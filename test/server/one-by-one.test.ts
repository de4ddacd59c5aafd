// The writer's last resort: a whole commit fails, so each batch is decided alone and then each intent, and the answer says what the
// ledger has decided, wherever the batch began (I3). The database is a real one that fails just before its commits.
import { createAuthority, type Database } from 'holdfast/server'
import { nodeHost } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import type { PushAnswer } from '../../src/protocol/push.ts'
import { freshBase, openBase } from './bases.ts'
import { app, grants, post, uuid } from './scenario.ts'

/** What the next commits do; those after them succeed. */
type Plan = readonly ('fails' | 'succeeds')[]

/** An authority over a database whose commits follow a plan, once there is one. */
async function setUp() {
  const logged: string[] = []
  const real = openBase(freshBase(), { ...nodeHost(), log: ({ message }) => void logged.push(message) })
  let plan: Plan = []
  let canRead = true
  const database: Database = {
    ...real,
    write: (body) =>
      real.write(async (sql) => {
        const result = await body(sql)
        const [next = 'succeeds', ...rest] = plan
        plan = rest
        if (next === 'fails') throw new Error('disk I/O error')
        return result
      }),
    read: (body) => (canRead ? real.read(body) : Promise.reject(new Error('disk I/O error'))),
  }
  const authority = createAuthority({
    app,
    database,
    authenticate: (request) => request.header('authorization')?.replace('Bearer ', ''),
    grants,
  })
  onTestFinished(() => authority.close())
  await authority.ready

  /** A device of its own, which numbers its intents on from the last. */
  const device = (actor: string) => {
    const client = uuid()
    let last = 0
    const make = (count: number) =>
      Array.from({ length: count }, () => ({
        sequence: ++last,
        id: uuid(),
        name: 'insertWorkouts',
        version: 1,
        args: { id: uuid(), ownerId: actor, name: 'Legs', done: false },
        madeAt: 1_700_000_000_000,
      }))
    const push = async (intents: ReturnType<typeof make>): Promise<PushAnswer & { readonly status: number }> => {
      const body = { protocol: 1, app: app.fingerprint, actor, client, last, stored: 0, intents }
      const answer = await authority.handle(
        post('/sync/push', JSON.stringify(body), { authorization: `Bearer ${actor}` }),
      )
      if (!('body' in answer)) throw new Error('a stream came where an answer was expected')
      return { status: answer.status, ...JSON.parse(answer.body) }
    }
    return { client, make, push }
  }

  const count = (text: string, ...parameters: readonly string[]) =>
    real.read(async (sql) => Number((await sql.all(text, parameters))[0]?.['n']))
  return {
    device,
    logged,
    will(next: Plan) {
      plan = next
    },
    cannotRead() {
      canRead = false
    },
    planned: () => plan.length,
    workouts: () => count('SELECT count(*) AS n FROM workouts'),
    /** How many numbers of a client the ledger has an outcome for. */
    decided: (client: string) => count('SELECT count(*) AS n FROM holdfast_ledger WHERE client = ?', client),
  }
}

const applied = (from: number, to: number) => ({ from, to, status: 'applied' })

test('[I10] a batch whose commit fails is decided one by one, and nothing of the first try is left', async () => {
  const on = await setUp()
  const anna = on.device('anna')
  on.will(['fails'])
  const answer = await anna.push(anna.make(3))
  expect(answer).toMatchObject({ status: 200, decided: 3, outcomes: [applied(1, 3)] })
  expect(answer.stop).toBeUndefined()
  expect([await on.workouts(), await on.decided(anna.client)]).toEqual([3, 3])
  expect(on.logged).toEqual(['a batch could not be committed'])
})

test('[I3] when nothing of it can be committed, what the answer calls decided is what the ledger has, before a gap', async () => {
  const on = await setUp()
  const anna = on.device('anna')
  expect(await anna.push(anna.make(2))).toMatchObject({ decided: 2 })
  // As after a restored backup: the device believes that 4 are decided.
  anna.make(2)
  on.will(['fails', 'fails'])
  expect(await anna.push(anna.make(1))).toMatchObject({
    status: 200,
    decided: 2,
    outcomes: [],
    stop: { sequence: 5, code: 'fault' },
  })
  expect([on.planned(), await on.decided(anna.client)]).toEqual([0, 2])
})

test('[I3] and so it is where the batch begins with what was decided long ago', async () => {
  const on = await setUp()
  const anna = on.device('anna')
  const intents = anna.make(2)
  expect(await anna.push(intents)).toMatchObject({ decided: 2 })
  on.will(['fails', 'fails'])
  expect(await anna.push([...intents, ...anna.make(1)])).toMatchObject({
    status: 200,
    decided: 2,
    outcomes: [],
    stop: { sequence: 1, code: 'fault' },
  })
  expect([on.planned(), await on.decided(anna.client)]).toEqual([0, 2])
})

test('[I2] an intent that cannot be committed stops the batch, and those before it stand', async () => {
  const on = await setUp()
  const anna = on.device('anna')
  const intents = anna.make(3)
  on.will(['fails', 'succeeds', 'fails'])
  const answer = await anna.push(intents)
  expect(answer).toMatchObject({ status: 200, decided: 1, outcomes: [applied(1, 1)], stop: { sequence: 2 } })
  expect(answer.stop).toMatchObject({ code: 'fault' })
  expect(answer.stop?.retryAfterMs).toBeGreaterThan(0)
  expect([await on.workouts(), await on.decided(anna.client)]).toEqual([1, 1])
  expect(await anna.push(intents.slice(1))).toMatchObject({ decided: 3, outcomes: [applied(2, 3)] })
  expect(await on.workouts()).toBe(3)
})

test('a commit that failed for several clients is made for each alone, and hurts only the one that fails again', async () => {
  const on = await setUp()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  // The commit of both, anna's own, her first intent; then ben's.
  on.will(['fails', 'fails', 'fails'])
  const [hers, his] = await Promise.all([anna.push(anna.make(2)), ben.push(ben.make(2))])
  expect(hers).toMatchObject({ decided: 0, outcomes: [], stop: { sequence: 1, code: 'fault' } })
  expect(his).toMatchObject({ decided: 2, outcomes: [applied(1, 2)] })
  expect(his.stop).toBeUndefined()
  expect([await on.decided(anna.client), await on.decided(ben.client)]).toEqual([0, 2])
})

test('[I3] a ledger that cannot be read is no reason to guess: the push is refused and nothing is decided', async () => {
  const on = await setUp()
  const anna = on.device('anna')
  on.will(['fails'])
  on.cannotRead()
  expect(await anna.push(anna.make(2))).toMatchObject({ status: 500, code: 'internal' })
  expect(await on.decided(anna.client)).toBe(0)
})
