// Rows of every scope, read straight from a snapshot: what the app's function of grants may look at outside a batch.
import type { Sql } from '../db/db.ts'
import type { Layout } from '../db/layout.ts'
import type { GrantsSource } from './grants.ts'
import { selectRows } from './select.ts'

/** A source over one snapshot. */
export function readAll(sql: Sql, layout: Layout): GrantsSource {
  return {
    async get(name, id) {
      const [row] = await selectRows(
        sql,
        layout,
        { table: name, where: [{ column: 'id', is: 'eq', value: id }], orderBy: [], limit: 1 },
        undefined,
      )
      return row
    },
    find: (query) => selectRows(sql, layout, query, undefined),
  }
}
