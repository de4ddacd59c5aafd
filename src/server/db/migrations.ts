// The numbered changes by which the engine's own tables came to be what they are. Each is applied once, in order, and noted with the
// hash of its text in the table holdfast_migration: a change that reads otherwise than when it was applied, or one that this version
// does not know, stops the start before anything is written. Which changes there are, server/state/tables.ts says; what an app
// declares is not among them (migrate.ts).
import { hashJson } from '../../base/canonical.ts'
import type { Dialect, Sql, SqlValue } from './db.ts'

/** One change of the engine's tables. Its text never changes once it was released; what is to be otherwise is another change. */
export interface Migration {
  /** 1 for the first, without gaps. */
  readonly number: number
  /** What it is about, in a few words. */
  readonly name: string
  statements(dialect: Dialect): readonly string[]
}

/** Something that is missing in the database, and what makes it. */
export interface Step {
  /** In words that go on after «missing:». */
  readonly what: string
  readonly statements: readonly { readonly text: string; readonly parameters?: readonly SqlValue[] }[]
}

/** The table of what was applied; the only one that no change makes. */
const LEDGER =
  'CREATE TABLE IF NOT EXISTS holdfast_migration (number BIGINT NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (number))'

/** The hash of a change's text in one dialect. */
export const checksumOf = (migration: Migration, dialect: Dialect): string => hashJson(migration.statements(dialect))

/**
 * The changes that this database still lacks, as steps that apply and note them at the time `at`; or why it must be left alone, in
 * sentences. A database from before changes were numbered has the tables of the first one, which makes only what is missing.
 */
export async function missingMigrations(
  sql: Sql,
  dialect: Dialect,
  migrations: readonly Migration[],
  at: number,
): Promise<{ readonly steps: readonly Step[]; readonly problems: readonly string[] }> {
  const isNumbered = (await sql.all(dialect.columnsOf, ['holdfast_migration'])).length > 0
  const applied = new Map<number, { readonly name: string; readonly checksum: string }>()
  if (isNumbered) {
    for (const row of await sql.all('SELECT number, name, checksum FROM holdfast_migration ORDER BY number'))
      applied.set(Number(row['number']), { name: String(row['name']), checksum: String(row['checksum']) })
  }
  const problems: string[] = []
  const steps: Step[] = []
  const known = new Set(migrations.map(({ number }) => number))
  for (const [number, { name }] of applied) {
    if (!known.has(number))
      problems.push(
        `The database was made by a newer Holdfast: it has migration ${number} (${name}), and this version knows ${migrations.length}. Install the newer version again, or restore a backup from before it`,
      )
  }
  let isFirst = !isNumbered
  for (const migration of migrations) {
    const { number, name } = migration
    const checksum = checksumOf(migration, dialect)
    const before = applied.get(number)
    if (before !== undefined) {
      if (before.checksum !== checksum)
        problems.push(
          `Migration ${number} (${name}) was applied to this database with another text than this version has (checksum ${before.checksum.slice(0, 12)}, here ${checksum.slice(0, 12)}): another version of Holdfast made it. Install that version, or restore a backup`,
        )
      continue
    }
    if ([...applied.keys()].some((other) => other > number)) {
      problems.push(
        `Migration ${number} (${name}) was never applied to this database, and a later one was: the table holdfast_migration was changed by hand. Restore a backup`,
      )
      continue
    }
    const texts = [...(isFirst ? [LEDGER] : []), ...migration.statements(dialect)]
    isFirst = false
    steps.push({
      what: `migration ${number} of the engine’s tables (${name})`,
      statements: [
        ...texts.map((text) => ({ text })),
        {
          text: 'INSERT INTO holdfast_migration (number, name, checksum, at) VALUES (?, ?, ?, ?)',
          parameters: [number, name, checksum, at],
        },
      ],
    })
  }
  return { steps, problems }
}
