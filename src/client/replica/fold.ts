// The confirmed state as frames that lead to it: what storage keeps instead of a long journal. Applied in order to an empty replica
// they give the same rows, owners and cursors; a scope whose rows span several frames says «nowhere yet» until its last one, so no
// cursor is ever there without its rows.
import { NOWHERE, type Patch, type Place } from '../../protocol/frame.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Scope } from '../../schema/scope.ts'
import type { Row } from '../../schema/table.ts'
import type { StoredFrame } from '../storage/storage.ts'
import type { Overlay } from './overlay.ts'

/** So many rows are in one patch: storage puts whole patches together into records, which small ones fill better. */
const PATCH_ROWS = 250

/** Frames of at most `LIMITS.pageEntries` rows each; none before the first frame. */
export function* foldFrames(overlay: Overlay): Iterable<StoredFrame> {
  const { frame } = overlay
  if (frame === undefined) return
  const app = overlay.madeFor
  // Only the last frame states what is decided: what stands before it is a part.
  let patches: Patch[] = []
  let entries = 0
  for (const [scope, rows] of rowsByScope(overlay)) {
    const to = overlay.cursors.get(scope) ?? NOWHERE
    let from: Place = NOWHERE
    let isFirst = true
    do {
      const chunk = rows.splice(0, Math.min(PATCH_ROWS, LIMITS.pageEntries - entries))
      const last = chunk.at(-1)
      const place: Place =
        rows.length === 0 || last === undefined ? to : { ...NOWHERE, within: { table: last.table, id: last.row.id } }
      patches.push({ scope, from, to: place, ...(isFirst ? { reset: true } : {}), rows: byTable(chunk), gone: {} })
      isFirst = false
      from = place
      entries += chunk.length
      if (entries < LIMITS.pageEntries) continue
      yield { ...frame, decided: 0, patches, folded: { patches: patches.length, app } }
      patches = []
      entries = 0
    } while (rows.length > 0)
  }
  yield { ...frame, patches, folded: { patches: patches.length, app } }
}

interface Entry {
  readonly table: string
  readonly row: Row
}

function rowsByScope(overlay: Overlay): Map<Scope, Entry[]> {
  const scopes = new Map<Scope, Entry[]>()
  for (const scope of overlay.cursors.keys()) scopes.set(scope, [])
  for (const state of overlay.tables.values()) {
    for (const [id, row] of state.rows) {
      const owner = state.otherOwners.get(id) ?? state.mainOwner
      if (owner !== undefined) scopes.get(owner)?.push({ table: state.name, row })
    }
  }
  return scopes
}

function byTable(entries: readonly Entry[]): { readonly [table: string]: readonly Row[] } {
  const rows: { [table: string]: Row[] } = {}
  for (const { table, row } of entries) {
    const list = rows[table] ?? []
    rows[table] = list
    list.push(row)
  }
  return rows
}
