// What an intent with a conflict policy is based on: of each row that its first run read or wrote, where the device stood in the row's
// scope, or that there was none; of rows that it updated, what the columns had been. What only this device's pending intents had put
// there is left out: it cannot have been changed by anybody. Pure; what others changed since, the authority finds out.
import { type Json, jsonEqual } from '../../base/json.ts'
import type { BaseRow, IntentBase } from '../../protocol/base.ts'
import type { Cursor, Place } from '../../protocol/frame.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { CONFLICTS } from '../../schema/conflict.ts'
import type { Overlay } from './overlay.ts'
import type { RunRecord } from './run.ts'
import { ownerOf } from './tables.ts'

/** The base of a run that has just been made; undefined when there is none to state: no policy, or nothing that was seen. */
export function baseOf(overlay: Overlay, { picture, trace, writes }: RunRecord): IntentBase | undefined {
  if (trace === undefined || picture !== 'shown' || overlay.frame === undefined) return undefined
  const places: Cursor[] = []
  const rows: BaseRow[] = []
  for (const { state, id, before, names } of trace.values()) {
    const { name: table } = state
    const scope = ownerOf(state, id)
    if (table === CONFLICTS || (scope === undefined && before !== undefined)) continue
    let at = places.findIndex((place) => place.scope === scope)
    if (at < 0 && scope !== undefined) at = places.push({ scope, ...(overlay.cursors.get(scope) as Place) }) - 1
    const after = writes.find((write) => write.state === state && write.id === id)?.row
    const was: { [column: string]: Json } = {}
    const same: { [column: string]: Json } = {}
    for (const name of names) {
      const value = before?.[name] ?? null
      const to = jsonEqual(value, after?.[name] ?? null) ? same : was
      to[name] = value
    }
    rows.push({ table, id, at, ...(names.size > 0 && { was, same }) })
  }
  // Without the values every change by others counts, whatever it was.
  const isLarge = JSON.stringify(rows).length > LIMITS.baseLength
  return { places, rows: isLarge ? rows.map(({ table, id, at }) => ({ table, id, at })) : rows }
}
