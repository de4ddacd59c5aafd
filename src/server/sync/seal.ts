// The seal of a frame: the end of what one snapshot said to one client. Its list of scopes is the statement of the actor's grants.
import { SyncError } from '../../base/errors.ts'
import type { Seal } from '../../protocol/frame.ts'
import type { ClientId, IntentId } from '../../protocol/ids.ts'
import type { Scope } from '../../schema/scope.ts'
import type { Sql } from '../db/db.ts'
import { type ClientRecord, readOutcomes } from '../state/ledger.ts'

/** Refuses a device whose numbers were used by another copy of its store, before anything is told to it. */
export function refuseForked(known: ClientRecord | undefined, actor: string, last: number): void {
  if (known === undefined) return
  if (known.actor !== actor) throw new SyncError('forked', 'This client id belongs to another actor')
  if (known.decided > last)
    throw new SyncError(
      'forked',
      `Number ${known.decided} of this client is decided, and the device knows numbers up to ${last}`,
    )
}

/** Makes a seal. `after` is the number up to which the client has its outcomes. */
export async function makeSeal(
  sql: Sql,
  client: ClientId,
  known: ClientRecord | undefined,
  after: number,
  scopes: readonly string[],
  at: number,
): Promise<Seal> {
  return {
    client,
    decided: known?.decided ?? 0,
    ...(known === undefined ? {} : { decidedId: known.decidedId as IntentId }),
    outcomes: known === undefined ? [] : await readOutcomes(sql, client, known, after),
    scopes: scopes as readonly Scope[],
    at,
  }
}
