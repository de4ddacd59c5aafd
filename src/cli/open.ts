// What the command opens: the module that declares the app, and the database. PostgreSQL is reached through the subpath of this package
// and the app's own `pg`, neither of which anybody needs for SQLite, so both are loaded only when asked for. A file is never made by a
// command that only looks, and is not even switched to another journal by one.
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { nodeHost } from '../hosts/node/authority-host.ts'
import type { App } from '../schema/app.ts'
import type { Database, Sql, SqlRow, SqlValue } from '../server/db/db.ts'
import { highestInPieces, inPieces, keyedInPieces } from '../server/db/in-list.ts'
import { sqliteDialect } from '../server/db/sqlite/dialect.ts'
import { sqlite } from '../server/db/sqlite/sqlite.ts'
import { ReachError } from './errors.ts'

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Loads the app. */
export async function openApp(module: string, cwd: string): Promise<App> {
  const path = resolve(cwd, module)
  // A path, or the name of a package that Node finds from here.
  const isPath = /^[./\\]|^[A-Za-z]:[\\/]/.test(module) || existsSync(path)
  if (isPath && !existsSync(path))
    throw new ReachError(`There is no file ${path}. --app names the module that exports the app: --app ./src/app.js`)
  let loaded: { readonly app?: unknown }
  try {
    loaded = await import(isPath ? pathToFileURL(path).href : module)
  } catch (error) {
    throw new ReachError(
      `The module ${module} cannot be loaded: ${messageOf(error)}. It must be one that this Node (${process.versions.node}) can import; TypeScript with enums or decorators has to be built first`,
      error,
    )
  }
  if (!isApp(loaded.app))
    throw new ReachError(`The module ${module} exports no app: it needs \`export const app = defineApp({ … })\``)
  return loaded.app
}

function isApp(value: unknown): value is App {
  return (
    typeof value === 'object' && value !== null && 'tableNames' in value && 'fingerprint' in value && 'table' in value
  )
}

/** Opens the database at an address. */
export async function openDatabase(
  address: string,
  cwd: string,
  { isReadOnly, mayMake }: { readonly isReadOnly: boolean; readonly mayMake: boolean },
): Promise<Database> {
  if (/^postgres(?:ql)?:\/\//.test(address)) return openPostgres(address)
  const [, path] = /^sqlite:(.+)$/.exec(address) ?? []
  if (path === undefined)
    throw new ReachError(
      `${JSON.stringify(address)} is no address of a database. Say sqlite:./data.db or postgres://user@host/name`,
    )
  const file = resolve(cwd, path)
  if (!existsSync(file) && !(mayMake && existsSync(dirname(file))))
    throw new ReachError(
      `There is no database ${file}. ${existsSync(dirname(file)) ? '`holdfast migrate --apply` makes it' : 'Its folder is not there either'}`,
    )
  try {
    return isReadOnly ? openReadOnly(file) : sqlite(file, { host: nodeHost() })
  } catch (error) {
    throw new ReachError(messageOf(error), error)
  }
}

/** A database of which only snapshots are read: nothing in the file changes, its journal included. */
function openReadOnly(file: string): Database {
  const db = new DatabaseSync(file, { readOnly: true })
  const refuse = (): never => {
    throw new TypeError('This command only reads')
  }
  const all = async (text: string, parameters: readonly SqlValue[] = []): Promise<readonly SqlRow[]> =>
    db.prepare(text).all(...(parameters as (string | number | null)[])) as unknown as SqlRow[]
  const sql: Sql = {
    all,
    allIn: (text, before, values) => inPieces(all, text, before, values),
    allKeyed: (what, keys) => keyedInPieces(all, what, keys),
    highest: (table, column, key, values) => highestInPieces(all, table, column, key, values),
    run: refuse,
    insert: refuse,
    update: refuse,
    delete: refuse,
    savepoint: refuse,
    attempt: refuse,
  }
  return {
    dialect: sqliteDialect,
    host: nodeHost(),
    write: async () => refuse(),
    writes: () => ({ commits: 0, aborts: 0 }),
    async read(body) {
      db.exec('BEGIN')
      try {
        return await body(sql)
      } finally {
        db.exec('ROLLBACK')
      }
    },
    close: async () => db.close(),
  }
}

interface Pg {
  readonly Pool: new (options: {
    readonly connectionString: string
    readonly max: number
  }) => {
    end(): Promise<void>
    query(text: string): Promise<unknown>
  }
}

async function openPostgres(address: string): Promise<Database> {
  const load = async <Module>(name: string, todo: string): Promise<Module> => {
    try {
      return (await import(/* @vite-ignore */ name)) as Module
    } catch (error) {
      throw new ReachError(`${name} cannot be loaded: ${messageOf(error)}. ${todo}`, error)
    }
  }
  const pg = await load<Pg & { readonly default?: Pg }>('pg', 'Install it beside holdfast: npm install pg')
  const { postgres } = await load<{ readonly postgres: (pool: unknown) => Database }>(
    'holdfast/postgres',
    'This version of holdfast has no PostgreSQL',
  )
  const { Pool } = pg.default ?? pg
  const pool = new Pool({ connectionString: address, max: 4 })
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end()
    throw new ReachError(`The database does not answer: ${messageOf(error)}`, error)
  }
  const database = postgres(pool)
  return {
    ...database,
    async close() {
      await database.close()
      await pool.end().catch(() => undefined)
    },
  }
}
