// One live query of a device and the calls that change its answer, timed from the call until the subscriber is called; and the least
// that anyone could do, one Map and one sorted array kept by hand. What is made of the times is mutate.ts, here and in the browser.
import { app } from './app.ts'
import { exercise, type SetRow, setArgs, workout } from './rows.ts'
import type { BenchClient } from './script.ts'
import { uuidOf } from './uuid.ts'

export const SHOWN = 50

/** The two sides. */
export interface UpdateSides {
  /** Milliseconds of each call; the next one is made when the subscriber was called, or, where `each` says so, when `saved` resolved. */
  engine(calls: number, each: 'told' | 'saved'): Promise<readonly number[]>
  byHand(calls: number): Promise<readonly number[]>
  close(): void
}

/** Opens the query on a device that holds these rows, and builds the list by hand of the same ones. */
export function openUpdates(client: BenchClient, sets: readonly SetRow[]): UpdateSides {
  const lift = exercise(0)
  const query = client.live(app.query.sets.where({ exercise: lift }).orderBy('doneAt', 'desc').limit(SHOWN))
  let calledAt = 0
  let shown: readonly { readonly id: string; readonly kg: number }[] = query.rows
  query.subscribe((rows) => {
    calledAt = performance.now()
    shown = rows
  })
  let made = 0

  const byId = new Map<string, SetRow>(sets.map((row) => [row.id, row]))
  const sorted = sets.filter((row) => row.exercise === lift).sort((a, b) => b.doneAt - a.doneAt)
  let heard = 0
  const listener = (rows: readonly SetRow[]): void => {
    heard = performance.now()
    if (rows.length !== SHOWN) throw new Error('The list by hand is wrong')
  }
  let placed = 0

  return {
    // Half of the calls add a set on top, half change the weight of one that is shown.
    async engine(calls, each) {
      const took: number[] = []
      const saved: Promise<void>[] = []
      for (let call = 0; call < calls; call++) {
        const number = made++
        const target = shown[number % SHOWN]
        const args = {
          ...setArgs(number, 100, 'new'),
          workoutId: workout(number % 1_000).id,
          exercise: lift,
          doneAt: 1_800_000_000_000 + number,
        }
        calledAt = 0
        const began = performance.now()
        const intent =
          call % 2 === 0 || target === undefined
            ? client.mutate.logSet(args)
            : client.mutate.changeWeight({ id: target.id, kg: target.kg + 0.5 })
        saved.push(intent.saved)
        while (calledAt === 0) await undefined
        if (each === 'saved') await intent.saved
        took.push((each === 'saved' ? performance.now() : calledAt) - began)
      }
      await Promise.all(saved)
      return took
    },
    async byHand(calls) {
      const took: number[] = []
      for (let call = 0; call < calls; call++) {
        const number = placed++
        const target = sorted[number % SHOWN] as SetRow
        const added: SetRow = {
          ...setArgs(number, 100, 'raw'),
          id: uuidOf(`raw ${number}`),
          exercise: lift,
          doneAt: 1_800_000_000_000 + number,
          position: 1,
        }
        const began = performance.now()
        const row = call % 2 === 0 ? added : { ...target, kg: target.kg + 0.5 }
        const old = byId.get(row.id)
        byId.set(row.id, row)
        if (old !== undefined) sorted.splice(sorted.indexOf(old), 1)
        let low = 0
        let high = sorted.length
        while (low < high) {
          const middle = (low + high) >> 1
          if ((sorted[middle] as SetRow).doneAt > row.doneAt) low = middle + 1
          else high = middle
        }
        sorted.splice(low, 0, row)
        await undefined
        listener(sorted.slice(0, SHOWN))
        took.push(heard - began)
      }
      return took
    },
    close: () => query.close(),
  }
}
