// What a frame would make of the confirmed rows: each row before and after, whose it is, and the cursors. Nothing is changed here:
// the result is swapped in whole, or the frame is refused whole (I6). A row leaves with `gone` or a reset only if that scope holds it,
// so a row that moves between scopes arrives once, whichever of the two patches comes first.
// What pending intents make of it is rebase.ts.
import type { Breath } from '../../base/breath.ts'
import { obtain } from '../../base/collections.ts'
import { SyncError } from '../../base/errors.ts'
import { NOWHERE, type Patch, type Place, samePlace } from '../../protocol/frame.ts'
import type { Scope } from '../../schema/scope.ts'
import type { Row } from '../../schema/table.ts'
import type { StoredFrame } from '../storage/storage.ts'
import type { Change, RowChanges } from './diff.ts'
import type { Overlay } from './overlay.ts'
import { createRowCheck, type RowCheck, rowsThatFit } from './row-check.ts'
import { createRowMap, type RowMap } from './row-map.ts'
import { ownerOf, rowsEqual, type TableState } from './tables.ts'

/** What a frame changes in one table. */
export interface StagedTable {
  /** The rows that change, as they will be; undefined for those that go. */
  readonly after: RowMap<Row | undefined>
  /** The same rows as they are, where there is one. */
  readonly before: Map<string, Row>
  /** Whose rows will be, where that is not the table's main owner or may not have been; undefined for rows that go. */
  readonly owners: Map<string, Scope | undefined>
  mainOwner: Scope | undefined
}

/** A frame, read and found good. */
export interface StagedFrame {
  readonly frame: Omit<StoredFrame, 'patches'>
  readonly tables: ReadonlyMap<TableState, StagedTable>
  readonly cursors: ReadonlyMap<Scope, Place>
  /** The fingerprint of the app whose tables these rows are of. */
  readonly madeFor: string
}

type Stage = Map<TableState, StagedTable>

/** Reads frames for one overlay. */
export interface FrameReader {
  /** Stages a frame, with a breath between two patches. Rejects with a SyncError `malformed` when a row does not fit, `frame_gap` when a patch does not begin where the device stands. */
  stage(frame: StoredFrame, breathe: Breath): Promise<StagedFrame>
}

/** Makes the reader of an overlay's frames. */
export function createFrameReader(overlay: Overlay): FrameReader {
  const checks = new Map<TableState, RowCheck>()
  for (const state of overlay.tables.values()) checks.set(state, createRowCheck(state.columns))
  return {
    async stage(frame, breathe) {
      const cursors = new Map(overlay.cursors)
      const stage: Stage = new Map()
      const anew = new Set(frame.patches.filter((patch) => patch.reset === true).map((patch) => patch.scope))
      const held = heldBy(overlay, anew)
      const { fingerprint } = overlay.app
      const foldedFor = frame.folded?.app ?? fingerprint
      const patched = new Set<Scope>()
      for (const [at, patch] of frame.patches.entries()) {
        const pause = breathe()
        if (pause !== undefined) await pause
        const isFold = at < (frame.folded?.patches ?? 0)
        const isOthers = isFold && foldedFor !== fingerprint
        follow(cursors, patch)
        if (patch.reset === true) reset(stage, held, patched, patch.scope)
        patched.add(patch.scope)
        for (const table of Object.keys(patch.gone)) {
          const state = overlay.tables.get(table)
          if (state !== undefined) for (const id of patch.gone[table] ?? []) removeRow(stage, state, id, patch.scope)
        }
        for (const table of Object.keys(patch.rows)) {
          const state = overlay.tables.get(table)
          if (state === undefined) continue
          const rows = patch.rows[table] ?? []
          const fitting = isOthers ? rowsThatFit(rows, state.columns, checks.get(state)) : rows
          putRows(stage, state, fitting, patch.scope, isFold ? undefined : checks.get(state), isFold)
        }
      }
      leaveScopes(overlay, stage, patched, cursors, new Set(frame.scopes as readonly Scope[]))
      const { patches: _, folded: __, ...rest } = frame
      for (const [state, staged] of stage) finish(stage, state, staged)
      const isAllAnew = [...cursors.keys()].every((scope) => anew.has(scope))
      const madeFor = foldedFor === fingerprint && !isAllAnew ? overlay.madeFor : foldedFor
      return { frame: rest, cursors, tables: stage, madeFor }
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

type Held = ReadonlyMap<Scope, readonly (readonly [TableState, string])[]>

/** The confirmed rows of some scopes, found in one pass. */
function heldBy(overlay: Overlay, scopes: ReadonlySet<Scope>): Held {
  const held = new Map<Scope, [TableState, string][]>()
  if (scopes.size === 0) return held
  for (const scope of scopes) held.set(scope, [])
  for (const state of overlay.tables.values()) {
    for (const id of state.rows.keys()) {
      const owner = state.otherOwners.get(id) ?? state.mainOwner
      if (owner !== undefined) held.get(owner)?.push([state, id])
    }
  }
  return held
}

function stagedOf(stage: Stage, state: TableState): StagedTable {
  return obtain(stage, state, () => ({
    after: createRowMap<Row | undefined>(),
    before: new Map(),
    owners: new Map(),
    mainOwner: state.mainOwner,
  }))
}

function stagedOwner(state: TableState, staged: StagedTable, id: string): Scope | undefined {
  if (staged.owners.has(id)) return staged.owners.get(id)
  return staged.after.has(id) ? staged.mainOwner : ownerOf(state, id)
}

function removeRow(stage: Stage, state: TableState, id: string, scope: Scope): void {
  const staged = stagedOf(stage, state)
  if (stagedOwner(state, staged, id) !== scope) return
  const before = state.rows.get(id)
  staged.owners.set(id, undefined)
  if (before === undefined) {
    staged.after.delete(id)
  } else {
    staged.before.set(id, before)
    staged.after.set(id, undefined)
  }
}

/** Takes out all that a scope holds: what it held before the frame, and what earlier patches of the frame gave it. */
function reset(stage: Stage, held: Held, patched: ReadonlySet<Scope>, scope: Scope): void {
  if (patched.has(scope)) {
    for (const [state, staged] of stage) {
      for (const [id, row] of staged.after) if (row !== undefined) removeRow(stage, state, id, scope)
    }
  }
  for (const [state, id] of held.get(scope) ?? []) removeRow(stage, state, id, scope)
}

/** `isFold`: among these rows, and with all others of a fold, no two have one id. */
function putRows(
  stage: Stage,
  state: TableState,
  rows: readonly Row[],
  owner: Scope,
  checkRow: RowCheck | undefined,
  isFold: boolean,
): void {
  const staged = stagedOf(stage, state)
  const { after, before, owners } = staged
  const isFresh = state.rows.size === 0
  staged.mainOwner ??= owner
  const isNamed = owner !== staged.mainOwner || owners.size > 0 || state.otherOwners.size > 0
  for (const row of checkRow === undefined ? [] : rows) {
    const problem = checkRow?.(row)
    if (problem !== undefined) throw unfit(state, row, problem)
  }
  if (isFold && isFresh && !isNamed) return after.addNew(rows)
  for (const row of rows) {
    const { id } = row
    const held = isFresh ? undefined : state.rows.get(id)
    if (held === undefined) {
      after.set(id, row)
    } else {
      before.set(id, held)
      after.set(id, rowsEqual(state.shownNames, held, row) ? held : row)
    }
    if (isNamed) owners.set(id, owner)
  }
}

function unfit(state: TableState, { id }: Row, problem: string): SyncError {
  return new SyncError('malformed', `The authority stated a row of ${state.name} whose ${problem}`, {
    details: { table: state.name, id, problem },
  })
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

/** Leaves only what changes: rows that say what they said before may still have changed hands. */
function finish(stage: Stage, state: TableState, staged: StagedTable): void {
  const { after, before, owners } = staged
  for (const [id, row] of before) {
    if (after.get(id) !== row) continue
    after.delete(id)
    before.delete(id)
  }
  if (after.size === 0 && owners.size === 0) stage.delete(state)
}

/** What a commit tells of a staged table: the rows that change, but for those that were noted, of which `changed` tells. */
export function changesOf(
  { after, before }: StagedTable,
  noted: ReadonlyMap<string, unknown>,
  changed: ReadonlyMap<string, Change>,
): RowChanges {
  let size = after.size + changed.size
  for (const id of noted.keys()) if (after.has(id)) size--
  return {
    size,
    get(id) {
      if (noted.has(id) || !after.has(id)) return changed.get(id)
      return { before: before.get(id), after: after.get(id) }
    },
    *[Symbol.iterator]() {
      for (const [id, row] of after) if (!noted.has(id)) yield [id, { before: before.get(id), after: row }]
      yield* changed
    },
  }
}
