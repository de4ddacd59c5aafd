// What a replica shows of itself to those who derive something from its rows before the authority has: positions.ts and groups.ts. They
// come along with the declaration (`t.appendIndex`, `count`, …), so that an app which declares neither loads neither, and they know no
// more of a replica than stands here. Types only.
import type { Json } from '../../base/json.ts'
import type { Row } from '../table.ts'

/** A pending run. */
export interface PendingRun {
  /** Rises in pending order; never given twice. */
  readonly position: number
}

/** What a pending run made of one row. */
export interface PendingWrite<Run extends PendingRun = PendingRun> {
  readonly run: Run
  /** The row after the run, without positions; undefined when the run deleted it. */
  readonly row: Row | undefined
  /** The run itself put the row there. */
  readonly isInsert: boolean
  /** Its place among the run's writes. */
  readonly ordinal: number
  /** The row as it was shown last, with its positions, while this write was the last one to it. */
  shown: Row | undefined
}

/** The rows of one table. */
export interface Rows<Run extends PendingRun = PendingRun> {
  readonly confirmed: ReadonlyMap<string, Row>
  /** What pending runs wrote to each row, in pending order. */
  readonly writes: ReadonlyMap<string, readonly PendingWrite<Run>[]>
  /** The row after all pending runs, without provisional positions. */
  last(id: string): Row | undefined
  /** Ids among which are those of all versions of rows whose column has this value. */
  ids(column: string, value: Json): Iterable<string>
  /** The row as the app's own functions see it. */
  seen(row: Row): Row
}

/** The rows that a frame changes, as they are and as they will be; undefined for those that go. */
export interface Staged {
  readonly before: ReadonlyMap<string, Row>
  readonly after: ReadonlyMap<string, Row | undefined>
}
