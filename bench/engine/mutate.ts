// How long it takes from a call of a mutator until the subscriber of a live query has been called, among 100,000 confirmed rows.
// The query filters, orders and limits; each call changes its answer. Beside it: the least that anyone could do, one Map and one
// sorted array kept by hand. What becomes of the intent on disk afterwards is burst.ts.
import { type Figure, figure, inTurns, median, percentile } from '../harness.ts'
import { app } from './app.ts'
import { createScript, openDevice, scripted } from './device.ts'
import { allSets, exercise, pullPages, type SetRow, setArgs, uuidOf, workout } from './rows.ts'

const SHOWN = 50
const CALLS = 400
const REPEATS = 7

export async function measure(): Promise<readonly Figure[]> {
  const sets = allSets()
  const lift = exercise(0)
  const script = createScript(pullPages(sets))
  const client = openDevice(scripted(script))
  await client.ready
  client.resume()
  await script.listening
  client.pause()

  const query = client.live(app.query.sets.where({ exercise: lift }).orderBy('doneAt', 'desc').limit(SHOWN))
  let calledAt = 0
  let shown: readonly { readonly id: string; readonly kg: number }[] = query.rows
  query.subscribe((rows) => {
    calledAt = performance.now()
    shown = rows
  })
  let made = 0

  // Half of the calls add a set on top, half change the weight of one that is shown.
  const engine = async (): Promise<number[]> => {
    const samples: number[] = []
    for (let call = 0; call < CALLS; call++) {
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
      while (calledAt === 0) await undefined
      samples.push(calledAt - began)
      await intent.saved
    }
    return samples
  }

  const byId = new Map<string, SetRow>(sets.map((row) => [row.id, row]))
  const sorted = sets.filter((row) => row.exercise === lift).sort((a, b) => b.doneAt - a.doneAt)
  let heard = 0
  const listener = (rows: readonly SetRow[]): void => {
    heard = performance.now()
    if (rows.length !== SHOWN) throw new Error('The list by hand is wrong')
  }
  let placed = 0
  const byHand = async (): Promise<number[]> => {
    const samples: number[] = []
    for (let call = 0; call < CALLS; call++) {
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
      samples.push(heard - began)
    }
    return samples
  }

  // What an app does all day is compiled: so many calls of each until the figures stand still.
  await inTurns(10, engine, byHand)
  const { a, b } = await inTurns(REPEATS, engine, byHand)
  query.close()
  await client.close()
  const middle = (rounds: readonly (readonly number[])[], share: number): number =>
    median(rounds.map((samples) => percentile(samples, share)))
  return [
    figure({
      name: 'call of a mutator until the subscriber is called, p50',
      value: middle(a, 0.5),
      unit: 'ms',
      raw: middle(b, 0.5),
      reach: { of: 'value', is: 'at most', bound: 0.05 },
      note: `${CALLS} calls a round (inserts and updates by turns), ${sets.length} confirmed rows, where + orderBy + limit ${SHOWN}; raw: a Map and a sorted array by hand`,
    }),
    figure({
      name: 'call of a mutator until the subscriber is called, p99',
      value: middle(a, 0.99),
      unit: 'ms',
      raw: middle(b, 0.99),
      note: 'the same calls',
    }),
  ]
}
