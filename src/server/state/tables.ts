// The engine's own tables as numbered migrations, in the order in which they are applied. Each file of this folder owns its tables and
// writes their statements; here is only which of them belong to which number. A number that was released keeps its text for good: the
// texts are hashed and compared at every start, and test/server/migrations.test.ts holds the hashes.
import { declaredTables } from '../db/declared.ts'
import type { Migration } from '../db/migrations.ts'
import { positionTables } from './append-index.ts'
import { authorTables } from './authors.ts'
import { changeLogTables } from './change-log.ts'
import { commitTables } from './commits.ts'
import { dedupeTables } from './dedupe.ts'
import { ledgerTables } from './ledger.ts'
import { markTables } from './marks.ts'
import { pruningTables } from './prunings.ts'
import { watchedTables } from './watched.ts'

/** All migrations of the engine's tables. */
export const MIGRATIONS: readonly Migration[] = [
  {
    // Databases of 0.1.0 have these tables and no numbers: whatever is there already is taken over as it is.
    number: 1,
    name: 'marks, scopes, change log, ledger, watched tables',
    statements: (dialect) => [
      ...markTables(dialect),
      ...commitTables(dialect),
      ...changeLogTables(dialect),
      ...ledgerTables(dialect),
      ...watchedTables(dialect),
    ],
  },
  { number: 2, name: 'runs of pruning', statements: pruningTables },
  { number: 3, name: 'calls without a key', statements: dedupeTables },
  {
    number: 4,
    name: 'declarations of aggregates, positions that were given',
    statements: (dialect) => [...declaredTables(dialect), ...positionTables(dialect)],
  },
  { number: 5, name: 'who wrote a row last', statements: authorTables },
]
