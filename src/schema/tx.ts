// The transaction that a mutator sees: the same on the device and at the authority. Here are its rules (what an insert, an update
// or a delete demands and writes); where rows come from and go to is a TxSource: the device's draft or the authority's buffer.
// Writes nothing by itself and decides no rights.

import type { Code, Details } from '../base/errors.ts'
import { isRecord, jsonProblem, plainText } from '../base/json.ts'
import { derivedUuid } from '../base/random.ts'
import type { App } from './app.ts'
import { MAX_ID_LENGTH } from './column.ts'
import { createQuery, type Filter, type Query, type QuerySpec } from './query.ts'
import { type InsertOf, type PatchOf, type Row, rowProblem, type TxRowOf } from './table.ts'

/** Longest details of a rejection, in UTF-16 units of their JSON. */
export const MAX_DETAILS_LENGTH = 4_096

/** Why details cannot be part of an outcome, or undefined. */
function detailsProblem(details: unknown): string | undefined {
  if (!isRecord(details)) return 'they must be an object'
  const problem = jsonProblem(details)
  if (problem !== undefined) return problem
  const { length } = JSON.stringify(details)
  return length <= MAX_DETAILS_LENGTH ? undefined : `they have ${length} characters, the limit is ${MAX_DETAILS_LENGTH}`
}

/** Thrown by tx to refuse an intent on purpose: the intent is decided as rejected with this code. */
export class Rejection extends Error {
  readonly code: string
  readonly details: Details
  constructor(code: string, details: Details) {
    super(`The mutator rejected the intent: ${code}`)
    this.name = 'Rejection'
    this.code = code
    // An outcome that no decoder takes would stop its device's queue for ever, so nothing else gets this far.
    this.details = detailsProblem(details) === undefined ? details : {}
  }
}

/** Where a transaction reads and writes. Rows go in and out without positions; the source holds the writes until the run is over. */
export interface TxSource {
  get(table: string, id: string): Row | undefined | Promise<Row | undefined>
  find(query: QuerySpec): readonly Row[] | Promise<readonly Row[]>
  /** For the existence check of an insert: as `get`, but a source that is not sure answers undefined. */
  taken(table: string, id: string): boolean | Promise<boolean>
  insert(table: string, row: Row): void | Promise<void>
  /** `names` are the columns that were set, also those that stay as they were. */
  update(table: string, before: Row, after: Row, names: readonly string[]): void | Promise<void>
  delete(table: string, before: Row): void | Promise<void>
  /** Only at the authority: a statement in the app's own database, inside this transaction. */
  sql?(text: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Hears of every verb that was begun: for a source that waits for those which the mutator did not await. */
  began?(verb: Promise<unknown>): void
}

/** A value bound into a statement. */
export type SqlValue = string | number | bigint | boolean | null | Uint8Array
/** A row of a statement's result. */
export type SqlRow = { readonly [column: string]: SqlValue }

/** Whose intent runs, when it was made, and what its ids are derived from. */
export interface TxContext {
  readonly actor: string
  /** When the intent was made, by the clock of its device: milliseconds since 1970. */
  readonly madeAt: number
  /** The id of the first intent of a line of retries and edits. */
  readonly rootId: string
}

/** One table inside a transaction. */
export interface TxTable<T> {
  /** The row with this id, or undefined when it is absent or not visible to the actor. */
  get(id: string): Promise<TxRowOf<T> | undefined>
  /** Adds a row; rejects with `row_exists` when the id is taken and with `row_invalid` when a value does not fit its column. */
  insert(row: InsertOf<T>): Promise<void>
  /** Changes columns of a row; rejects with `row_gone` when it is absent. */
  update(id: string, patch: PatchOf<T>): Promise<void>
  /** Deletes a row; rejects with `row_gone` when it is absent. */
  delete(id: string): Promise<void>
  /** The visible rows that meet all conditions. */
  where(filter: Filter<TxRowOf<T>>): TxQuery<TxRowOf<T>>
}

/** A query inside a transaction. */
export interface TxQuery<R> {
  where(filter: Filter<R>): TxQuery<R>
  orderBy(column: Parameters<Query<R>['orderBy']>[0], direction?: 'asc' | 'desc'): TxQuery<R>
  limit(rows: number): TxQuery<R>
  /** All rows of the answer. */
  all(): Promise<readonly R[]>
  /** The first row of the answer, or undefined. */
  first(): Promise<R | undefined>
}

/** What every transaction has besides its tables. */
export interface TxBase {
  /** Who made the intent. */
  readonly actor: string
  /** When the intent was made, in milliseconds since 1970; by the device's clock, so never a basis for order. */
  readonly now: number
  /** An id that is the same on every run of this intent, of its retries and edits, here and at the authority; labels keep ids apart. */
  newId(label: string): string
  /** Refuses the intent: it is decided as rejected with `code` (1 to 64 of a-z, 0-9, _) and `details`. */
  reject(code: string, details?: Details): never
  /** Only at the authority; on the device it throws, so a mutator that needs it has another body there. */
  sql(text: string, parameters?: readonly SqlValue[]): Promise<readonly SqlRow[]>
}

/** The transaction of an app with these tables. */
export type Tx<Tables> = TxBase & { readonly [Name in keyof Tables]: TxTable<Tables[Name]> }

/** Names that a table cannot have, because the transaction has them. */
export const TX_NAMES: ReadonlySet<string> = new Set(['actor', 'now', 'newId', 'reject', 'sql', 'then'])

/** Makes the transaction of one run over a source. */
export function createTx(app: App, source: TxSource, context: TxContext): Tx<App['tables']> {
  // A table's verbs are made when a run first names it: most runs touch one or two tables.
  const made = new Map<string, TxTable<unknown>>()
  const tx: TxBase & WithTables = {
    actor: context.actor,
    now: context.madeAt,
    newId: (label: string) => derivedUuid(context.rootId, label),
    reject,
    sql: (text: string, parameters: readonly SqlValue[] = []) => heard(source, runSql(source, text, parameters)),
    [tableOf](name) {
      const table = made.get(name) ?? tableVerbs(app, name, source)
      made.set(name, table)
      return table
    },
  }
  return Object.defineProperties(tx, gettersOf(app)) as unknown as Tx<App['tables']>
}

const tableOf = Symbol('tableOf')

/** What the getters of a transaction find its tables by. */
interface WithTables {
  [tableOf](name: string): TxTable<unknown>
}

const getters = new WeakMap<App, PropertyDescriptorMap>()

/**
 * One getter for each table, shared by all transactions of an app. With getters of its own, each transaction would have a shape of its
 * own, and what a shape refers to lives until the whole heap is collected: all that the run had made, several kilobytes a run.
 */
function gettersOf(app: App): PropertyDescriptorMap {
  let shared = getters.get(app)
  if (shared === undefined) {
    const described = app.tableNames.map((name): [string, PropertyDescriptor & ThisType<WithTables>] => [
      name,
      {
        enumerable: true,
        get() {
          return this[tableOf](name)
        },
      },
    ])
    shared = Object.fromEntries(described)
    getters.set(app, shared)
  }
  return shared
}

async function runSql(source: TxSource, text: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
  if (source.sql === undefined)
    throw new TypeError('tx.sql exists only at the authority: give the mutator another body there')
  return source.sql(text, parameters)
}

function reject(code: string, details: Details = {}): never {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(code))
    throw new TypeError(`tx.reject: the code ${JSON.stringify(code)} must be 1 to 64 of a-z, 0-9 and _`)
  const problem = detailsProblem(details)
  if (problem !== undefined) throw new TypeError(`tx.reject: in details, ${problem}`)
  throw new Rejection(code, details)
}

function tableVerbs(app: App, name: string, source: TxSource): TxTable<unknown> {
  const { columns } = app.table(name)
  const refuse = (code: Code, details: Details): never => {
    throw new Rejection(code, { table: name, ...details })
  }
  const refuseRow = (problem: string, id: unknown): never =>
    refuse('row_invalid', { ...named(id), problem: plainText(problem, 200) })
  type Values = { readonly [column: string]: unknown }
  const begin =
    <Input extends readonly unknown[]>(verb: (...input: Input) => Promise<unknown>) =>
    (...input: Input) =>
      heard(source, verb(...input))
  const held = async (id: string): Promise<Row> => (await source.get(name, id)) ?? refuse('row_gone', named(id))
  return {
    get: begin(async (id: string) => source.get(name, id)),
    insert: begin(async (values: Values) => {
      const problem = rowProblem(columns, values, 'whole')
      if (problem !== undefined) refuseRow(problem, values['id'])
      const row = wholeRow(columns, values)
      if (await source.taken(name, row.id)) refuse('row_exists', { id: row.id })
      await source.insert(name, row)
    }),
    update: begin(async (id: string, patch: Values) => {
      const before = await held(id)
      const problem = rowProblem(columns, patch, 'patch')
      if (problem !== undefined) refuseRow(problem, id)
      const names = Object.keys(patch).filter((column) => patch[column] !== undefined)
      await source.update(name, before, patchedRow(before, patch, names), names)
    }),
    delete: begin(async (id: string) => source.delete(name, await held(id))),
    where: (filter: Values) => chain(source, createQuery<Values>(name, app.checkRead).where(filter)),
  } as unknown as TxTable<unknown>
}

/** A verb that a mutator forgot to await must not end the process when it rejects. */
function heard<Result>(source: TxSource, verb: Promise<Result>): Promise<Result> {
  verb.catch(() => undefined)
  source.began?.(verb)
  return verb
}

/** The id of a row as it may stand in details. */
function named(id: unknown): Details {
  return typeof id === 'string' ? { id: plainText(id, MAX_ID_LENGTH) } : {}
}

type AnyQuery = Query<{ readonly [column: string]: unknown }>

function chain(source: TxSource, query: AnyQuery): unknown {
  const find = async ({ spec }: AnyQuery) => source.find(spec)
  return {
    where: (filter: Parameters<AnyQuery['where']>[0]) => chain(source, query.where(filter)),
    orderBy: (column: string, direction?: 'asc' | 'desc') => chain(source, query.orderBy(column as never, direction)),
    limit: (rows: number) => chain(source, query.limit(rows)),
    all: () => heard(source, find(query)),
    first: () =>
      heard(
        source,
        find(query.limit(Math.min(query.spec.limit ?? 1, 1))).then(([row]) => row),
      ),
  }
}

/** The stored form of an insert: its columns in declared order, without positions, null where a nullable one was left out. */
function wholeRow(columns: App['tables'][string]['columns'], values: { readonly [column: string]: unknown }): Row {
  const row: { [column: string]: unknown } = {}
  for (const column of Object.keys(columns)) {
    if (columns[column]?.type !== 'appendIndex') row[column] = values[column] ?? null
  }
  return row as Row
}

/** The row with its patch: a column whose value is undefined stays as it was. */
function patchedRow(before: Row, patch: { readonly [column: string]: unknown }, names: readonly string[]): Row {
  const row: { [column: string]: unknown } = { ...before }
  for (const column of names) row[column] = patch[column]
  return row as Row
}
