// The embedded database: transactions, snapshots, locks, constraints, and what closing leaves behind.
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConstraintError, type Database } from 'holdfast/server'
import { nodeHost, sqlite } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'

async function open(
  path = fresh(),
  options: Parameters<typeof sqlite>[1] = {},
): Promise<{ readonly database: Database; readonly path: string }> {
  const database = sqlite(path, options)
  onTestFinished(() => database.close())
  await database.write(async (sql) => {
    await sql.run('CREATE TABLE IF NOT EXISTS t (id TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n < 100)) STRICT')
  })
  return { database, path }
}

function fresh(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'data.db')
}

const insert = (id: string, n = 1) => ['INSERT INTO t (id, n) VALUES (?, ?)', [id, n]] as const
const ids = (database: Database) =>
  database.read(async (sql) => (await sql.all('SELECT id FROM t ORDER BY id')).map(({ id }) => id))

test.each(['a file', 'memory'])('writes are one at a time, and one that throws has not happened: %s', async (where) => {
  const { database } = await open(where === 'memory' ? ':memory:' : fresh())
  const order: string[] = []
  const writes = ['a', 'b', 'c'].map((id) =>
    database.write(async (sql) => {
      order.push(`${id} begins`)
      await sql.run(...insert(id))
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${id} ends`)
      if (id === 'b') throw new Error('no')
    }),
  )
  expect((await Promise.allSettled(writes)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  expect(await ids(database)).toEqual(['a', 'c'])
})

test('a snapshot does not see what is committed while it is open', async () => {
  const { database } = await open()
  await database.write((sql) => sql.run(...insert('a')))
  await database.read(async (sql) => {
    expect(await sql.all('SELECT id FROM t')).toHaveLength(1)
    await database.write((other) => other.run(...insert('b')))
    expect(await sql.all('SELECT id FROM t')).toHaveLength(1)
  })
  expect(await ids(database)).toEqual(['a', 'b'])
})

test('a savepoint undoes what its body did and nothing else, at any depth', async () => {
  const { database } = await open()
  await database.write(async (sql) => {
    await sql.run(...insert('a'))
    await expect(
      sql.savepoint(async () => {
        await sql.run(...insert('b'))
        await sql.savepoint(() => sql.run(...insert('c')))
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await sql.savepoint(() => sql.run(...insert('d')))
  })
  expect(await ids(database)).toEqual(['a', 'd'])
})

test.each([
  ['unique', insert('a')],
  ['check', insert('b', 100)],
  ['not_null', ['INSERT INTO t (id) VALUES (?)', ['b']]],
  ['check', ['INSERT INTO t (id, n) VALUES (?, ?)', ['b', 'text']]],
] as const)('a refused constraint is told by its kind: %s', async (kind, [text, parameters]) => {
  const { database } = await open()
  await database.write(async (sql) => {
    await sql.run(...insert('a'))
    const refused = await sql.run(text, parameters).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ConstraintError)
    expect(refused).toMatchObject({ kind })
    await expect(
      sql.insert('INSERT INTO t (id, n)', [
        ['x', 1],
        ['a', 1],
      ]),
    ).rejects.toMatchObject({ kind: 'unique' })
  })
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

test('a write waits for the lock of another connection without stopping the process, and says unavailable in the end', async () => {
  const { database, path } = await open(undefined, { lockTimeoutMs: 400 })
  const other = new DatabaseSync(path)
  onTestFinished(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  let turns = 0
  const ticking = setInterval(() => turns++, 5)
  onTestFinished(() => clearInterval(ticking))
  await expect(database.write((sql) => sql.run(...insert('a')))).rejects.toMatchObject({
    code: 'unavailable',
    remedy: 'retry',
  })
  expect(turns).toBeGreaterThan(0)
  const waiting = database.write((sql) => sql.run(...insert('b')))
  await new Promise((resolve) => setImmediate(resolve))
  other.exec('COMMIT')
  await waiting
  expect(await ids(database)).toEqual(['b'])
})

test('a closed database is one file, which can be copied and set back', async () => {
  const { database, path } = await open()
  await database.write((sql) => sql.run(...insert('a')))
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)
  await database.close()
  expect(existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0).toBe(false)
  copyFileSync(path, `${path}.copy`)
  const { database: again } = await open(path)
  await again.write((sql) => sql.run(...insert('b')))
  await again.close()
  copyFileSync(`${path}.copy`, path)
  const { database: setBack } = await open(path)
  expect(await ids(setBack)).toEqual(['a'])
  await setBack.close()
  await setBack.close()
  await expect(setBack.read(async () => 1)).rejects.toMatchObject({ code: 'unavailable' })
})

test('closing folds the log in although another connection has the file open', async () => {
  const { database, path } = await open()
  const other = new DatabaseSync(path)
  onTestFinished(() => other.close())
  await database.write((sql) => sql.run(...insert('a')))
  other.exec('SELECT count(*) FROM t')
  await database.close()
  copyFileSync(path, `${path}.copy`)
  const { database: copy } = await open(`${path}.copy`)
  expect(await ids(copy)).toEqual(['a'])
})

test('the file is in WAL mode and a commit is flushed to the disk', async () => {
  const { database } = await open()
  const pragma = (name: string) =>
    database.write(async (sql) => Object.values((await sql.all(`PRAGMA ${name}`))[0] ?? {})[0])
  expect([await pragma('journal_mode'), await pragma('synchronous')]).toEqual(['wal', 2])
})

test('the dice of the real host are fresh, and its clock has all four hands', async () => {
  const { clock, random } = nodeHost({ log: 'silent' })
  const drawn = new Set(Array.from({ length: 2_000 }, () => random.bytes(8).join()))
  expect(drawn.size).toBe(2_000)
  expect(random.bytes(10_000)).toHaveLength(10_000)
  expect(clock.monotonic()).toBeLessThanOrEqual(clock.monotonic())
  const order: string[] = []
  await new Promise<void>((resolve) => {
    clock.after(1, () => resolve(void order.push('after')))
    clock.turn(() => order.push('turn'))
    clock.turn(() => order.push('cancelled'))()
    queueMicrotask(() => order.push('microtask'))
  })
  expect(order).toEqual(['microtask', 'turn', 'after'])
})
