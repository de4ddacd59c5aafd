// The pull: one page of what changed since where the device stands, in one snapshot, under the grants of that snapshot. The page that
// reaches the present of every scope carries the seal. Registers nothing: a pull leaves no trace in the ledger. I9, I10, I13.

import { type Cursor, NOWHERE } from '../../protocol/frame.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { PullRequest } from '../../protocol/pull.ts'
import type { Sql } from '../db/db.ts'
import { readAll } from '../rights/read-all.ts'
import { placesOf } from '../state/commits.ts'
import { readClient } from '../state/ledger.ts'
import type { World } from '../world.ts'
import { encodePatch, startFrom } from './patches.ts'
import { makeSeal, refuseForked } from './seal.ts'

/** The answer to a pull, as JSON. Runs inside a snapshot in which nothing waits to be adopted. */
export async function answerPull(world: World, sql: Sql, request: PullRequest, requestId: string): Promise<string> {
  const { client, actor, last, stored } = request
  const known = await readClient(sql, client)
  refuseForked(known, actor, last)
  if (stored > (known?.decided ?? 0)) warnOfHistory(world, request, requestId)
  const { read } = await world.rights.read(actor, readAll(sql, world.layout))
  const places = await placesOf(sql, read)
  const cursors = new Map<string, Cursor>(request.cursors.map((cursor) => [cursor.scope, cursor]))
  const patches: string[] = []
  let entries: number = LIMITS.pageEntries
  let bytes: number = LIMITS.pageBytes
  let isComplete = true
  for (const scope of read) {
    const cursor = cursors.get(scope)
    const current = places.get(scope) ?? NOWHERE
    if (
      cursor !== undefined &&
      cursor.version === current.version &&
      cursor.mark === current.mark &&
      cursor.within === undefined
    )
      continue
    if (entries <= 0 || bytes <= 0) {
      isComplete = false
      break
    }
    const start = await startFrom(sql, scope, cursor, current)
    if (start.reset === 'unknown') warnOfHistory(world, request, requestId)
    const patch = await encodePatch(sql, world.layout, scope, start, current, { entries, bytes })
    patches.push(patch.text)
    entries -= patch.entries
    bytes -= patch.bytes
    if (!patch.isWhole) {
      isComplete = false
      break
    }
  }
  const seal = isComplete
    ? `,"seal":${JSON.stringify(await makeSeal(sql, client, known, stored, read, world.host.clock.now()))}`
    : ''
  return `{"requestId":${JSON.stringify(requestId)},"patches":[${patches.join(',')}]${seal}}`
}

/** Tells the operator; the device itself needs no help. */
function warnOfHistory({ host }: World, { client }: PullRequest, requestId: string): void {
  host.log({
    level: 'warn',
    message: 'a device knows of what this database does not: was a backup restored?',
    requestId,
    client,
  })
}
