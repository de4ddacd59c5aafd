// A device at its busiest, in steps that the bench watches one by one: a first sync of 100,000 rows, 10,000 calls, frames that come
// meanwhile, a frame on which all that waits is built; then a hundred open lists. Runs in a page; what a step cost is seen from outside.
import { browser } from 'holdfast/browser'
import type { Network } from 'holdfast/client'
import { app, SCOPE } from '../../engine/app.ts'

import { allSets, pullPages, type SetRow, setArgs, workout } from '../../engine/rows.ts'
import { type BenchClient, createScript, openDevice, type Script } from '../../engine/script.ts'
import { world } from './world.ts'

const { clock } = browser()
const SHOWN = 50
/** So many calls an import makes in one task, before it lets others have the thread. */
const CALLS = 50
const INTENTS = 10_000
const CHANGED = 5_000
/** Rows in each of the frames that come from others: what one page of a pull may hold, at most. */
const FOREIGN = [100, 100, 100, 1_000, 5_000]

interface Device {
  readonly client: BenchClient
  readonly script: Script
  readonly folded: Promise<unknown>
  /** The patches that come, as texts. */
  readonly foreign: readonly string[]
  readonly touched: string
}

let device: Device | undefined

export const busyPage = {
  /** A device that has heard nothing yet, with the list that an app would show. What it will hear is made before anything is watched. */
  async startBusy(): Promise<void> {
    const sets = allSets()
    const script = createScript(pullPages(sets))
    const foreign = FOREIGN.map((count, at) => patchText(at + 1, { sets: foreignRows(sets, count, at + 1) }))
    const touched = patchText(FOREIGN.length + 1, {
      sets: Array.from({ length: CHANGED }, (_, number) => ({ ...(sets[number] as SetRow), reps: 1 })),
    })
    let heard: (kept: Promise<unknown>) => void = () => undefined
    const folded = new Promise<unknown>((resolve) => {
      heard = (kept) => void kept.then(resolve)
    })
    const client = openDevice(world('busy', inTasks(script.network), { folded: heard }))
    client.live(app.query.sets.orderBy('doneAt', 'desc').limit(SHOWN)).subscribe(() => undefined)
    await client.ready
    device = { client, script, folded, foreign, touched }
  },
  /** Until all rows are here, stored and folded. */
  async firstSync(): Promise<void> {
    const { client, script, folded } = started()
    client.resume()
    await script.listening
    await folded
  },
  /** The calls of an import, some in each task, until all are saved; what is sent is never answered. Half of them change stored rows. */
  async manyCalls(): Promise<void> {
    const { client } = started()
    const saved: Promise<void>[] = []
    for (let number = 0; number < INTENTS; number++) {
      const args = { ...setArgs(number, 100, 'busy'), workoutId: workout(number % 1_000).id }
      const call =
        number < CHANGED
          ? client.mutate.changeWeight({ id: setArgs(number).id, kg: number / 2 })
          : client.mutate.logSet(args)
      saved.push(call.saved)
      if (number % CALLS === CALLS - 1) await turn()
    }
    await Promise.all(saved)
  },
  /** Frames of rows that others changed and added, each when the one before is shown. */
  async manyFrames(): Promise<void> {
    for (const patch of started().foreign) await frame(patch)
  },
  /** A frame of the rows that half of what waits has changed; gives how many of them ran again. */
  async rebaseMany(): Promise<number> {
    const { client, touched } = started()
    const { counters } = client.inspect().replica
    const before = counters.replays
    await frame(touched)
    return counters.replays - before
  },
}

/** Rows that others changed, and new ones of theirs. */
function foreignRows(sets: readonly SetRow[], count: number, version: number): readonly SetRow[] {
  return Array.from({ length: count }, (_, number) =>
    number % 2 === 0
      ? { ...(sets[50_000 + number * 7] as SetRow), kg: version }
      : { ...setArgs(number, 100, `foreign ${version}`), workoutId: workout(number % 1_000).id, position: 200 },
  )
}

function patchText(version: number, rows: object): string {
  const mark = 'aa'
  return JSON.stringify({ scope: SCOPE, from: { version, mark }, to: { version: version + 1, mark }, rows, gone: {} })
}

/** Sends a frame, and waits until it is shown. */
async function frame(patch: string): Promise<void> {
  const { client, script } = started()
  const { counters } = client.inspect().replica
  const before = counters.framesApplied
  await turn()
  script.frame(patch)
  while (counters.framesApplied === before) await turn()
}

/** The same network, whose answers come as those of a real one do: each in a task of its own. */
function inTasks({ exchange, stream }: Network): Network {
  return {
    stream,
    exchange(...asked) {
      const { answer, cancel } = exchange(...asked)
      return { answer: answer.then(async (given) => turn().then(() => given)), cancel }
    },
  }
}

function started(): Device {
  if (device === undefined) throw new Error('No device was started in this page')
  return device
}

/** The rest of the page has its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => void clock.turn(resolve))
}
