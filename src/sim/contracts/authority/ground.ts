// What a case of the authority's contract stands on: one empty database, reached by as many authority processes as it likes and by
// somebody else with plain SQL, and a clock. Each kind of database brings a ground of its own; no case knows which one it has.
import type { Clock } from '../../../base/clock.ts'
import type { Database, SqlRow, SqlValue } from '../../../server/db/db.ts'

/** Another program on the same database: psql, a cron job, an operator. It knows nothing of the authority. */
export interface Foreign {
  /** Runs one statement, committed by itself. Parameters are written `?`. */
  all(text: string, parameters?: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Runs several statements as one commit. */
  transaction(body: (all: Foreign['all']) => Promise<void>): Promise<void>
}

/** One empty database. */
export interface Ground {
  /** The database as one authority process has it: each call is a process of its own. The authority closes it. */
  open(): Database
  readonly foreign: Foreign
  /** Drops everything. */
  close(): Promise<void>
}

/** Where the cases run. */
export interface Surroundings {
  /** Real time; a case moves a clock of its own that goes on with this one. */
  readonly clock: Clock
  /** Makes an empty database. */
  makeGround(): Promise<Ground>
}

/** One case of the contract. */
export interface AuthorityCase {
  /** The part of the contract to which it belongs: the number by which the issue of the authority lists it. */
  readonly item: number
  /** A sentence; begins with an invariant's id where the case proves one. */
  readonly title: string
  /** Rejects when the contract is broken. */
  run(surroundings: Surroundings): Promise<void>
}
