// The replica: confirmed rows, pending intents, and the overlay of both that the app sees. Everything that changes it goes through one
// lane, as one rebase that is swapped in whole and told once (I5, I6, I14): readers never see a part of one.
// Pure: no clock, no dice, no disk. What is sent, kept and retired is decided by sync and outbox; where a run that waits is noticed
// is the client, which has a clock.

import type { Breath } from '../../base/breath.ts'
import type { Cancel } from '../../base/clock.ts'
import { createEmitter } from '../../base/emitter.ts'
import type { SyncError } from '../../base/errors.ts'
import { createLane } from '../../base/lane.ts'
import type { IntentBase } from '../../protocol/base.ts'
import type { Cursor } from '../../protocol/frame.ts'
import type { ClientId, IntentId } from '../../protocol/ids.ts'
import type { App } from '../../schema/app.ts'
import type { Row } from '../../schema/table.ts'
import type { Rejection } from '../../schema/tx.ts'
import type { StoredFrame } from '../storage/storage.ts'
import { createFrameReader } from './apply-frame.ts'
import { baseOf } from './base.ts'
import { compare, look, type ReplicaCommit } from './diff.ts'
import { foldFrames } from './fold.ts'
import {
  createOverlay,
  indexOn,
  type PendingIntent,
  type Rebased,
  type Run,
  type RunPicture,
  swap,
  unindexRow,
  type Version,
} from './overlay.ts'
import { type Plan, rebase } from './rebase.ts'
import type { RunControl } from './run.ts'
import { createShown } from './shown.ts'
import type { TableState } from './tables.ts'

export type { Change, ReplicaCommit } from './diff.ts'
export type { PendingIntent, RunPicture } from './overlay.ts'

/** What became of a run. */
export type RunAnswer =
  | {
      readonly kept: true
      readonly picture: RunPicture
      readonly needs: readonly IntentId[]
      /** What a first run was made on, where its mutator has a conflict policy. */
      readonly base?: IntentBase | undefined
    }
  | { readonly kept: false; readonly error: SyncError | Rejection }

/** How often things were done; only rises. */
export interface ReplicaCounters {
  /** First runs that were kept. */
  readonly runs: number
  /** Runs that were done again because something that they read had changed. */
  readonly replays: number
  readonly framesApplied: number
  readonly commits: number
}

/** The pure centre of a device. */
export interface Replica {
  /** Whether a frame has been applied: what is absent is absent, not only unknown. */
  readonly isComplete: boolean
  /** Up to which number of `client` the last frame holds the effects; 0 before the first frame. */
  readonly decided: number
  readonly client: ClientId | undefined
  /** When the authority took the last frame's snapshot: milliseconds since 1970. */
  readonly at: number | undefined
  readonly counters: ReplicaCounters
  /** How far each scope is here. */
  cursors(): readonly Cursor[]
  /** Where a pull goes on: `cursors()`, or nothing where the rows are those of another version of the app, which may have left some out. */
  asksFrom(): readonly Cursor[]
  /**
   * Runs an intent after all that are pending. `call`: a first run, refused when it throws anything but the news that rows are not
   * here. `stored`: an intent of this or another tab that is kept already, never refused. An id that is pending already is not run again.
   */
  run(intent: PendingIntent, mode: 'call' | 'stored'): Promise<RunAnswer>
  /**
   * Takes intents out and runs others after all that stay, in one commit: all of it, or nothing where one of the first runs is refused.
   * Gives what became of each of the others; the one answer of a refusal otherwise.
   */
  exchange(
    ids: ReadonlySet<IntentId>,
    intents: readonly { readonly intent: PendingIntent; readonly mode: 'call' | 'stored' }[],
  ): Promise<readonly RunAnswer[]>
  /**
   * Applies a whole frame, and takes out the intents that it retires, in one commit. `pending` then puts the rest in an order, as
   * `reorder` does. Rejects with a SyncError, and changes nothing, when the frame does not fit: `malformed`, or `frame_gap` when it
   * does not begin where this replica stands.
   */
  confirm(
    frame: StoredFrame,
    retired: ReadonlySet<IntentId> | ((id: IntentId) => boolean),
    pending?: readonly PendingIntent[],
  ): Promise<void>
  /** Takes intents out: refused by the disk, withdrawn or parked. */
  drop(ids: ReadonlySet<IntentId>): Promise<void>
  /** Puts the pending intents into this order; those not yet known are run as stored, those not named stay, after the others. */
  reorder(intents: readonly PendingIntent[]): Promise<void>
  /** To be called when a turn is over: ends the run in progress, which waits for something that will not come from here. Returns whether anything is still to be done. */
  expireRun(): boolean
  isRunning(): boolean
  /** Calls `listener` once for each commit that changed something, after it can be read. */
  onCommit(listener: (commit: ReplicaCommit) => void): Cancel
  /** Commits tell of an aggregate's rows only while somebody observes it; for a table it makes no difference. */
  observe(table: string): Cancel
  /** A row as queries show it; undefined when it is absent. Throws a TypeError for a table that the app does not have. */
  get(table: string, id: string): Row | undefined
  rows(table: string): Iterable<Row>
  confirmedRows(table: string): ReadonlyMap<string, Row>
  /** Ids among which are those of all shown rows whose column has this value. Not for position columns and aggregates. */
  idsWhere(table: string, column: string, value: Row[string]): Iterable<string>
  /** The pending intents that wrote a row, or rows of an aggregate's group, in order. */
  writers(table: string, id: string): readonly IntentId[]
  /** The columns of a row whose values the authority may still change. */
  provisionalOf(table: string, id: string): readonly string[]
  /** The rows that a pending intent wrote, and the groups to which they belong. */
  keysOf(id: IntentId): readonly (readonly [table: string, id: string])[]
  picture(id: IntentId): RunPicture | undefined
  /** Pending intents, in order. */
  pending(): readonly IntentId[]
  /** The confirmed state as frames that lead to it. */
  frames(): Iterable<StoredFrame>
  /** A table or aggregate of the app, as the replica holds it. Throws a TypeError for other names. */
  table(name: string): TableState
}

/**
 * Makes an empty replica for this actor's intents. What a listener throws goes to `report`. Long work begins with `begin`, and lets
 * others have the thread: nothing of it is to be seen before it is done.
 */
export function createReplica(
  app: App,
  actor: string,
  report: (error: unknown) => void = rethrow,
  begin: () => Breath = () => inOneBreath,
): Replica {
  const overlay = createOverlay(app, actor)
  const shown = createShown(overlay)
  const reader = createFrameReader(overlay)
  const commits = createEmitter<ReplicaCommit>(report)
  const lane = createLane()
  const control: RunControl = { stop: undefined }
  const counters = { runs: 0, replays: 0, framesApplied: 0, commits: 0 }

  /** Finds what a plan leads to, swaps it in and tells. */
  const commit = async (
    plan: Plan,
    breathe: Breath,
  ): Promise<{ readonly rebased: Rebased } | { readonly error: SyncError | Rejection }> => {
    const indexed: Version[] = []
    const isFirstFrame = plan.staged !== undefined && overlay.frame === undefined
    try {
      const result = await rebase(overlay, plan, control, indexed, breathe)
      if (result.kind === 'refused') return { error: result.error }
      const { rebased } = result
      // Until the swap nothing changes but by this lane, and readers see what there was.
      let pause = breathe()
      if (pause !== undefined) await pause
      const touched = look(shown, rebased)
      pause = breathe()
      if (pause !== undefined) await pause
      swap(overlay, rebased)
      const changes = compare(shown, rebased, touched)
      counters.commits++
      counters.runs += rebased.appended.length
      counters.replays += rebased.replayed.length
      if (plan.staged !== undefined) counters.framesApplied++
      const frame = plan.staged?.frame
      if (changes.size > 0 || touched.size > 0 || frame !== undefined)
        commits.emit({ changes, touched, frame, isFirstFrame })
      return { rebased }
    } finally {
      // An index that still has what was only looked at finds too much, never too little.
      const pause = indexed.length === 0 ? undefined : breathe()
      if (pause !== undefined) await pause
      for (const { state, id, row } of indexed) unindexRow(state, id, row)
    }
  }

  /** Which runs have to leave, and which intents to be run behind the rest, so that the pending ones stand in this order. */
  const planOrder = (
    retired: ReadonlySet<Run>,
    intents: readonly PendingIntent[],
  ): Pick<Plan, 'retired' | 'appended'> => {
    const staying = overlay.runs.filter((run) => !retired.has(run))
    const named = new Set(intents.map((intent) => intent.id))
    const wanted = [...intents, ...staying.filter((run) => !named.has(run.intent.id)).map((run) => run.intent)]
    let same = 0
    while (same < staying.length && staying[same]?.intent.id === wanted[same]?.id) same++
    return {
      retired: new Set([...retired, ...staying.slice(same)]),
      appended: wanted.slice(same).map((intent) => ({ intent, mode: 'stored' })),
    }
  }

  const runsOf = (ids: ReadonlySet<IntentId> | ((id: IntentId) => boolean)): Set<Run> => {
    const isNamed = typeof ids === 'function' ? ids : (id: IntentId) => ids.has(id)
    return new Set(overlay.runs.filter((run) => isNamed(run.intent.id)))
  }

  const runAll = async (
    retired: ReadonlySet<Run>,
    appended: Plan['appended'],
    breathe: Breath,
  ): Promise<readonly RunAnswer[]> => {
    const result = await commit({ staged: undefined, retired, appended }, breathe)
    if ('error' in result) return [{ kept: false, error: result.error }]
    return result.rebased.appended.map(({ record }) => ({
      kept: true,
      picture: record.picture,
      needs: record.needs,
      base: baseOf(overlay, record),
    }))
  }

  const tableOf = (name: string): TableState => {
    const state = overlay.tables.get(name)
    if (state === undefined)
      throw new TypeError(
        `The app has no table or aggregate ${JSON.stringify(name)}; it has ${[...overlay.tables.keys()].join(', ')}`,
      )
    return state
  }
  const cursors = (): readonly Cursor[] => [...overlay.cursors].map(([scope, place]) => ({ scope, ...place }))

  return {
    get isComplete() {
      return overlay.frame !== undefined
    },
    get decided() {
      return overlay.frame?.decided ?? 0
    },
    get client() {
      return overlay.frame?.client
    },
    get at() {
      return overlay.frame?.at
    },
    counters,
    cursors,
    asksFrom: () => (overlay.madeFor === app.fingerprint ? cursors() : []),
    run: (intent, mode) =>
      lane.run(async () => {
        const known = overlay.runsById.get(intent.id)
        if (known !== undefined) return { kept: true, picture: known.picture, needs: [] }
        const [answer] = await runAll(new Set(), [{ intent, mode }], inOneBreath)
        return answer as RunAnswer
      }),
    exchange: (ids, intents) => lane.run(() => runAll(runsOf(ids), intents, begin())),
    confirm: (frame, retired, pending) =>
      lane.run(async () => {
        const breathe = begin()
        const staged = await reader.stage(frame, breathe)
        const runs = runsOf(retired)
        await commit(
          { staged, ...(pending === undefined ? { retired: runs, appended: [] } : planOrder(runs, pending)) },
          breathe,
        )
      }),
    drop: (ids) =>
      lane.run(async () => {
        const runs = runsOf(ids)
        if (runs.size > 0) await commit({ staged: undefined, retired: runs, appended: [] }, begin())
      }),
    reorder: (intents) =>
      lane.run(async () => {
        const plan = planOrder(new Set(), intents)
        if (plan.retired.size > 0 || plan.appended.length > 0) await commit({ staged: undefined, ...plan }, begin())
      }),
    expireRun() {
      control.stop?.()
      return lane.size() > 0
    },
    isRunning: () => lane.size() > 0,
    onCommit: (listener) => commits.on(listener),
    observe: (table) => shown.observe(tableOf(table)),
    get: (table, id) => shown.row(tableOf(table), id),
    rows: (table) => shown.rows(tableOf(table)),
    confirmedRows: (table) => tableOf(table).rows,
    idsWhere: (table, column, value) => indexOn(tableOf(table), column).ids(value),
    writers: (table, id) => shown.runs(tableOf(table), id).map((run) => run.intent.id),
    provisionalOf: (table, id) => shown.provisional(tableOf(table), id),
    keysOf(id) {
      const keys: [string, string][] = []
      for (const { state, id: row } of overlay.runsById.get(id)?.writes ?? []) {
        keys.push([state.name, row])
        for (const { state: aggregate, of, groups } of shown.derived)
          if (of === state) for (const key of groups.groupsOf(row)) keys.push([aggregate.name, key])
      }
      return keys
    },
    picture: (id) => overlay.runsById.get(id)?.picture,
    pending: () => overlay.runs.map((run) => run.intent.id),
    frames: () => foldFrames(overlay),
    table: tableOf,
  }
}

/** What is soon done: nobody looks at the clock for it. */
const inOneBreath: Breath = () => undefined

function rethrow(error: unknown): never {
  throw error
}
