// One fingerprint of everything that an app declares, so that both sides can tell whether they speak of the same app.
import { hashJson, type Json } from '../base/json.ts'
import type { Aggregate } from './aggregate.ts'
import type { Mutator } from './mutator.ts'
import type { Table } from './table.ts'

/** The SHA-256 over tables, columns, scopes, aggregates and mutator versions; bodies of functions are not part of it. */
export function fingerprintApp(
  tables: { readonly [name: string]: Table },
  aggregates: { readonly [name: string]: Aggregate },
  mutators: { readonly [name: string]: Mutator },
): string {
  const described: Json = {
    tables: mapValues(tables, (table) => ({
      columns: mapValues(table.columns, (column) => ({
        type: column.type,
        nullable: column.isNullable,
        target: column.target,
      })),
      scope: { ...table.scopeRule },
    })),
    aggregates: mapValues(aggregates, ({ of, by, measures }) => ({
      of,
      by,
      measures: mapValues(measures, ({ kind, decimals }) => ({ kind, decimals })),
    })),
    mutators: mapValues(mutators, ({ version, conflict }) => ({ version, conflict })),
  }
  return hashJson(described)
}

function mapValues<Value>(
  record: { readonly [name: string]: Value },
  map: (value: Value) => Json,
): { readonly [name: string]: Json } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
}
