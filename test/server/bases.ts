// Where the tests of the authority have their data: a file of SQLite or, in the project «postgres», a schema of PostgreSQL. The same
// tests run on both with the same expectations. A base is known by its path, and can be opened again by it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { postgres } from 'holdfast/postgres'
import type { Database } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { Pool } from 'pg'
import { inject, onTestFinished } from 'vitest'
import type { ServerHost } from '../../src/server/host.ts'
import { runForeign } from '../postgres/foreign.ts'

/** Whether these tests run on PostgreSQL. */
export const onPostgres = (): boolean => inject('postgres') !== undefined

let made = 0

/** The path of a base that is empty. */
export function freshBase(): string {
  if (onPostgres()) {
    const schema = `s${process.pid}_${++made}`
    foreignly('public', `CREATE SCHEMA ${schema}`)
    return schema
  }
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-server-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'data.db')
}

/** The database at a path, as an authority opens it. */
export function openBase(path: string, host?: ServerHost): Database {
  const options = host === undefined ? {} : { host }
  if (!onPostgres()) return sqlite(path, options)
  const pool = poolOf(path)
  onTestFinished(() => pool.end())
  return postgres(pool, options)
}

/** A pool whose connections see the schema at a path. */
export const poolOf = (path: string): Pool =>
  new Pool({ connectionString: inject('postgres'), options: `-c search_path=${path}`, max: 8 })

/** Makes a table refuse rows by a trigger of the app: those for which `when` holds, in terms of NEW. Gives what lifts it. */
export function refuse(path: string, event: 'INSERT' | 'UPDATE', table: string, when: string, why: string): () => void {
  if (!onPostgres()) {
    foreignly(
      path,
      `CREATE TRIGGER refusing BEFORE ${event} ON ${table} WHEN ${when} BEGIN SELECT RAISE(ABORT, '${why}'); END`,
    )
    return () => void foreignly(path, 'DROP TRIGGER refusing')
  }
  foreignly(
    path,
    `CREATE FUNCTION refusing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '${why}'; END $$`,
    `CREATE TRIGGER refusing BEFORE ${event} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION refusing()`,
  )
  return () => void foreignly(path, 'DROP FUNCTION refusing() CASCADE')
}

/** Copies all rows of a base into another one that has the same tables, past all triggers: what a restored backup holds. */
export function copyRows(from: string, to: string): void {
  if (!onPostgres()) {
    rmSync(to, { force: true })
    const db = new DatabaseSync(from)
    db.exec(`VACUUM INTO '${to}'`)
    db.close()
    return
  }
  const tables = foreignly(from, `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = '${from}'`)
  foreignly(
    to,
    'SET LOCAL session_replication_role = replica',
    ...tables.flatMap((row) => {
      const { name } = row as { readonly name: string }
      return [`DELETE FROM ${to}.${name}`, `INSERT INTO ${to}.${name} SELECT * FROM ${from}.${name}`]
    }),
  )
}

/** Runs plain SQL as a foreign process would; several statements are one transaction. Gives the rows of the last one. */
export function foreignly(path: string, ...texts: readonly string[]): unknown[] {
  return foreign(
    path,
    texts.map((text) => ({ text })),
  )
}

/** The same with parameters. */
export function foreign(
  path: string,
  statements: readonly { readonly text: string; readonly values?: readonly (string | number | null)[] }[],
): unknown[] {
  const url = inject('postgres')
  if (url !== undefined) return runForeign(url, path, statements)
  const db = new DatabaseSync(path)
  try {
    db.exec('BEGIN IMMEDIATE')
    let rows: unknown[] = []
    for (const { text, values = [] } of statements) rows = db.prepare(text).all(...values)
    db.exec('COMMIT')
    return rows
  } finally {
    db.close()
  }
}
