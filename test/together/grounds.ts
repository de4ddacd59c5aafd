// The databases on which these tests run: fresh for each test, with a way in for plain SQL, and backups.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { inject } from 'vitest'

type Row = { readonly [column: string]: unknown }

/** An empty database. */
export interface Ground {
  /** What an authority's process is told. */
  readonly where: string
  /** One statement of somebody else. */
  sql(text: string): Promise<readonly Row[]>
  /** Takes a backup while no authority runs: `stop` ends the one that does. */
  backUp(stop: () => Promise<void>): Promise<{ restore(): Promise<void> }>
  close(): Promise<void>
}

const server = inject('postgres')

/** The kind of database on which this run of the tests is. */
export const kind: string = server === undefined ? 'SQLite' : 'PostgreSQL'

/** Makes an empty one. */
export const openGround = (): Promise<Ground> => (server === undefined ? openSqlite() : openPostgres(server))

async function openSqlite(): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-together-'))
  const path = join(folder, 'data.db')
  return {
    where: `sqlite:${path}`,
    async sql(text) {
      const db = new DatabaseSync(path, { timeout: 5_000 })
      try {
        return db
          .prepare(text)
          .all()
          .map((row) => ({ ...row }))
      } finally {
        db.close()
      }
    },
    async backUp(stop) {
      // Closing folds the log in: the file is then all there is.
      await stop()
      copyFileSync(path, `${path}.backup`)
      return {
        async restore() {
          for (const ending of ['-wal', '-shm']) rmSync(`${path}${ending}`, { force: true })
          copyFileSync(`${path}.backup`, path)
        },
      }
    },
    close: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

let made = 0

/** A database of its own: a backup is a copy of it that PostgreSQL makes while nobody is connected. */
async function openPostgres(server: string): Promise<Ground> {
  const name = `holdfast_together_${process.pid}_${++made}`
  const backup = `${name}_backup`
  const address = new URL(server)
  address.pathname = `/${name}`
  const ask = async (where: string, ...texts: readonly string[]): Promise<readonly Row[]> => {
    const client = new pg.Client({ connectionString: where })
    await client.connect()
    try {
      let rows: readonly Row[] = []
      for (const text of texts) rows = (await client.query({ text, types: { getTypeParser: parserOf } })).rows
      return rows
    } finally {
      await client.end()
    }
  }
  await ask(server, `CREATE DATABASE ${name}`)
  return {
    where: address.href,
    sql: (text) => ask(address.href, text),
    async backUp(stop) {
      await stop()
      await ask(server, `CREATE DATABASE ${backup} TEMPLATE ${name}`)
      return {
        restore: async () =>
          void (await ask(server, `DROP DATABASE ${name} WITH (FORCE)`, `CREATE DATABASE ${name} TEMPLATE ${backup}`)),
      }
    },
    close: async () =>
      void (await ask(server, ...[name, backup].map((each) => `DROP DATABASE IF EXISTS ${each} WITH (FORCE)`))),
  }
}

/** Whole and other numbers as numbers: bigint and numeric would come as text. */
const parserOf = (type: number) =>
  type === 20 || type === 1700 ? Number : (text: string) => (type === 23 || type === 701 ? Number(text) : text)
