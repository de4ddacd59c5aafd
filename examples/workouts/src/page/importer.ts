// The import of an export file on one device: reads, plans and logs it in slices, and says how far it is. The ids of its intents
// come from the file and the person (see import/plan.ts), so a file that is imported twice, or after an import that was cut off,
// adds nothing twice. It goes on while other places of the app are shown. Draws nothing: that is views/import.tsx.
import type { Client, IntentHandle } from 'holdfast/client'
import { app } from '../app.ts'
import { NotAnExport, readExportInSteps } from '../import/parse.ts'
import { type PlannedIntent, planImportInSteps } from '../import/plan.ts'
import { type Breath, nextSize, runInSlices } from './slices.ts'

/** A line of the file that is not in the list, and why. */
export interface Problem {
  readonly line: number
  readonly reason: string
}

/** How an import stands. */
export type ImportState =
  | { readonly is: 'idle' }
  | {
      readonly is: 'running'
      readonly doing: 'reading' | 'logging'
      readonly name: string
      readonly done: number
      readonly all: number
    }
  | { readonly is: 'failed'; readonly name: string; readonly reason: string }
  | ({ readonly is: 'done'; readonly name: string } & ImportResult)

/** What became of a file. */
export interface ImportResult {
  /** What this import has put on this device. */
  readonly workouts: number
  readonly sets: number
  /** Workouts and sets that were here already. */
  readonly known: number
  readonly problems: readonly Problem[]
}

/** Imports files, one at a time. */
export interface Importer {
  state(): ImportState
  subscribe(listener: () => void): () => void
  /** Imports a file; resolves when all of it is on this device. Never rejects: what went wrong is in the state. */
  start(name: string, read: () => Promise<Uint8Array>): Promise<void>
  /** Forgets what became of the last one. */
  dismiss(): void
}

/** Slices that may wait for the disk while the next one is made: enough to keep both busy. */
const AHEAD = 3

/** Makes the importer of a client. `actor` is who is signed in. */
export function createImporter(
  client: Pick<Client<typeof app>, 'mutate' | 'live'>,
  actor: string,
  breath: Breath,
): Importer {
  const listeners = new Set<() => void>()
  let state: ImportState = { is: 'idle' }
  const set = (next: ImportState): void => {
    state = next
    for (const listener of [...listeners]) listener()
  }

  const make = ({ id, mutator, args }: PlannedIntent): IntentHandle =>
    mutator === 'logWorkout'
      ? client.mutate.logWorkout(args as unknown as Parameters<typeof client.mutate.logWorkout>[0], { id })
      : client.mutate.logSet(args as unknown as Parameters<typeof client.mutate.logSet>[0], { id })

  /** The intents whose row is not here yet. A row has the id of the intent that makes it. */
  const newOnes = async (intents: readonly PlannedIntent[]): Promise<readonly PlannedIntent[]> => {
    const here = new Set<string>()
    for (const query of [app.query.workouts, app.query.sets]) {
      const live = client.live<{ readonly id: string }>(query)
      for (const { id } of live.rows) here.add(id)
      live.close()
      await breath.breathe()
    }
    return intents.filter(({ id }) => !here.has(id))
  }

  const log = async (name: string, all: readonly PlannedIntent[]): Promise<ImportResult> => {
    const intents = await newOnes(all)
    const result = { workouts: 0, sets: 0, known: all.length - intents.length, problems: [] as Problem[] }
    const waiting: Promise<void>[] = []
    let size = 4
    for (let from = 0; from < intents.length; ) {
      const started = breath.now()
      const slice = intents.slice(from, from + size)
      from += slice.length
      const handles = slice.map(make)
      // What the calls began runs to its end before the page has its turn: only then is it known how long they took.
      await breath.breathe()
      size = nextSize(size, breath.now() - started)
      waiting.push(account(slice, handles, result))
      if (waiting.length > AHEAD) await waiting.shift()
      set({
        is: 'running',
        doing: 'logging',
        name,
        done: result.workouts + result.sets + result.known,
        all: all.length,
      })
    }
    await Promise.all(waiting)
    return result
  }

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async start(name, read) {
      if (state.is === 'running') return
      set({ is: 'running', doing: 'reading', name, done: 0, all: 1 })
      try {
        const file = await runInSlices(readExportInSteps(await read()), breath, ({ done, all }) =>
          set({ is: 'running', doing: 'reading', name, done: done / 2, all }),
        )
        const plan = await runInSlices(planImportInSteps(file, actor), breath, ({ done, all }) =>
          set({ is: 'running', doing: 'reading', name, done: all / 2 + done / 2, all }),
        )
        const result = await log(name, plan.intents)
        set({ is: 'done', name, ...result, problems: [...plan.unreadable, ...result.problems] })
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        set({
          is: 'failed',
          name,
          reason: error instanceof NotAnExport ? reason : `The file could not be read: ${reason}`,
        })
      }
    },
    dismiss() {
      if (state.is !== 'running') set({ is: 'idle' })
    },
  }
}

/** Waits until a slice is kept, and counts what became of it. */
async function account(
  slice: readonly PlannedIntent[],
  handles: readonly IntentHandle[],
  result: { workouts: number; sets: number; known: number; problems: Problem[] },
): Promise<void> {
  const saved = await Promise.allSettled(handles.map((handle) => handle.saved))
  for (const [index, { status }] of saved.entries()) {
    if (status === 'fulfilled') {
      if (slice[index]?.mutator === 'logWorkout') result.workouts++
      else result.sets++
      continue
    }
    // Settled in the same turn as `saved` is refused.
    const decision = await handles[index]?.decided
    if (decision?.status === 'refused' && decision.code === 'row_exists') result.known++
    else
      result.problems.push({
        line: slice[index]?.line ?? 0,
        reason: `it was not kept (${decision?.status === 'refused' ? decision.code : 'unknown'})`,
      })
  }
}
