// The contract of the authority as one list of cases, the same for every database: what the issue of the authority lists, item by item.
// No test framework is imported; `npm run contract` runs them, and the test suite does.
import { aggregatesCases } from './aggregates.ts'
import { anyWriterCases } from './any-writer.ts'
import { appendIndexCases } from './append-index.ts'
import { callersCases } from './callers.ts'
import { conflictsCases } from './conflicts.ts'
import { dedupeCases } from './dedupe.ts'
import { defenceCases } from './defence.ts'
import { derivedCases } from './derived.ts'
import { evolutionCases } from './evolution.ts'
import { existingTablesCases } from './existing-tables.ts'
import { grantsCases } from './grants.ts'
import type { AuthorityCase } from './ground.ts'
import { hostileCases } from './hostile.ts'
import { idempotencyCases } from './idempotency.ts'
import { liveCases } from './live.ts'
import { numbersCases } from './numbers.ts'
import { ownSqlCases } from './own-sql.ts'
import { plainCases } from './plain.ts'
import { rerunCases } from './rerun.ts'
import { retentionCases } from './retention.ts'
import { rightsCases } from './rights.ts'
import { straysCases } from './strays.ts'

/** The parts of the contract by their numbers. */
export const ITEMS: { readonly [item: number]: string } = {
  2: 'existing tables',
  3: 'any writer',
  4: 'scopes and rights',
  5: 'idempotency',
  6: 'fallback dedupe',
  7: 'append indexes and aggregates',
  8: 'conflicts',
  9: 'evolution',
  10: 'live',
  11: 'limits and defence',
  12: 'retention and history',
}

/** All cases. */
export const AUTHORITY_CASES: readonly AuthorityCase[] = [
  ...existingTablesCases,
  ...anyWriterCases,
  ...ownSqlCases,
  ...rightsCases,
  ...straysCases,
  ...grantsCases,
  ...idempotencyCases,
  ...numbersCases,
  ...plainCases,
  ...dedupeCases,
  ...appendIndexCases,
  ...aggregatesCases,
  ...derivedCases,
  ...rerunCases,
  ...conflictsCases,
  ...evolutionCases,
  ...liveCases,
  ...defenceCases,
  ...hostileCases,
  ...callersCases,
  ...retentionCases,
]
