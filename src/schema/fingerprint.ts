// One fingerprint of everything that an app declares, so that both sides can tell whether they speak of the same app.
import type { Json } from '../base/json.ts'
import { derivedUuid } from '../base/random.ts'
import type { Aggregate } from './aggregate.ts'
import type { Mutator } from './mutator.ts'
import type { Table } from './table.ts'

/** Under which fingerprints are derived; drawn once. */
const NAMESPACE = 'f2b7a1de-5c4e-4c0b-9d3c-61d0a8e5b7c4'

/**
 * A UUID derived from tables, columns, scopes, aggregates and mutator versions, in whatever order they were declared; bodies of
 * functions are not part of it.
 */
export function fingerprintApp(
  tables: { readonly [name: string]: Table },
  aggregates: { readonly [name: string]: Aggregate },
  mutators: { readonly [name: string]: Mutator },
): string {
  const described: Json = [
    inOrder(tables, ({ columns, scopeRule }) => [
      inOrder(columns, ({ type, isNullable, target, gaps }) => [
        type,
        isNullable,
        target,
        ...(gaps === 'never-reuse' ? [gaps] : []),
      ]),
      scopeRule.via === 'column' ? scopeRule.kind : null,
      scopeRule.column,
    ]),
    inOrder(aggregates, describeAggregate),
    inOrder(mutators, ({ version, conflict }) => [version, conflict]),
  ]
  return derivedUuid(NAMESPACE, JSON.stringify(described))
}

/** What a declared aggregate says, but for its functions: for those its version stands. */
export function describeAggregate({ of, by, measures, version }: Aggregate): readonly Json[] {
  const values = inOrder(measures, ({ kind, decimals }) => [kind, decimals])
  return [of, by, values, ...(version === 1 ? [] : [version])]
}

/** Each with its name, by name: equal declarations give one text. */
function inOrder<Value>(
  record: { readonly [name: string]: Value },
  describe: (value: Value) => readonly Json[],
): readonly Json[] {
  return Object.keys(record)
    .sort()
    .map((name) => [name, ...describe(record[name] as Value)])
}
