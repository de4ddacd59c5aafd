// The authority is a function of its world and its inputs: the same clock, dice and requests give the same answers and the same file.
import { expect, test } from 'vitest'
import type { ServerHost } from '../../src/server/host.ts'
import { type Entry, stage } from './scenario.ts'

/** A world whose time is counted and whose dice are a generator with a seed. */
function countedWorld(seed: number): ServerHost {
  let state = seed
  let now = 1_700_000_000_000
  return {
    clock: {
      now: () => now++,
      monotonic: () => now++,
      after: () => () => undefined,
      turn(run) {
        const turn = setImmediate(run)
        return () => clearImmediate(turn)
      },
    },
    random: {
      bytes(length) {
        return Uint8Array.from({ length }, () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0
          return state >>> 24
        })
      },
    },
    log: () => undefined,
  }
}

async function play(seed: number): Promise<{ readonly answers: unknown[]; readonly tables: unknown[] }> {
  const on = await stage({ host: countedWorld(seed) })
  const anna = on.device('anna')
  anna.client = '00000000-0000-4000-8000-0000000000aa'
  const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  const answers: unknown[] = []
  const entries = anna
    .make(
      ['insertWorkouts', { id: 'w', ownerId: 'anna', name: 'Legs', done: false }],
      ...Array.from(
        { length: 30 },
        (_, n) => ['insertSets', { id: `s${n}`, workoutId: 'w', reps: n, kg: n / 3 }] as const,
      ),
      ['act', { how: 'reject', id: 'x' }],
      ['act', { how: 'throw', id: 'x' }],
    )
    .map((entry, n): Entry => ({ ...entry, id: id(n) }))
  answers.push((await anna.push(...entries)).body, (await anna.push(...entries)).body)
  on.foreign("UPDATE workouts SET ownerId = 'ben'")
  on.foreign("UPDATE workouts SET ownerId = 'anna'")
  on.foreign('DELETE FROM sets WHERE reps % 3 = 0')
  answers.push(
    (await anna.page()).body,
    await on.authority.run('anna', 'updateWorkouts', { id: 'w', name: 'Arms' }, { id: id(99) }),
    (await anna.page()).body,
  )
  const names = ['client', 'ledger', 'scope', 'commit', 'log', 'mark', 'watched'].map((name) => `holdfast_${name}`)
  return { answers, tables: [...names, 'sets', 'workoutTotals'].map((name) => on.foreign(`SELECT * FROM ${name}`)) }
}

test('the same seed gives the same answers and the same tables, another seed others', async () => {
  const [one, two, other] = [await play(7), await play(7), await play(8)]
  expect(two).toEqual(one)
  expect(other).not.toEqual(one)
})
