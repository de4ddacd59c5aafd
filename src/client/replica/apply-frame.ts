// What a frame would make of the confirmed rows: each row before and after, whose it is, and the cursors. Nothing is changed here:
// the result is swapped in whole, or the frame is refused whole (I6). A row leaves with `gone` or a reset only if that scope holds it,
// so a row that moves between scopes arrives once, whichever of the two patches comes first.
// What pending intents make of it is rebase.ts.
import { SyncError } from '../../base/errors.ts'
import { NOWHERE, type Patch, type Place } from '../../protocol/frame.ts'
import type { Scope } from '../../schema/scope.ts'
import type { Row } from '../../schema/table.ts'
import type { StoredFrame } from '../storage/storage.ts'
import type { Overlay } from './overlay.ts'
import { createRowCheck, type RowCheck } from './row-check.ts'
import { rowsEqual, type TableState } from './tables.ts'

/** One row in a staged frame. */
export interface StagedRow {
  readonly before: Row | undefined
  readonly after: Row | undefined
  readonly owner: Scope | undefined
}

/** A frame, read and found good. */
export interface StagedFrame {
  readonly frame: Omit<StoredFrame, 'patches'>
  /** The rows that change. */
  readonly rows: ReadonlyMap<TableState, ReadonlyMap<string, StagedRow>>
  /** The rows that only change hands. */
  readonly moved: ReadonlyMap<TableState, ReadonlyMap<string, Scope>>
  readonly cursors: ReadonlyMap<Scope, Place>
}

type Stage = Map<TableState, Map<string, StagedRow>>

/** Reads frames for one overlay. */
export interface FrameReader {
  /** Stages a frame. Throws a SyncError `malformed` when a row does not fit, `frame_gap` when a patch does not begin where the device stands. */
  stage(frame: StoredFrame): StagedFrame
}

/** Makes the reader of an overlay's frames. */
export function createFrameReader(overlay: Overlay): FrameReader {
  const checks = new Map<TableState, RowCheck>()
  for (const state of overlay.tables.values()) checks.set(state, createRowCheck(state.columns))
  return {
    stage(frame) {
      const cursors = new Map(overlay.cursors)
      const stage: Stage = new Map()
      const held = heldBy(
        overlay,
        new Set(frame.patches.filter((patch) => patch.reset === true).map((patch) => patch.scope)),
      )
      const patched = new Set<Scope>()
      for (const patch of frame.patches) {
        follow(cursors, patch)
        if (patch.reset === true) reset(stage, held, patched, patch.scope)
        patched.add(patch.scope)
        for (const table of Object.keys(patch.gone)) {
          const state = overlay.tables.get(table)
          if (state !== undefined) for (const id of patch.gone[table] ?? []) removeRow(stage, state, id, patch.scope)
        }
        for (const table of Object.keys(patch.rows)) {
          const state = overlay.tables.get(table)
          if (state !== undefined)
            putRows(stage, state, patch.rows[table] ?? [], patch.scope, checks.get(state) as RowCheck)
        }
      }
      leaveScopes(overlay, stage, patched, cursors, new Set(frame.scopes as readonly Scope[]))
      const { patches: _, ...rest } = frame
      return { frame: rest, cursors, ...finish(stage) }
    },
  }
}

/** Checks that a patch begins where its scope stands, and puts the scope where it ends. */
function follow(cursors: Map<Scope, Place>, patch: Patch): void {
  const at = patch.reset === true ? NOWHERE : (cursors.get(patch.scope) ?? NOWHERE)
  if (!samePlace(at, patch.from)) {
    throw new SyncError(
      'frame_gap',
      `A patch of ${patch.scope} begins at version ${patch.from.version}, this device stands at ${at.version}`,
      { details: { scope: patch.scope } },
    )
  }
  cursors.set(patch.scope, patch.to)
}

/** Whether two places are the same. */
export function samePlace(a: Place, b: Place): boolean {
  return (
    a.version === b.version && a.mark === b.mark && a.within?.table === b.within?.table && a.within?.id === b.within?.id
  )
}

/** The confirmed rows of some scopes, found in one pass. */
function heldBy(overlay: Overlay, scopes: ReadonlySet<Scope>): Held {
  const held = new Map<Scope, [TableState, string][]>()
  if (scopes.size === 0) return held
  for (const scope of scopes) held.set(scope, [])
  for (const state of overlay.tables.values()) {
    for (const [id, owner] of state.owners) held.get(owner)?.push([state, id])
  }
  return held
}

function stagedOf(stage: Stage, state: TableState): Map<string, StagedRow> {
  let rows = stage.get(state)
  if (rows === undefined) {
    rows = new Map()
    stage.set(state, rows)
  }
  return rows
}

function removeRow(stage: Stage, state: TableState, id: string, scope: Scope): void {
  const rows = stagedOf(stage, state)
  const staged = rows.get(id)
  if ((staged === undefined ? state.owners.get(id) : staged.owner) !== scope) return
  rows.set(id, {
    before: staged === undefined ? state.rows.get(id) : staged.before,
    after: undefined,
    owner: undefined,
  })
}

type Held = ReadonlyMap<Scope, readonly (readonly [TableState, string])[]>

/** Takes out all that a scope holds: what it held before the frame, and what earlier patches of the frame gave it. */
function reset(stage: Stage, held: Held, patched: ReadonlySet<Scope>, scope: Scope): void {
  if (patched.has(scope)) {
    for (const [state, rows] of stage) {
      for (const [id, { owner }] of rows) if (owner === scope) removeRow(stage, state, id, scope)
    }
  }
  for (const [state, id] of held.get(scope) ?? []) removeRow(stage, state, id, scope)
}

function putRows(stage: Stage, state: TableState, rows: readonly Row[], owner: Scope, checkRow: RowCheck): void {
  const stagedRows = stagedOf(stage, state)
  const { rows: confirmed } = state
  for (const row of rows) {
    const problem = checkRow(row)
    if (problem !== undefined)
      throw new SyncError('malformed', `The authority stated a row of ${state.name} whose ${problem}`, {
        details: { table: state.name, id: row.id, problem },
      })
    const before = confirmed.get(row.id)
    stagedRows.set(row.id, {
      before,
      after: before !== undefined && rowsEqual(state.shownNames, before, row) ? before : row,
      owner,
    })
  }
}

/** What the actor may no longer read leaves with its cursor. */
function leaveScopes(
  overlay: Overlay,
  stage: Stage,
  patched: ReadonlySet<Scope>,
  cursors: Map<Scope, Place>,
  scopes: ReadonlySet<Scope>,
): void {
  const leaving = new Set<Scope>()
  for (const scope of cursors.keys()) if (!scopes.has(scope)) leaving.add(scope)
  if (leaving.size === 0) return
  const held = heldBy(overlay, leaving)
  for (const scope of leaving) {
    cursors.delete(scope)
    reset(stage, held, patched, scope)
  }
}

/** Parts the rows that change from those that only change hands, and drops those that came and went. */
function finish(stage: Stage): Pick<StagedFrame, 'rows' | 'moved'> {
  const moved = new Map<TableState, Map<string, Scope>>()
  for (const [state, rows] of stage) {
    for (const [id, { before, after, owner }] of rows) {
      if (before !== after) continue
      rows.delete(id)
      if (owner === undefined || state.owners.get(id) === owner) continue
      const owners = moved.get(state) ?? new Map<string, Scope>()
      moved.set(state, owners)
      owners.set(id, owner)
    }
    if (rows.size === 0) stage.delete(state)
  }
  return { rows: stage, moved }
}
