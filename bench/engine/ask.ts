// How long it takes to open a query over 100,000 rows, by what of it an index can answer, and what a change costs when a hundred relations
// and values are shown. Each query is opened and read again and again, as screens come and go; the first one of a column, which makes
// its index, is said apart. What an update of one list takes is mutate.ts.

import type { Query } from 'holdfast'
import { type Client, countOf, include, many, maxOf, one, type Question, sumOf } from 'holdfast/client'
import { type Figure, figure, median, percentile, timed } from '../harness.ts'
import { app } from './app.ts'
import { createScript, openDevice, scripted } from './device.ts'
import { allSets, exercise, pullPages, setArgs, workout } from './rows.ts'

const REPEATS = 31
const CALLS = 400
const ROUNDS = 8

export async function measure(): Promise<readonly Figure[]> {
  const sets = allSets()
  const script = createScript(pullPages(sets))
  const client = openDevice(scripted(script))
  await client.ready
  client.resume()
  await script.listening
  client.pause()
  const { query } = app
  const newest = 1_700_000_000_000 + 950 * 86_400_000
  const questions: readonly (readonly [string, Query<never> | Question<unknown>])[] = [
    [
      'of an equality, in an order, 50 rows',
      query.sets
        .where({ exercise: exercise(0) })
        .orderBy('doneAt', 'desc')
        .limit(50),
    ],
    ['of a range, 5,000 of all rows', query.sets.where({ doneAt: { gte: newest } })],
    ['of an order alone, 50 of all rows', query.sets.orderBy('doneAt', 'desc').limit(50)],
    [
      'of 20 workouts with their 100 sets each',
      include(query.workouts.orderBy('startedAt', 'desc').limit(20), {
        sets: many(query.sets.orderBy('position'), 'workoutId'),
        totals: one(query.workoutTotals, 'id'),
      }),
    ],
    ['of a count of an equality', countOf(query.sets.where({ exercise: exercise(0) }))],
    ['of a sum over all rows', sumOf(query.sets, 'kg')],
    ['of the greatest of all rows', maxOf(query.sets, 'kg')],
  ] as never
  const figures: Figure[] = []
  for (const [what, question] of questions) {
    const open = () =>
      timed(() => {
        const live = client.live(question as Question<unknown>)
        void live.value
        live.close()
      })
    const first = await open()
    const times: number[] = []
    for (let round = 0; round < REPEATS; round++) times.push(await open())
    figures.push(
      figure({
        name: `opening a query ${what}`,
        value: median(times),
        unit: 'ms',
        note: `among ${sets.length} confirmed rows; the first time ${first.toFixed(1)} ms, with what of an index it makes and what is not compiled yet`,
      }),
    )
  }
  figures.push(await updates(client))
  await client.close()
  return figures
}

/** From a call until the last of a hundred listeners was called, of which each shows a workout with its sets, or a value of all rows. */
async function updates(client: Client<typeof app>): Promise<Figure> {
  const { query } = app
  let told = 0
  for (let number = 0; number < 90; number++)
    client
      .live(
        include(query.workouts.where({ id: workout(number).id }), {
          sets: many(query.sets.orderBy('position'), 'workoutId'),
        }),
      )
      .subscribe(() => {
        told = performance.now()
      })
  for (let number = 0; number < 10; number++)
    client.live(sumOf(query.sets.where({ kg: { gte: number } }), 'kg')).subscribe(() => {
      told = performance.now()
    })
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const took: number[] = []
    const saved: Promise<void>[] = []
    for (let call = 0; call < CALLS; call++) {
      const number = round * CALLS + call
      told = 0
      const began = performance.now()
      saved.push(client.mutate.logSet({ ...setArgs(number, 100, 'new'), workoutId: workout(number % 90).id }).saved)
      while (told === 0) await undefined
      took.push(told - began)
    }
    await Promise.all(saved)
    rounds.push(percentile(took, 0.5))
  }
  return figure({
    name: 'call of a mutator until the last of 100 relations and values was told, p50',
    value: median(rounds.slice(2)),
    unit: 'ms',
    note: `90 workouts with their sets, 10 sums over all rows; a new set changes one of the former and all of the latter; ${CALLS} calls a round`,
  })
}
