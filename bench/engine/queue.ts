// The queue that a device gets rid of: workouts and sets in them, made on a device that is not connected. Only the calls; what becomes
// of them is measured by replay.ts, here and in the browser.
import { setArgs, workout } from './rows.ts'
import type { BenchClient } from './script.ts'
import { uuidOf } from './uuid.ts'

/** How many intents wait. */
export const INTENTS = 10_000
export const SETS_PER_WORKOUT = 24

/** Makes the intents on a device that is not connected: workouts, and sets in them. */
export async function queue(client: BenchClient, label: string): Promise<void> {
  const saved: Promise<void>[] = []
  for (let number = 0; saved.length < INTENTS; number++) {
    const at = Math.floor(number / SETS_PER_WORKOUT)
    const id = uuidOf(`${label} workout ${at}`)
    if (number % SETS_PER_WORKOUT === 0) saved.push(client.mutate.startWorkout({ ...workout(at), id }).saved)
    else saved.push(client.mutate.logSet({ ...setArgs(number, SETS_PER_WORKOUT, label), workoutId: id }).saved)
  }
  await Promise.all(saved)
}
