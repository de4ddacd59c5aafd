// The database that a figure is measured on, by its name: `sqlite:PATH` or the URL of a PostgreSQL server.
import type { Database } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'

/** A database, and what to end when its authority is closed. */
export interface Opened {
  readonly database: Database
  end(): Promise<void>
}

/** Opens it. */
export async function openDatabase(where: string): Promise<Opened> {
  if (where.startsWith('sqlite:'))
    return { database: sqlite(where.slice('sqlite:'.length)), end: async () => undefined }
  const [{ default: pg }, { postgres }] = await Promise.all([import('pg'), import('holdfast/postgres')])
  const pool = new pg.Pool({ connectionString: where, max: 8 })
  return { database: postgres(pool), end: () => pool.end() }
}
