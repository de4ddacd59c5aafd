// The rebase: what pending runs make of it when rows beneath them change. It walks the pending order with what differs between the
// old world and the new one at that place, and runs again only what read one of those rows; where a run's writes come out as before,
// the difference ends. What is not touched is not even looked at, so the cost follows the change and not the length of the outbox.
// The result equals a replay of everything (I5; proved by property test). Nothing is changed here: overlay.ts swaps it in.
import type { Breath } from '../../base/breath.ts'
import { newMap, obtain } from '../../base/collections.ts'
import type { SyncError } from '../../base/errors.ts'
import type { Row } from '../../schema/table.ts'
import type { Rejection } from '../../schema/tx.ts'
import type { StagedFrame } from './apply-frame.ts'
import { createDifferences, type Differences } from './differences.ts'
import {
  type Overlay,
  type PendingIntent,
  type Rebased,
  type Run,
  rowAt,
  type Version,
  writeBefore,
} from './overlay.ts'
import { execute, type RunControl, type RunRecord, type View } from './run.ts'
import type { TableState } from './tables.ts'

/** What is to become of the pending runs. */
export interface Plan {
  /** The confirmed rows that change, if any do. */
  readonly staged: StagedFrame | undefined
  /** Runs that leave: their effects are in the confirmed rows, or never will be. */
  readonly retired: ReadonlySet<Run>
  /** Intents to run after all others, in this order. */
  readonly appended: readonly { readonly intent: PendingIntent; readonly mode: 'call' | 'stored' }[]
}

/** What a rebase came to. Refused is only a first run; then there is nothing to swap in. */
export type RebaseResult =
  | { readonly kind: 'ready'; readonly rebased: Rebased }
  | { readonly kind: 'refused'; readonly error: SyncError | Rejection }

/** Finds what a plan leads to, with a breath between two runs. `indexed` collects what was added to indexes on the way, for the caller to take out again. */
export async function rebase(
  overlay: Overlay,
  plan: Plan,
  control: RunControl,
  indexed: Version[],
  breathe: Breath,
): Promise<RebaseResult> {
  const { staged, retired } = plan
  // In the common case nothing beneath changes: one run on the overlay as it is shown.
  const isAlone = staged === undefined && retired.size === 0 && plan.appended.length === 1
  const differences = isAlone ? undefined : createDifferences(staged, indexed)
  for (const run of retired) differences?.visit(run)
  // What was blind before the first frame can be seen now.
  if (overlay.frame === undefined && staged !== undefined)
    for (const run of overlay.runs) if (run.picture === 'blind') differences?.visit(run)
  const executeNow = (run: Run, mode: 'call' | 'stored') =>
    execute(
      run,
      mode,
      differences === undefined ? overlay.view : viewAt(overlay, plan, differences, run.position),
      control,
    )

  const replayed: { run: Run; record: RunRecord }[] = []
  for (let run = differences?.next(); run !== undefined; run = differences?.next()) {
    const result = retired.has(run) ? undefined : await executeNow(run, 'stored')
    if (result?.kept === false) throw result.error
    if (differences !== undefined) compareWrites(differences, run, result?.record)
    if (result === undefined) continue
    replayed.push({ run, record: result.record })
    const pause = breathe()
    if (pause !== undefined) await pause
  }

  const appended: { run: Run; record: RunRecord }[] = []
  for (const { intent, mode } of plan.appended) {
    const run: Run = { intent, position: overlay.nextPosition++, picture: 'shown', readers: [], writes: [] }
    const result = await executeNow(run, mode)
    if (!result.kept) return { kind: 'refused', error: result.error }
    if (differences !== undefined) compareWrites(differences, run, result.record)
    appended.push({ run, record: result.record })
    const pause = breathe()
    if (pause !== undefined) await pause
  }
  const difference = differences?.of ?? nowhere
  return { kind: 'ready', rebased: { staged, difference, retired: [...retired], replayed, appended } }
}

function nowhere(): undefined {}

/** The new world as the run at `position` finds it: the old one, but for what differs. */
function viewAt(overlay: Overlay, { staged }: Plan, differences: Differences, position: number): View {
  return {
    app: overlay.app,
    actor: overlay.actor,
    tables: overlay.tables,
    isComplete: overlay.frame !== undefined || staged !== undefined,
    row(state, id) {
      const difference = differences.of(state, id)
      return difference === undefined ? rowAt(state, id, position) : difference.after
    },
    candidates: differences.candidates,
    inserter: (state, id) => writeBefore(state, id, position)?.inserter,
  }
}

/** Says of each row that a run wrote in the old world, or writes in the new one, how it stands in both after the run. */
function compareWrites(differences: Differences, run: Run, record: RunRecord | undefined): void {
  const rewritten = new Map<TableState, Map<string, Row | undefined>>()
  for (const { state, id, row } of record?.writes ?? []) {
    obtain(rewritten, state, newMap<string, Row | undefined>).set(id, row)
  }
  for (const { state, id, row } of run.writes) {
    const rows = rewritten.get(state)
    const base = differences.of(state, id) ?? { after: rowAt(state, id, run.position) }
    differences.settle(state, id, row, rows?.has(id) === true ? rows.get(id) : base.after, run.position)
    rows?.delete(id)
  }
  for (const [state, rows] of rewritten) {
    for (const [id, row] of rows) {
      const base = differences.of(state, id) ?? { before: rowAt(state, id, run.position) }
      differences.settle(state, id, base.before, row, run.position)
    }
  }
}
