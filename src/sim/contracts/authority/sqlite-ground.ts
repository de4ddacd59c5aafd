// The contract's ground on SQLite: a file of its own for each case, and a second connection as another program.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { nodeHost } from '../../../hosts/node/authority-host.ts'
import type { SqlRow, SqlValue } from '../../../server/db/db.ts'
import { sqlite } from '../../../server/db/sqlite/sqlite.ts'
import type { Foreign, Ground } from './ground.ts'

/** Makes grounds in files below `folder`, best in memory: they are written as safely as those of an app. */
export function sqliteGrounds(folder: string): () => Promise<Ground> {
  const host = nodeHost({ log: 'silent' })
  return async () => {
    const own = mkdtempSync(join(folder, 'case-'))
    const path = join(own, 'data.db')
    let db: DatabaseSync | undefined
    const connection = (): DatabaseSync => {
      db ??= new DatabaseSync(path)
      return db
    }
    const all: Foreign['all'] = async (text, parameters = []) =>
      connection()
        .prepare(text)
        .all(...parameters.map(bound)) as unknown as readonly SqlRow[]
    return {
      open: () => sqlite(path, { host }),
      foreign: {
        all,
        async transaction(body) {
          connection().exec('BEGIN IMMEDIATE')
          try {
            await body(all)
            connection().exec('COMMIT')
          } catch (error) {
            connection().exec('ROLLBACK')
            throw error
          }
        },
      },
      async close() {
        db?.close()
        rmSync(own, { recursive: true, force: true })
      },
    }
  }
}

const bound = (value: SqlValue): Exclude<SqlValue, boolean> => (typeof value === 'boolean' ? Number(value) : value)
