// Tables: columns, and to which scope a row belongs. The scope of a row is the unit of partial sync, permission and order.
import { cutText, refusedKeys } from '../base/json.ts'
import { type Column, type ValueOf, valueProblem } from './column.ts'

/** The columns of a table by name. */
export type Columns = { readonly [name: string]: Column }

/**
 * How a row finds its scope: from a column of its own, or from the row that a column refers to. In a table of the engine a column may
 * hold the whole scope.
 */
export type ScopeRule =
  | { readonly via: 'column'; readonly kind: string; readonly column: string }
  | { readonly via: 'value'; readonly column: string }
  | { readonly via: 'parent'; readonly column: string }

/** Where the rows of a table stand that was there before the engine: the names of an SQL table and of those of its columns that have others. */
export interface StoredAs {
  readonly table: string
  readonly columns: { readonly [column: string]: string }
}

/** A declared table. */
export interface Table<C extends Columns = Columns> {
  readonly columns: C
  readonly scopeRule: ScopeRule
  /** Only for a table that the engine does not make. Devices know nothing of it, and it is not part of the app's fingerprint. */
  readonly storedAs?: StoredAs
}

/** A table that may still be said to stand in the database already. */
export interface ScopedTable<C extends Columns> extends Table<C> {
  /**
   * The rows stand in the SQL table `name`, which the app made: the engine adds its triggers there and nothing else, and checks at the
   * start whether it fits. `columns` gives the SQL names of columns that are called otherwise there.
   */
  existing(name: string, columns?: SqlNames<C>): Table<C>
}

/** A table that does not yet say whose its rows are; `defineApp` takes it only after `scope` or `scopeVia`. */
export interface UnscopedTable<C extends Columns> {
  readonly columns: C
  /** Rows belong to the scope `kind:value`, with the value of `column`: `.scope('user', 'ownerId')` gives `user:42`. */
  scope(kind: string, column: NamesOf<C, 'text' | 'id' | 'ref'>): ScopedTable<C>
  /** Rows belong to the scope of the row that `column` refers to, and follow it when it moves. */
  scopeVia(column: NamesOf<C, 'ref'>): ScopedTable<C>
}

/** SQL names by declared names. */
export type SqlNames<C extends Columns> = { readonly [Name in keyof C & string]?: string }

type NamesOf<C extends Columns, Type extends string> = {
  [Name in keyof C & string]: C[Name] extends Column<infer Value, infer T extends never | Column['type']>
    ? T extends Type
      ? null extends Value
        ? never
        : Name
      : never
    : never
}[keyof C & string]

/** Makes wrong columns a compile-time sentence. */
type Checked<C extends Columns> = (C extends { readonly id: Column<string, 'id'> }
  ? unknown
  : { readonly id: 'Every table needs a column id: t.id()' }) & {
  readonly [Name in keyof C]: C[Name] extends Column<unknown, 'appendIndex', infer Parent>
    ? Parent extends NamesOf<C, 'ref'>
      ? unknown
      : 'appendIndex names a column of this table made with t.ref'
    : unknown
}

/** Declares a table. Names are 1 to 63 letters, digits and underscores, beginning with a letter. */
export function table<const C extends Columns>(columns: C & Checked<C>): UnscopedTable<C> {
  const made = { columns: Object.freeze({ ...columns }) as C }
  const scoped = (rule: ScopeRule): ScopedTable<C> => {
    const whole = { ...made, scopeRule: Object.freeze(rule) }
    return Object.freeze({
      ...whole,
      existing: (table: string, columns: SqlNames<C> = {}): Table<C> => {
        const storedAs = Object.freeze({ table, columns: Object.freeze({ ...(columns as StoredAs['columns']) }) })
        return Object.freeze({ ...whole, storedAs })
      },
    })
  }
  return Object.freeze({
    ...made,
    scope: (kind: string, column: string): ScopedTable<C> => scoped({ via: 'column', kind, column }),
    scopeVia: (column: string): ScopedTable<C> => scoped({ via: 'parent', column }),
  })
}

type Position = Column<unknown, 'appendIndex'>
type Nullable<C extends Columns> = { [Name in keyof C]: null extends ValueOf<C[Name]> ? Name : never }[keyof C]
type Positions<C extends Columns> = { [Name in keyof C]: C[Name] extends Position ? Name : never }[keyof C]
type Flat<T> = { [K in keyof T]: T[K] }

/** A row as queries show it. */
export type RowOf<T> = T extends { readonly columns: infer C extends Columns }
  ? { readonly [Name in keyof C]: ValueOf<C[Name]> }
  : never

/** A row as a mutator sees it: without positions, which only the authority gives. */
export type TxRowOf<T> = T extends { readonly columns: infer C extends Columns }
  ? { readonly [Name in Exclude<keyof C, Positions<C>>]: ValueOf<C[Name]> }
  : never

/** What an insert takes: every column but positions; a nullable column that is left out is null. */
export type InsertOf<T> = T extends { readonly columns: infer C extends Columns }
  ? Flat<
      { readonly [Name in Exclude<keyof C, Positions<C> | Nullable<C>>]: ValueOf<C[Name]> } & {
        readonly [Name in Exclude<Nullable<C>, Positions<C>>]?: ValueOf<C[Name]>
      }
    >
  : never

/** What an update takes: any columns but the id and positions. */
export type PatchOf<T> = T extends { readonly columns: infer C extends Columns }
  ? { readonly [Name in Exclude<keyof C, Positions<C> | 'id'>]?: ValueOf<C[Name]> }
  : never

/** A row of any table: its id and JSON values. */
export type Row = { readonly id: string; readonly [column: string]: import('../base/json.ts').Json }

/**
 * Why `values` cannot be written into the columns (unknown, missing or wrong column), or undefined. A patch may leave columns out;
 * a column whose value is undefined is left out.
 */
export function rowProblem(
  columns: Columns,
  values: { readonly [column: string]: unknown },
  form: 'whole' | 'patch' | 'stored',
): string | undefined {
  for (const name of Object.keys(values)) {
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined
    if (column === undefined) {
      if (form === 'stored') continue
      return `${cutText(name, 63)} is not a column of this table`
    }
    if (values[name] === undefined) continue
    if (form !== 'stored' && column.type === 'appendIndex')
      return `${name} is given by the authority and cannot be written`
    if (form === 'patch' && column.type === 'id') return `${name} cannot be changed: delete the row and insert another`
    const problem = valueProblem(column, values[name])
    if (problem !== undefined) return `${name} ${problem}`
  }
  if (form === 'patch') return undefined
  for (const name of Object.keys(columns)) {
    const column = columns[name]
    if (column === undefined || column.isNullable || (Object.hasOwn(values, name) && values[name] !== undefined))
      continue
    if (form === 'whole' && column.type === 'appendIndex') continue
    return `${name} is missing`
  }
  return undefined
}

/** Why a declared name cannot be used in SQL, in a scope or as a key, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name))
    return `${JSON.stringify(name)} must be 1 to 63 letters, digits and underscores, beginning with a letter`
  if (/^holdfast/i.test(name)) return `${name} begins with holdfast, which is kept for the engine`
  if (/^sqlite_/i.test(name)) return `${name} begins with sqlite_, which SQLite keeps for itself`
  if (refusedKeys.has(name)) return `${name} means something to JavaScript objects; choose another name`
  return undefined
}
