// What a live query is made of: parts, each of which looks at some rows of one table, and the one answer that they come to. live.ts
// drives views and knows none of them by name: the rows of a query are list.ts, and what only some apps ask (include.ts, totals.ts)
// comes along with the question that an app imports. Types only, and when two `sync` say the same.
import type { QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Change, Replica } from '../replica/replica.ts'
import type { SyncInfo } from '../status.ts'

/** What a row tells of its way to the authority, as far as it must be compared. */
export interface RowSync {
  readonly state: string
  readonly intents: readonly string[]
  readonly provisional: readonly string[]
}

/** A row as an app gets it. */
export type SyncedRow<Sync> = { readonly id: string; readonly sync: Sync; readonly [column: string]: unknown }

/** Rows of one table that a view looks at. */
export interface Part<Sync> {
  /** Whose changes it wants to hear: at least those of rows that meet these conditions, before or after. */
  readonly asked: Pick<QuerySpec, 'table' | 'where'>
  /** Takes in what one commit changed; returns whether the answer may be another. */
  apply(changes: readonly Change[]): boolean
  /** Looks afresh: after a commit that brought all rows, of which there is no use in looking at each. */
  refill(): void
  /** The `sync` of a row may be another; returns whether it was shown with one that says something else. */
  resync?(row: Row, sync: () => Sync): boolean
}

/** One answer that stays up to date. */
export interface View<Result, Sync = SyncInfo> {
  readonly parts: readonly Part<Sync>[]
  /** The answer now: frozen, and the same one as long as nothing in it changes. */
  read(): Result
}

/** What views are made from. */
export interface Sources<Sync> {
  readonly replica: Replica
  /** A row as an app gets it. */
  make(table: string, row: Row): SyncedRow<Sync>
}

/** What is asked, as plain data: two questions whose data are the same are the same question. */
export interface QuestionSpec extends QuerySpec {
  /** Of an include: name, kind, column and query of each relation. */
  readonly include?: readonly (readonly [name: string, kind: string, column: string, of: QuerySpec])[]
  /** Of a single value: what it is, and of which column. */
  readonly value?: readonly [kind: string, column: string]
}

/** A question whose answer is more, or less, than the rows of one query. It brings along what answers it. */
export interface Question<Result> {
  readonly spec: QuestionSpec
  readonly view: (sources: Sources<SyncInfo>) => View<Result>
}

/** Whether two `sync` say the same. */
export function syncEqual(a: RowSync, b: RowSync): boolean {
  return a === b || (a.state === b.state && listEqual(a.intents, b.intents) && listEqual(a.provisional, b.provisional))
}

function listEqual(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((item, at) => item === b[at]))
}
