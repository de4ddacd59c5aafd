// Statements that are on their way together: they are done in the order in which they are asked for, what stands behind one that fails
// fails by the same reason, and nobody who has the connection next notices. And look-ups that go by the index, however small their table
// was when they were planned.
import { type PostgresOptions, postgres } from 'holdfast/postgres'
import { ConstraintError, type Database } from 'holdfast/server'
import { nodeHost } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { freshBase, poolOf } from '../server/bases.ts'

async function open(options: PostgresOptions = {}) {
  const path = freshBase()
  const pool = poolOf(path)
  const database = postgres(pool, { host: nodeHost({ log: 'silent' }), ...options })
  onTestFinished(() => pool.end())
  onTestFinished(() => database.close())
  await database.write(async (sql) => {
    await sql.run(
      'CREATE TABLE t (id TEXT COLLATE "C" PRIMARY KEY, parent TEXT COLLATE "C", n BIGINT NOT NULL CHECK (n < 100))',
    )
    await sql.run('CREATE UNIQUE INDEX t_place ON t (parent, n)')
  })
  return { database, pool }
}

const HEAD = 'INSERT INTO t (id, parent, n)'
const rowsOf = (database: Database) => database.read((sql) => sql.all('SELECT id, n FROM t ORDER BY id'))
const reasonOf = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error)

for (const pipeline of [true, false]) {
  const how = pipeline ? 'together' : 'one by one'

  test(`statements that nobody waits for are done in the order in which they are asked for, ${how}`, async () => {
    const { database } = await open({ pipeline })
    const seen = await database.write(async (sql) => {
      // The first of them has to ask for the columns of the table, and so is the longest on its way.
      const works = [
        sql.insert(HEAD, [
          ['a', 'p', 1],
          ['b', 'p', 2],
        ]),
        sql.allKeyed({ columns: 'id, n', table: 't', key: ['id'] }, [['a'], ['b'], ['c']]),
        sql.update(
          't',
          'id',
          ['n'],
          [
            [7, 'a'],
            [8, 'b'],
          ],
        ),
        sql.delete('t', 'id', ['b']),
        sql.highest('t', 'n', 'parent', ['p', 'q']),
        sql.all('SELECT count(*) AS n FROM t'),
      ] as const
      return Promise.all(works)
    })
    expect(seen[1]).toEqual([
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
    ])
    expect(seen[2]).toBe(2)
    expect(seen[4]).toEqual([
      { value: 'p', last: 7 },
      { value: 'q', last: null },
    ])
    expect(seen[5]).toEqual([{ n: 1 }])
  })

  test(`what stands behind a statement that a constraint refuses fails by that constraint, ${how}`, async () => {
    const { database } = await open({ pipeline })
    const reasons: unknown[] = []
    const write = database.write(async (sql) => {
      const works = [sql.insert(HEAD, [['a', 'p', 1]]), sql.insert(HEAD, [['a', 'p', 2]]), sql.all('SELECT 1 AS one')]
      reasons.push(...(await Promise.all(works.map(reasonOf))))
      throw reasons[2]
    })
    const failure = await reasonOf(write)
    expect(reasons[0]).toBeUndefined()
    expect(reasons[1]).toBeInstanceOf(ConstraintError)
    expect(reasons[2]).toBe(reasons[1])
    expect(failure).toBe(reasons[1])
    expect(await rowsOf(database)).toEqual([])
  })

  test(`a savepoint that is undone leaves what was on its way before it, and the transaction goes on, ${how}`, async () => {
    const { database } = await open({ pipeline })
    await database.write(async (sql) => {
      const before = sql.insert(HEAD, [['a', 'p', 1]])
      const undone = sql.savepoint(async () => {
        const works = [sql.insert(HEAD, [['b', 'p', 200]]), sql.insert(HEAD, [['c', 'p', 3]])]
        const [first, second] = await Promise.all(works.map(reasonOf))
        expect(second).toBe(first)
        throw first
      })
      expect(await reasonOf(undone)).toBeInstanceOf(ConstraintError)
      await Promise.all([before, sql.insert(HEAD, [['d', 'p', 4]])])
    })
    expect(await rowsOf(database)).toEqual([
      { id: 'a', n: 1 },
      { id: 'd', n: 4 },
    ])
  })
}

test('a transaction whose lock is not to be had fails by that, whatever is on its way behind it, and leaves the connection as it was', async () => {
  const { database, pool } = await open({ writerTimeoutMs: 50 })
  const holder = await pool.connect()
  await holder.query('BEGIN; LOCK TABLE holdfast_writer IN EXCLUSIVE MODE')
  const write = database.write((sql) => sql.insert(HEAD, [['a', 'p', 1]]))
  await expect(write).rejects.toMatchObject({ code: 'unavailable' })
  await holder.query('ROLLBACK')
  holder.release()
  await database.write((sql) => sql.insert(HEAD, [['b', 'p', 1]]))
  expect(await rowsOf(database)).toEqual([{ id: 'b', n: 1 }])
  const next = await pool.connect()
  expect((next as { readonly pipeline?: boolean }).pipeline).toBe(false)
  next.release()
})

test('rows are looked up by an index, also by statements that were planned while their table was small', async () => {
  const { database } = await open()
  // Rows as wide as those of an app: of narrow ones PostgreSQL takes even an empty table to be large.
  for (let at = 0; at < 20; at++) await database.write((sql) => sql.run(`ALTER TABLE t ADD COLUMN wide${at} TEXT`))
  const scans = await database.write(async (sql) => {
    const keyed = () => sql.allKeyed({ columns: 'id, n', table: 't', key: ['id'] }, [['a'], ['b']])
    const highest = () => sql.highest('t', 'n', 'parent', ['p', 'q'])
    const listed = () => sql.allIn('SELECT id FROM t WHERE id IN (?*)', [], ['a', 'b'])
    // PostgreSQL keeps the plan of a statement that comes for the sixth time.
    for (let time = 0; time < 8; time++) for (const look of [keyed, highest, listed]) await look()
    await sql.insert(
      HEAD,
      Array.from({ length: 3_000 }, (_, at) => [`row ${at}`, `parent ${at}`, 1]),
    )
    const scansOf = async (look: () => Promise<unknown>): Promise<number> => {
      const text = "SELECT pg_stat_get_xact_numscans(to_regclass('t')) AS n"
      const [before] = await sql.all(text)
      await look()
      const [after] = await sql.all(text)
      return Number(after?.['n']) - Number(before?.['n'])
    }
    return { keyed: await scansOf(keyed), highest: await scansOf(highest), listed: await scansOf(listed) }
  })
  // A list of values is another matter: that it is seen shows that the others would be.
  expect(scans).toEqual({ keyed: 0, highest: 0, listed: 1 })
})
