// PostgreSQL behind the contract of a database: one writer over all processes, snapshots, foreign writers that are in the way, rows that
// somebody keeps locked, constraints, connections that die, values, and what of `pg` is left as it was.

import { type PostgresOptions, postgres } from 'holdfast/postgres'
import { ConstraintError, type Database } from 'holdfast/server'
import { nodeHost } from 'holdfast/sqlite'
import { Client, type Pool, types } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { foreignly, freshBase, poolOf } from '../server/bases.ts'

interface Base {
  readonly database: Database
  readonly pool: Pool
  readonly path: string
  readonly logged: string[]
}

async function open(options: PostgresOptions = {}, path = freshBase()): Promise<Base> {
  const pool = poolOf(path)
  const logged: string[] = []
  const host = { ...nodeHost(), log: ({ message }: { readonly message: string }) => void logged.push(message) }
  const database = postgres(pool, { host, ...options })
  onTestFinished(() => pool.end())
  onTestFinished(() => database.close())
  await database.write((sql) =>
    sql.run('CREATE TABLE IF NOT EXISTS t (id TEXT PRIMARY KEY, n BIGINT NOT NULL CHECK (n < 100))'),
  )
  return { database, pool, path, logged }
}

/** Another session, which does one thing after the other. */
async function session(path: string): Promise<Client> {
  const client = new Client({ connectionString: inject('postgres'), options: `-c search_path=${path}` })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

const insert = (id: string, n = 1) => ['INSERT INTO t (id, n) VALUES (?, ?)', [id, n]] as const
const rowsOf = (database: Database) => database.read((sql) => sql.all('SELECT id, n FROM t ORDER BY id'))
const ids = async (database: Database) => (await rowsOf(database)).map(({ id }) => id)

test('writes are one at a time over all processes, and each sees what those before it committed', async () => {
  const { database, path } = await open()
  const { database: other } = await open({}, path)
  await database.write((sql) => sql.run(...insert('a', 0)))
  const order: string[] = []
  const raise = (by: Database, name: string) =>
    by.write(async (sql) => {
      // What it does before its first answer is done without the lock, while its statements are on their way.
      const [row] = await sql.all('SELECT n FROM t')
      order.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      await sql.run('UPDATE t SET n = ?', [Number(row?.['n']) + 1])
      order.push(`${name} ends`)
    })
  await Promise.all(Array.from({ length: 20 }, (_, at) => raise(at % 2 === 0 ? database : other, String(at))))
  expect(await rowsOf(database)).toEqual([{ id: 'a', n: 20 }])
  for (let at = 0; at < order.length; at += 2) expect(order[at + 1]).toBe(order[at]?.replace('begins', 'ends'))
})

test('a write that throws has not happened, and a snapshot does not see what is committed while it is open', async () => {
  const { database } = await open()
  await database.write((sql) => sql.run(...insert('a')))
  await database.read(async (sql) => {
    expect(await sql.all('SELECT id FROM t')).toHaveLength(1)
    await database.write((other) => other.run(...insert('b')))
    expect(await sql.all('SELECT id FROM t')).toHaveLength(1)
  })
  const failed = database.write(async (sql) => {
    await sql.run(...insert('c'))
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  await expect(database.read((sql) => sql.run(...insert('d')))).rejects.toThrow(/read-only/)
  expect(await ids(database)).toEqual(['a', 'b'])
})

test('a transaction whose rows somebody changes in between is done again from its beginning', async () => {
  const { database, path } = await open()
  await database.write((sql) => sql.run(...insert('a', 1)))
  let runs = 0
  await database.write(async (sql) => {
    const [row] = await sql.all('SELECT n FROM t')
    if (++runs === 1) foreignly(path, 'UPDATE t SET n = 50')
    await sql.run('UPDATE t SET n = ?', [Number(row?.['n']) + 1])
  })
  expect(runs).toBe(2)
  expect(await rowsOf(database)).toEqual([{ id: 'a', n: 51 }])
})

test('a body that catches the error of a lost transaction does not get it committed', async () => {
  const { database, path } = await open()
  await database.write((sql) => sql.run(...insert('a', 1)))
  let runs = 0
  const body = async (change: 'always' | 'once') => {
    runs = 0
    return database.write(async (sql) => {
      await sql.all('SELECT n FROM t')
      if (++runs === 1 || change === 'always') foreignly(path, 'UPDATE t SET n = n + 1')
      await sql.run('UPDATE t SET n = 7').catch(() => undefined)
      await sql.run(...insert(`run ${runs}`)).catch(() => undefined)
    })
  }
  await body('once')
  expect(await ids(database)).toEqual(['a', 'run 2'])
  await expect(body('always')).rejects.toMatchObject({ code: 'unavailable', remedy: 'retry' })
  expect(runs).toBe(6)
  expect(await ids(database)).toEqual(['a', 'run 2'])
})

test('a deadlock with a foreign transaction is broken, and the write is done again', async () => {
  const { database, path } = await open({ lockTimeoutMs: 10_000 })
  await database.write(async (sql) => {
    await sql.run(...insert('a'))
    await sql.run(...insert('b'))
  })
  const other = await session(path)
  let theirs: Promise<unknown> = Promise.resolve()
  let runs = 0
  await database.write(async (sql) => {
    await sql.run("UPDATE t SET n = 2 WHERE id = 'a'")
    if (++runs === 1) {
      await other.query("BEGIN; SET LOCAL deadlock_timeout = '10s'; UPDATE t SET n = 3 WHERE id = 'b'")
      theirs = other.query("UPDATE t SET n = 3 WHERE id = 'a'; COMMIT")
    }
    await sql.run("UPDATE t SET n = 2 WHERE id = 'b'")
  })
  await theirs
  expect(runs).toBe(2)
  expect(await rowsOf(database)).toEqual([
    { id: 'a', n: 2 },
    { id: 'b', n: 2 },
  ])
})

test('rows that somebody keeps locked make a write unavailable after its time, and another writer too', async () => {
  const { database, path } = await open({ lockTimeoutMs: 50, writerTimeoutMs: 80 })
  await database.write((sql) => sql.run(...insert('a')))
  const other = await session(path)
  await other.query('BEGIN; UPDATE t SET n = 9')
  await expect(database.write((sql) => sql.run('UPDATE t SET n = 2'))).rejects.toMatchObject({
    code: 'unavailable',
    retryAfterMs: 1_000,
    message: expect.stringContaining('rows locked'),
  })
  await other.query('ROLLBACK')
  await other.query('BEGIN; LOCK TABLE holdfast_writer IN EXCLUSIVE MODE')
  await expect(database.write((sql) => sql.run(...insert('b')))).rejects.toMatchObject({ code: 'unavailable' })
  // Who only reads waits for nobody.
  expect(await ids(database)).toEqual(['a'])
  await other.query('ROLLBACK')
  await database.write((sql) => sql.run(...insert('b')))
  expect(await ids(database)).toEqual(['a', 'b'])
})

test.each([
  ['unique', insert('a')],
  ['check', insert('b', 100)],
  ['not_null', ['INSERT INTO t (id) VALUES (?)', ['b']]],
  ['foreign_key', ['INSERT INTO u (id) VALUES (?)', ['nobody']]],
  ['other', ['INSERT INTO t (id, n) VALUES (?, ?)', ['refused', 1]]],
] as const)(
  'a refused constraint is told by its kind, and what was before it stands: %s',
  async (kind, [text, parameters]) => {
    const { database, path } = await open()
    foreignly(
      path,
      'CREATE TABLE u (id TEXT REFERENCES t (id))',
      `CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`,
      `CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id = 'refused') EXECUTE FUNCTION no()`,
    )
    await database.write(async (sql) => {
      await sql.run(...insert('a'))
      const refused = await sql.savepoint(() => sql.run(text, parameters)).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(ConstraintError)
      expect(refused).toMatchObject({ kind })
      await expect(sql.attempt(text, parameters)).rejects.toMatchObject({ kind })
      await sql.run(...insert('z'))
    })
    expect(await ids(database)).toEqual(['a', 'z'])
  },
)

test('a statement of the app that fails in any way leaves the transaction as it was', async () => {
  const { database } = await open()
  await database.write(async (sql) => {
    await sql.run(...insert('a'))
    await Promise.allSettled([
      sql.attempt('no SQL at all', []),
      sql.attempt('SELECT 1 / (n - n) FROM t', []),
      sql.all('SELECT id FROM t'),
      sql.attempt("INSERT INTO t (id, n) VALUES ('b', 1)", []),
    ])
    // One text is one statement, whatever stands in it.
    await expect(sql.attempt('SELECT 1; COMMIT', [])).rejects.toThrow(/multiple commands/)
  })
  expect(await ids(database)).toEqual(['a', 'b'])
})

test('without a savepoint a failed statement takes the whole transaction with it, and COMMIT does not hide that', async () => {
  const { database } = await open()
  const caught = database.write(async (sql) => {
    await sql.run(...insert('a'))
    await sql.run('no SQL at all').catch(() => undefined)
  })
  await expect(caught).rejects.toThrow()
  const silent = database.read(async (sql) => void (await sql.all('no SQL at all').catch(() => undefined)))
  await expect(silent).rejects.toThrow('rolled back')
  expect(await ids(database)).toEqual([])
})

test('many rows are inserted, changed and deleted by one statement each, in the order in which they are given', async () => {
  const { database } = await open()
  const many = Array.from({ length: 12_000 }, (_, at) => [`r${at}`, at % 100])
  await database.write(async (sql) => {
    await sql.insert('INSERT INTO t (id, n)', many)
    await sql.insert(
      'INSERT INTO t (id, n)',
      [
        ['r0', 5],
        ['r1', 6],
      ],
      ' ON CONFLICT (id) DO UPDATE SET n = excluded.n',
    )
    expect(
      await sql.update(
        't',
        'id',
        ['n'],
        many.slice(2).map(([id]) => [7, id as string]),
      ),
    ).toBe(11_998)
    expect(
      await sql.allIn('SELECT id FROM t WHERE n > ? AND id IN (?*)', [5], ['r0', 'r1', 'r2', 'r2', 'none']),
    ).toHaveLength(2)
    await sql.delete(
      't',
      'id',
      many.slice(3).map(([id]) => id as string),
    )
  })
  expect(await rowsOf(database)).toEqual([
    { id: 'r0', n: 5 },
    { id: 'r1', n: 6 },
    { id: 'r2', n: 7 },
  ])
})

test('a unique value passes from row to row in the order of the changes, as it does one by one', async () => {
  const { database, path } = await open()
  foreignly(path, 'CREATE UNIQUE INDEX one_n ON t (n)')
  await database.write(async (sql) => {
    await sql.insert('INSERT INTO t (id, n)', [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    await sql.update(
      't',
      'id',
      ['n'],
      [
        [4, 'c'],
        [3, 'b'],
        [2, 'a'],
      ],
    )
    await expect(
      sql.savepoint(() =>
        sql.update(
          't',
          'id',
          ['n'],
          [
            [3, 'a'],
            [5, 'b'],
          ],
        ),
      ),
    ).rejects.toMatchObject({ kind: 'unique' })
  })
  expect(await rowsOf(database)).toEqual([
    { id: 'a', n: 2 },
    { id: 'b', n: 3 },
    { id: 'c', n: 4 },
  ])
})

test('values come and go as the contract has them, and the parsers of pg stay as they are', async () => {
  const { database, path } = await open()
  foreignly(
    path,
    'CREATE TABLE "All kinds" (id uuid PRIMARY KEY, "a ""quoted"", name" text, i integer, b bigint, n numeric, d double precision, f boolean, j json, k jsonb, z timestamptz, p timestamp, x bytea, v varchar(3))',
  )
  const head = 'INSERT INTO "All kinds" (id, "a ""quoted"", name", i, b, n, d, f, j, k, z, p, x, v)'
  const row = (id: string) => [
    `00000000-0000-4000-8000-00000000000${id}`,
    'é \\ " \u2028 $1 ?',
    7,
    9_007_199_254_740_991,
    1.25,
    5e-324,
    id === '1',
    '{"b":1,"a":[null]}',
    '{"b":1,"a":[null]}',
    '2024-02-03T04:05:06.789Z',
    '2024-02-03T04:05:06.789Z',
    new Uint8Array([0, 255, 16]),
    null,
  ]
  const before = types.getTypeParser(20)
  await database.write(async (sql) => {
    await sql.insert(head, [row('1')])
    await sql.insert(head, [row('2'), row('3')])
    await expect(
      sql.savepoint(() => sql.insert(head, [[...row('4').slice(0, 12), 'long'], row('5')])),
    ).rejects.toMatchObject({ kind: 'check' })
    await expect(sql.savepoint(() => sql.insert(head, [['no uuid', ...row('4').slice(1)]]))).rejects.toMatchObject({
      kind: 'check',
    })
  })
  const at = Date.UTC(2024, 1, 3, 4, 5, 6, 789)
  const found = await database.read((sql) => sql.all('SELECT * FROM "All kinds" ORDER BY id'))
  expect(found).toEqual(
    ['1', '2', '3'].map((id) => ({
      id: row(id)[0],
      'a "quoted", name': row(id)[1],
      i: 7,
      b: 9_007_199_254_740_991,
      n: 1.25,
      d: 5e-324,
      f: id === '1',
      j: '{"b":1,"a":[null]}',
      k: '{"a": [null], "b": 1}',
      z: at,
      p: at,
      x: new Uint8Array([0, 255, 16]),
      v: null,
    })),
  )
  expect(types.getTypeParser(20)).toBe(before)
})

test.each([
  ["'2024-02-03 04:05:06.789123+05:30'::timestamptz", Date.UTC(2024, 1, 2, 22, 35, 6, 789)],
  ["'1969-12-31 23:59:59.9999Z'::timestamptz", -1],
  ["'0044-03-15 12:00:00Z BC'::timestamptz", Date.UTC(-43, 2, 15, 12)],
  ["'infinity'::timestamptz", 8.64e15],
  ["'-infinity'::timestamp", -8.64e15],
  ["'200000-01-01'::timestamp", Date.UTC(200_000, 0, 1)],
  ['9007199254740993::bigint', 9_007_199_254_740_993n],
  ["'{a,b}'::text[]", '{a,b}'],
])('%s is read as %s', async (text, value) => {
  const { database } = await open()
  foreignly('public', "SET LOCAL timezone = 'Asia/Kolkata'")
  const [row] = await database.read((sql) => sql.all(`SELECT ${text} AS v`))
  expect(row).toEqual({ v: value })
})

test.each(['before it is asked', 'in the middle', 'at the commit'] as const)(
  'a connection that dies %s is nobody’s fault: nothing has happened, and the next write has another one',
  async (when) => {
    const { database, pool, logged } = await open()
    const kill = async (pid: unknown) => {
      const other = await session('public')
      await other.query('SELECT pg_terminate_backend($1)', [pid])
    }
    const pidOf = async (): Promise<unknown> => {
      const client = await pool.connect()
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
      client.release()
      return rows[0]?.pid
    }
    if (when === 'before it is asked') {
      await kill(await pidOf())
      while (pool.totalCount > 0) await new Promise((resolve) => setImmediate(resolve))
      expect(logged).toContain('an idle connection was lost')
    } else {
      const failed = database.write(async (sql) => {
        await sql.run(...insert('a'))
        const [row] = await sql.all('SELECT pg_backend_pid() AS pid')
        await kill(row?.['pid'])
        if (when === 'in the middle') await sql.run(...insert('b'))
      })
      await expect(failed).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 5_000 })
    }
    await database.write((sql) => sql.run(...insert('c')))
    expect(await ids(database)).toEqual(['c'])
  },
)

test('a statement that is cancelled or runs out of its time makes the request unavailable', async () => {
  const { database } = await open()
  const slow = database.write(async (sql) => {
    await sql.run('SET LOCAL statement_timeout = 20')
    await sql.all('SELECT pg_sleep(5)')
  })
  await expect(slow).rejects.toMatchObject({ code: 'unavailable' })
})

test('a database that cannot be reached is unavailable, and so is one that is closed', async () => {
  const { Pool } = await import('pg')
  const pool = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/nothing' })
  const lost = postgres(pool)
  await expect(lost.read(async () => 1)).rejects.toMatchObject({ code: 'unavailable' })
  await lost.close()
  const { database } = await open()
  await database.close()
  await database.close()
  await expect(database.write(async () => 1)).rejects.toMatchObject({ code: 'unavailable' })
})

test('snapshots beyond their number wait for a place, and a table that changes under prepared statements is read anew', async () => {
  const { database, path } = await open({ readers: 2 })
  let open_ = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 9 }, () =>
      database.read(async (sql) => {
        most = Math.max(most, ++open_)
        // The first waits for the second, whose connection may take its time.
        while (most < 2) await new Promise((resolve) => setImmediate(resolve))
        await sql.all('SELECT * FROM t')
        await sql.all('SELECT * FROM t')
        open_--
      }),
    ),
  )
  expect(most).toBe(2)
  foreignly(path, 'ALTER TABLE t ADD COLUMN more TEXT')
  expect(await database.read((sql) => sql.all('SELECT * FROM t'))).toEqual([])
  await database.write((sql) => sql.run('SELECT * FROM t'))
})

test('statements after the end of their transaction are refused', async () => {
  const { database } = await open()
  let late: () => Promise<unknown> = async () => undefined
  await database.write(async (sql) => {
    late = () => sql.run(...insert('late'))
  })
  await expect(late()).rejects.toMatchObject({ code: 'unavailable' })
  expect(await ids(database)).toEqual([])
})

test('a write is flushed to the disk before it is acknowledged, whatever the app has set for its sessions', async () => {
  const path = freshBase()
  const { Pool } = await import('pg')
  const pool = new Pool({
    connectionString: inject('postgres'),
    options: `-c search_path=${path} -c synchronous_commit=off -c extra_float_digits=0 -c datestyle=German -c bytea_output=escape`,
  })
  const database = postgres(pool)
  onTestFinished(() => pool.end())
  onTestFinished(() => database.close())
  const found = await database.write((sql) =>
    sql.all(
      "SELECT current_setting('synchronous_commit') AS s, 0.1::float8 + 0.2 AS d, '2024-02-03Z'::timestamptz AS z, '\\x00'::bytea AS x",
    ),
  )
  expect(found).toEqual([{ s: 'on', d: 0.30000000000000004, z: Date.UTC(2024, 1, 3), x: new Uint8Array(1) }])
})
