// One run of a mutator: it reads the rows as they stand before it, and what it read and wrote is recorded. It writes nowhere: the
// record goes to the rebase, which compares, and to the overlay, which swaps it in.
// A run goes over microtasks, because mutators are async in form; `stop` ends one that waits for anything else, after which it gets
// no more answers. What reads a row that may exist but is not here is blind, whatever it makes of the error.
import { asSyncError, SyncError } from '../../base/errors.ts'
import type { IntentId } from '../../protocol/ids.ts'
import type { App } from '../../schema/app.ts'
import type { Mutator } from '../../schema/mutator.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import { createTx, Rejection, type Tx } from '../../schema/tx.ts'
import { upgradeArguments } from '../../schema/upgrade.ts'
import type { Run, RunPicture, Write } from './overlay.ts'
import { createRecorder } from './recorder.ts'
import { freezeDeep, type TableState } from './tables.ts'

/** The rows as one run finds them. */
export interface View {
  readonly app: App
  readonly actor: string
  readonly tables: ReadonlyMap<string, TableState>
  /** Whether what is absent is known to be absent. */
  readonly isComplete: boolean
  row(state: TableState, id: string): Row | undefined
  /** At least the ids of the rows that meet the query, each once. */
  candidates(state: TableState, spec: QuerySpec): Iterable<string>
  /** The pending intent that put a row there, if one did. */
  inserter(state: TableState, id: string): IntentId | undefined
}

/** A row that was read. */
export interface KeyRead {
  readonly state: TableState
  readonly id: string
}

/** A range as it was read. */
export interface RangeRead {
  readonly state: TableState
  readonly spec: QuerySpec
  /** The last row, when the limit was reached: nothing beyond it was seen. */
  readonly edge: Row | undefined
}

/** A row that an intent with a conflict policy is based on. */
export interface Traced {
  readonly state: TableState
  readonly id: string
  /** As the run found it. */
  readonly before: Row | undefined
  /** The columns that its updates set. */
  readonly names: Set<string>
}

/** What a run read and wrote. */
export interface RunRecord {
  readonly picture: RunPicture
  /** Rows that were read and not written. */
  readonly keys: readonly KeyRead[]
  readonly ranges: readonly RangeRead[]
  readonly writes: readonly Write[]
  /** Pending intents that inserted a row which this run read, wrote or refers to. */
  readonly needs: readonly IntentId[]
  /** Only of a first run whose mutator has a conflict policy. */
  readonly trace?: ReadonlyMap<string, Traced> | undefined
}

/** What a run came to. Only a first run is refused. */
export type RunResult =
  | { readonly kept: true; readonly record: RunRecord }
  | { readonly kept: false; readonly error: SyncError | Rejection }

/** How runs can be ended from outside. */
export interface RunControl {
  /** Ends the run in progress because it waits for something other than its transaction; undefined when none is in progress. */
  stop: (() => void) | undefined
}

type Ending = { readonly how: 'done' } | { readonly how: 'threw'; readonly error: unknown } | { readonly how: 'waited' }

/** Executes a run's mutator. `call`: for the first time, which may be refused. `stored`: one that is kept whatever happens. */
export async function execute(run: Run, mode: 'call' | 'stored', view: View, control: RunControl): Promise<RunResult> {
  const { intent } = run
  const { id, root, name, madeAt } = intent
  const mutator = Object.hasOwn(view.app.mutators, name) ? view.app.mutators[name] : undefined
  if (mutator === undefined) {
    return mode === 'stored'
      ? kept('unfit')
      : refused(new SyncError('mutator_unknown', `The app declares no mutator ${name}`))
  }
  let input: unknown
  try {
    const upgraded = upgradeArguments(name, mutator, intent.version, intent.args)
    if (upgraded.kind === 'unfit') return kept('unfit')
    if (upgraded.kind === 'invalid') {
      if (mode === 'stored') return kept('in-doubt')
      return refused(
        new SyncError('arguments_invalid', `${name} was called with ${upgraded.problems.join('; ')}`, {
          details: { problems: upgraded.problems },
        }),
      )
    }
    input = upgraded.input
  } catch (error) {
    return mode === 'stored' ? kept('in-doubt') : refused(errorOf(name, error))
  }
  // What a mutator did to its arguments would be there on its next run, and on the wire.
  freezeDeep(input)

  const recorder = createRecorder(view, run, mode === 'call' && mutator.conflict !== 'rerun')
  const tx = createTx(view.app, recorder.source, { actor: view.actor, madeAt, rootId: root ?? id })
  const ending = await endOf(begin(mutator, tx, input), control)
  control.stop = undefined
  recorder.close()

  const isBlind = recorder.isBlind()
  if (mode === 'call' && ending.how === 'waited')
    return refused(new SyncError('mutator_waited', `${name} waited for something else than its transaction`))
  if (mode === 'call' && ending.how === 'threw' && !isBlind) return refused(errorOf(name, ending.error))
  return { kept: true, record: recorder.record(isBlind ? 'blind' : ending.how === 'done' ? 'shown' : 'in-doubt') }
}

function begin(mutator: Mutator, tx: Tx<App['tables']>, input: unknown): Promise<unknown> {
  try {
    return Promise.resolve(mutator.body(tx, input))
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * How a run ends. Not inside `execute`, where what ends a run would hold its transaction and its recorder too: `control` is older than
 * any run, and through it 3 KB a run were seen to outlive each collection of young objects.
 */
function endOf(run: Promise<unknown>, control: RunControl): Promise<Ending> {
  return new Promise((resolve) => {
    control.stop = () => resolve({ how: 'waited' })
    run.then(
      () => resolve({ how: 'done' }),
      (error: unknown) => resolve({ how: 'threw', error }),
    )
  })
}

const nothing: Pick<RunRecord, 'keys' | 'ranges' | 'writes' | 'needs'> = {
  keys: [],
  ranges: [],
  writes: [],
  needs: [],
}

function kept(picture: RunPicture): RunResult {
  return { kept: true, record: { picture, ...nothing } }
}

function refused(error: SyncError | Rejection): RunResult {
  return { kept: false, error }
}

function errorOf(name: string, error: unknown): SyncError | Rejection {
  if (error instanceof Rejection) return error
  return asSyncError(error, 'mutator_threw', `${name} threw ${error instanceof Error ? error.message : String(error)}`)
}
