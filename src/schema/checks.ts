// Whether what an app declares fits together, and whether a query can be asked: what the types say too, said in a sentence, with its
// place, to whoever comes without them. Only a developer's mistake can fail here, so an app looks at its declaration in Node and under
// development (index.ts), the authority looks at the same one again when it is made, and a page in production does not load this file
// (lean.ts). With it come the words of the codes, which errors then say. What may be wrong because of a person's data is checked where
// the data are.
import { CODES } from '../base/codes.ts'
import { speak } from '../base/errors.ts'
import type { Aggregate } from './aggregate.ts'
import { type Aggregates, type Checks, type DefineApp, type Mutators, makeApp, type Tables } from './app.ts'
import type { Column } from './column.ts'
import { MAX_MUTATOR_VERSION, type Mutator } from './mutator.ts'
import type { QueryCheck } from './query.ts'
import { type Columns, nameProblem, type Table } from './table.ts'
import { TX_NAMES } from './tx.ts'

speak(CODES)

/** Throws a TypeError that names the table, column, aggregate or mutator of an app that does not fit. */
export const checkApp: Checks['app'] = ({ tables, aggregates, mutators }) => {
  checkTables(tables)
  checkAggregates(aggregates, tables)
  checkMutators(mutators)
}

/** Declares an app. Throws a TypeError that names the table, column or mutator when something does not fit together. */
export const defineApp: DefineApp = (definition) => makeApp(definition, { app: checkApp, query: checkQueries })

function throwIf(problem: string | undefined, where: string): void {
  if (problem !== undefined) throw new TypeError(`defineApp: ${where}: ${problem}`)
}

function checkTables(tables: Tables): void {
  if (Object.keys(tables).length === 0) throw new TypeError('defineApp: declare at least one table')
  const lowerNames = new Set<string>()
  for (const [name, table] of Object.entries(tables)) {
    const where = `table ${name}`
    throwIf(nameProblem(name), where)
    if (TX_NAMES.has(name)) throwIf(`${name} is a name that the transaction itself uses`, where)
    if (lowerNames.has(name.toLowerCase()))
      throwIf('another table has the same name in other case, which SQL does not tell apart', where)
    lowerNames.add(name.toLowerCase())
    if (table.scopeRule === undefined)
      throwIf('say whose its rows are with .scope(kind, column) or .scopeVia(column)', where)
    const { scopeRule } = table
    if (scopeRule.via === 'column' && !/^[a-z][a-z0-9_-]{0,31}$/i.test(scopeRule.kind))
      throwIf(
        `the kind of scope ${JSON.stringify(scopeRule.kind)} must be 1 to 32 letters, digits, _ or -, beginning with a letter`,
        where,
      )
    if (table.columns['id']?.type !== 'id') throwIf('it needs a column id: t.id()', where)
    const lowerColumns = new Set<string>()
    for (const [columnName, column] of Object.entries(table.columns)) {
      const at = `${where}, column ${columnName}`
      throwIf(nameProblem(columnName), at)
      if (columnName === 'sync') throwIf('rows of queries have a property sync of their own', at)
      if (lowerColumns.has(columnName.toLowerCase())) throwIf('another column has the same name in other case', at)
      lowerColumns.add(columnName.toLowerCase())
      if (column.type === 'id' && columnName !== 'id') throwIf('only the column id is made with t.id()', at)
      if (column.type === 'id' && column.isNullable) throwIf('the id of a row is never null', at)
      if (column.type === 'ref' && !Object.hasOwn(tables, column.target))
        throwIf(`it refers to ${column.target}, which is no table of this app`, at)
      if (column.type === 'appendIndex') {
        const parent = ownColumn(table, column.target)
        if (parent?.type !== 'ref' || parent.isNullable)
          throwIf(`its parent ${column.target} must be a column of this table made with t.ref that is never null`, at)
        if (!/^(keep|never-reuse)$/.test(column.gaps ?? ''))
          throwIf(`gaps is ${column.gaps}, it must be keep or never-reuse`, at)
      }
    }
    const scopeColumn = ownColumn(table, table.scopeRule.column)
    if (scopeColumn === undefined || scopeColumn.isNullable)
      throwIf(`its scope comes from ${table.scopeRule.column}, which must be a column that is never null`, where)
    if (table.scopeRule.via === 'parent' && scopeColumn?.type !== 'ref')
      throwIf(`scopeVia names ${table.scopeRule.column}, which must be made with t.ref`, where)
    if (scopeColumn !== undefined && !['text', 'id', 'ref'].includes(scopeColumn.type))
      throwIf(`its scope comes from ${table.scopeRule.column}, which must hold texts: t.text, t.id or t.ref`, where)
  }
  for (const name of Object.keys(tables)) checkScopeEnds(tables, name)
}

function ownColumn(table: Table, name: string): Column | undefined {
  return Object.hasOwn(table.columns, name) ? table.columns[name] : undefined
}

/** Following scopeVia must end at a table with a scope of its own. */
function checkScopeEnds(tables: Tables, name: string): void {
  const seen = new Set<string>()
  for (let at = name; ; ) {
    if (seen.has(at)) throwIf(`scopeVia leads round in a circle: ${[...seen, at].join(' → ')}`, `table ${name}`)
    seen.add(at)
    const table = tables[at] as Table
    if (table.scopeRule.via !== 'parent') return
    at = table.columns[table.scopeRule.column]?.target ?? ''
  }
}

function checkAggregates(aggregates: Aggregates, tables: Tables): void {
  const lowerNames = new Map(Object.keys(tables).map((name) => [name.toLowerCase(), 'a table']))
  for (const [name, { of, by, measures, version }] of Object.entries(aggregates)) {
    const where = `aggregate ${name}`
    if (!Number.isSafeInteger(version) || version < 1) throwIf(`version is ${version}, it must be 1 or more`, where)
    throwIf(nameProblem(name), where)
    const other = lowerNames.get(name.toLowerCase())
    if (other !== undefined) throwIf(`${other} has the same name, and SQL does not tell upper case from lower`, where)
    lowerNames.set(name.toLowerCase(), 'another aggregate')
    const table = Object.hasOwn(tables, of) ? tables[of] : undefined
    if (table === undefined) throwIf(`it is over ${of}, which is no table of this app`, where)
    else if (table.scopeRule.column !== by)
      throwIf(`group by ${table.scopeRule.column}, by which ${of} finds its scope: a group must not span scopes`, where)
    if (Object.keys(measures).length === 0) throwIf('it has no values', where)
    const lowerMeasures = new Set(['id'])
    for (const [measure, made] of Object.entries(measures)) {
      throwIf(nameProblem(measure), `${where}, value ${measure}`)
      if (typeof made?.add !== 'function') throwIf(`${measure} is not made with count, sum, min, max or compute`, where)
      if (!Number.isInteger(made.decimals) || made.decimals < 0 || made.decimals > 9)
        throwIf(`decimals is ${made.decimals}, it must be 0 to 9`, `${where}, value ${measure}`)
      if (measure === 'id' || measure === 'sync') throwIf('a value cannot be named id or sync', where)
      if (lowerMeasures.has(measure.toLowerCase())) throwIf(`${measure} is there already in other case`, where)
      lowerMeasures.add(measure.toLowerCase())
    }
  }
}

function checkMutators(mutators: Mutators): void {
  for (const [name, { schema, body, version, upgrades, dedupe }] of Object.entries<Mutator>(mutators)) {
    const where = `mutator ${name}`
    throwIf(nameProblem(name), where)
    if (name === 'then') throwIf('a promise would be seen in what has a member then; choose another name', where)
    if (typeof schema?.['~standard']?.validate !== 'function')
      throwIf(
        'it needs a schema of its arguments: anything that speaks Standard Schema, such as a schema of valibot',
        where,
      )
    if (typeof body !== 'function') throwIf('it needs a body: async (tx, input) => { … }', where)
    if (!Number.isSafeInteger(version) || version < 1 || version > MAX_MUTATOR_VERSION)
      throwIf(`its version is ${version}, it must be a whole number from 1 to ${MAX_MUTATOR_VERSION}`, where)
    for (const from of Object.keys(upgrades)) {
      if (!/^[1-9]\d*$/.test(from) || Number(from) >= version)
        throwIf(`upgrades has a step from version ${from}, but this is version ${version}`, where)
    }
    const { withinMs } = dedupe ?? { withinMs: 1 }
    if (!Number.isSafeInteger(withinMs) || withinMs < 1)
      throwIf(`dedupe.withinMs is ${withinMs}, it must be a whole number of milliseconds from 1`, where)
  }
}

const comparisons: readonly string[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in']

const checkQueries: Checks['query'] = ({ tables, aggregates }, by): QueryCheck => {
  return ({ table, where, orderBy }) => {
    const aggregate = aggregates[table]
    const columns: Columns = tables[table]?.columns ?? columnsOf(aggregate)
    const checkColumn = (name: string, step: string): void => {
      const column = Object.hasOwn(columns, name) ? columns[name] : undefined
      if (column === undefined)
        throw new TypeError(
          `${step}: ${table} has no column ${JSON.stringify(name)}; it has ${Object.keys(columns).join(', ')}`,
        )
      if (column.type === 'json' && aggregate === undefined)
        throw new TypeError(`${step}: ${table}.${name} holds JSON, which can be neither filtered nor ordered by`)
      if (by === 'mutator' && column.type === 'appendIndex')
        throw new TypeError(`${step}: ${table}.${name} is given by the authority and not seen by mutators`)
    }
    for (const { column, is, value } of where) {
      checkColumn(column, 'where')
      if (!comparisons.includes(is))
        throw new TypeError(`where: ${column} has the comparison ${is}; there are ${comparisons.join(', ')}`)
      if (is === 'in' && !Array.isArray(value))
        throw new TypeError(`where: ${column} is compared by in, which needs an array`)
    }
    for (const { column, direction } of orderBy) {
      checkColumn(column, 'orderBy')
      if (direction !== 'asc' && direction !== 'desc')
        throw new TypeError(`orderBy: ${column} is ordered ${JSON.stringify(direction)}; there are asc and desc`)
    }
  }
}

function columnsOf(aggregate: Aggregate | undefined): Columns {
  const columns: { [name: string]: Column } = { id: { type: 'id', isNullable: false, target: '' } }
  for (const [name, { column }] of Object.entries(aggregate?.measures ?? {})) columns[name] = column
  return columns
}
