// A mutator's query at the authority against the meaning that the device gives to the same data.
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { comparatorOf, matches, type QuerySpec } from '../../src/schema/query.ts'
import type { Row } from '../../src/schema/table.ts'
import { layOut } from '../../src/server/db/layout.ts'
import { migrate } from '../../src/server/db/migrate.ts'
import { selectRows } from '../../src/server/rights/select.ts'
import { MIGRATIONS } from '../../src/server/state/tables.ts'
import { freshBase, openBase } from './bases.ts'
import { app } from './scenario.ts'

const text = fc.constantFrom('', 'a', 'B', 'b', 'é', '🏋️', '\uffee', '5', 'user')
const value = fc.oneof(text, fc.constantFrom(-1.5, 0, 1, 5, 1e300), fc.boolean(), fc.constant(null))
const column = fc.constantFrom('id', 'ownerId', 'name', 'note', 'done')
const condition = fc.oneof(
  fc.record({
    column,
    is: fc.constantFrom('eq' as const, 'ne' as const, 'lt' as const, 'lte' as const, 'gt' as const, 'gte' as const),
    value,
  }),
  fc.record({ column, is: fc.constant('in' as const), value: fc.array(value, { maxLength: 4 }) }),
)
const query: fc.Arbitrary<QuerySpec> = fc.record({
  table: fc.constant('workouts'),
  where: fc.array(condition, { maxLength: 3 }),
  orderBy: fc.array(
    fc.record({
      column: fc.constantFrom('name', 'note', 'done', 'ownerId'),
      direction: fc.constantFrom('asc' as const, 'desc' as const),
    }),
    { maxLength: 2 },
  ),
  limit: fc.option(fc.nat(6), { nil: undefined }),
})
const row = fc.record({
  ownerId: fc.constantFrom('anna', 'ben'),
  name: text,
  note: fc.option(text, { nil: null }),
  done: fc.boolean(),
})

test('[I9] a query in SQL gives the same rows in the same order as its meaning, of granted scopes only', async () => {
  const database = openBase(freshBase())
  onTestFinished(() => database.close())
  const layout = layOut(app, database.dialect)
  await migrate(database, layout, MIGRATIONS, 0, 'apply')
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 12 }),
      query,
      fc.constantFrom<readonly string[] | undefined>(
        [],
        ['user:anna'],
        ['user:anna', 'user:ben', 'gym:oak'],
        undefined,
      ),
      async (rows, spec, scopes) => {
        const made: Row[] = rows.map((each, index) => ({ id: `w${index}`, ...each, extra: null }))
        const found = await database.write(async (sql) => {
          await sql.run('DELETE FROM workouts')
          const table = layout.table('workouts')
          await sql.insert(
            table.insertHead,
            made.map((each) => table.writeValues(each)),
          )
          return selectRows(sql, layout, spec, scopes === undefined ? undefined : new Set(scopes))
        })
        const expected = made
          .filter(
            (each) =>
              (scopes === undefined || scopes.includes(`user:${String(each['ownerId'])}`)) && matches(spec.where, each),
          )
          .sort(comparatorOf(spec.orderBy))
        expect(found).toEqual(expected.slice(0, spec.limit))
      },
    ),
    { numRuns: 1_000 },
  )
})

test('a query over a column that a mutator does not see is refused', async () => {
  const database = openBase(freshBase())
  onTestFinished(() => database.close())
  const layout = layOut(app, database.dialect)
  const where = [{ column: 'position', is: 'eq' as const, value: 1 }]
  await expect(
    database.read((sql) => selectRows(sql, layout, { table: 'sets', where, orderBy: [], limit: undefined }, undefined)),
  ).rejects.toThrow('sets has no column "position"')
})
