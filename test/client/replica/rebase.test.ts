// That a rebase by what is touched equals a full replay, for random lives of a replica, and that it runs again what was given other
// rows and nothing else.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createReplica } from '../../../src/client/replica/replica.ts'
import type { Row } from '../../../src/schema/table.ts'
import { app, type Edit, NAMES, type Op } from './model.ts'
import { changesBetween, createWorld, life, type Step, shownBy, textOf } from './world.ts'

const runs = Number(process.env['HOLDFAST_RUNS'] ?? 1_000)
// A machine that does ten other things at once is not a failure.
const timeout = 300_000

const ids = ['b0', 'b1', 'b2', 'i0', 'i1', 'i2', 'i3', 'i4']

// Once found by chance: a frame gave a row another position and nothing else, beneath a pending intent that had deleted the row; one
// after it ran again for another reason, and saw the row as if it had not been deleted.
const item = (place: number) => ({ id: 'i2', boxId: 'b2', place, seat: place, kind: 'k0', n: 8 })
const put = (name: 'boxes' | 'items', row: Row) => ({ do: 'put' as const, name, row, owner: 'ada' })
const frameOf = (edits: readonly Edit[], retires: boolean): Step => ({
  do: 'frame',
  edits,
  retire: [retires],
  isPrefix: false,
  cut: { isChained: false, isReversed: false },
  reorder: null,
})
const callOf = (...ops: readonly Op[]): Step => ({ do: 'call', ops, mode: 'call' })
const moveOfPositionAlone: readonly Step[] = [
  frameOf([put('boxes', { id: 'b0', owner: 'ada', tag: null, n: 0 }), put('items', item(1))], false),
  callOf({ do: 'insert', table: 'items', id: 'i0', under: 'b0', isTried: true }),
  // biome-ignore lint/suspicious/noThenProperty: it is data, nobody awaits it.
  callOf({ do: 'where', table: 'items', under: 'b2', atLeast: null, order: 'asc', limit: null, then: 'delete' }),
  callOf(
    { do: 'insert', table: 'items', id: 'i2', under: 'b0', isTried: true },
    { do: 'get', table: 'items', id: 'i0' },
  ),
  frameOf([put('items', item(2))], true),
]

test('[I5] after every step the overlay equals the confirmed rows with all pending intents replayed in order', {
  timeout,
}, async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const world = createWorld()
      for (const step of steps) {
        await world.take(step)
        expect(textOf(shownBy(world.replica))).toBe(textOf(await world.model.shown()))
        const { pictures, writers, rows } = await world.model.replay()
        const expected: unknown[] = [...pictures]
        const seen: unknown[] = world.replica.pending().map((id) => [id, world.replica.picture(id)])
        for (const name of ['boxes', 'items']) {
          for (const id of ids) {
            expected.push(writers.get(`${name}/${id}`) ?? [])
            seen.push(world.replica.writers(name, id))
          }
        }
        // A group's writers are those of the rows that are, or were, in it.
        for (const box of ['b0', 'b1', 'b2']) {
          const versions = (id: string) => [rows['items']?.get(id), world.model.confirmed['items']?.get(id)?.row]
          const inside = ids.filter((id) => versions(id).some((row) => row?.['boxId'] === box))
          const among = new Set(inside.flatMap((id) => writers.get(`items/${id}`) ?? []))
          expected.push(world.model.pending.map(({ id }) => id).filter((id) => among.has(id)))
          seen.push(world.replica.writers('boxTotals', box))
        }
        expect(JSON.stringify(seen)).toBe(JSON.stringify(expected))
      }
    }),
    { numRuns: runs, examples: [[moveOfPositionAlone]] },
  )
})

test('[I5] [I6] whoever has the thread between two pieces of a rebase sees what there was until it is told, and the end is the same', {
  timeout,
}, async () => {
  let pauses = 0
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      let seen: string | undefined
      let isChanged = false
      const begin = () => () => {
        pauses++
        isChanged ||= textOf(shownBy(replica)) !== seen
        return Promise.resolve()
      }
      const replica = createReplica(app, 'ada', undefined, begin)
      // From the moment in which it is told, what is new.
      replica.onCommit(() => {
        seen = textOf(shownBy(replica))
      })
      const world = createWorld(replica)
      for (const step of steps) {
        seen = textOf(shownBy(replica))
        await world.take(step)
        expect(isChanged).toBe(false)
        expect(textOf(shownBy(replica))).toBe(textOf(await world.model.shown()))
      }
    }),
    { numRuns: Math.ceil(runs / 5), examples: [[moveOfPositionAlone]] },
  )
  expect(pauses).toBeGreaterThan(0)
})

test('[I5] a rebase runs again exactly those intents that were given other rows than before', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const world = createWorld()
      for (const step of steps) {
        const before = world.replica.counters.replays
        const wasComplete = world.replica.isComplete
        const touched = await world.take(step)
        if (step.do === 'reorder' || (step.do === 'frame' && step.reorder !== null)) continue
        expect(world.replica.counters.replays - before).toBe(touched.length)
        // What was blind sees with the first frame.
        if (step.do === 'confirm' && wasComplete) expect(touched).toEqual([])
      }
    }),
    { numRuns: runs },
  )
})

test('[I14] each step is told at most once, with exactly the rows that are shown otherwise', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const world = createWorld()
      for (const name of NAMES) world.replica.observe(name)
      for (const step of steps) {
        const before = shownBy(world.replica)
        const heard = world.commits.length
        let readable: unknown
        const cancel = world.replica.onCommit(() => {
          readable = textOf(shownBy(world.replica))
        })
        await world.take(step)
        cancel()
        const after = shownBy(world.replica)
        const changes = changesBetween(before, after)
        const commits = world.commits.slice(heard)
        expect(commits.length).toBeLessThanOrEqual(1)
        const told = Object.fromEntries([...(commits[0]?.changes ?? [])].map(([name, rows]) => [name, new Map(rows)]))
        expect(textOf(told)).toBe(textOf(changes))
        for (const [, rows] of commits[0]?.changes ?? []) expect(rows.size).toBe([...rows].length)
        if (commits.length > 0) expect(readable).toBe(textOf(after))
      }
    }),
    { numRuns: runs },
  )
})

test('[I6] confirmed rows are what frames said, whatever is run, dropped or reordered', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const world = createWorld()
      for (const step of steps) {
        await world.take(step)
        const { confirmed } = world.model
        const expected = NAMES.map((name) => [
          name,
          new Map([...(confirmed[name] ?? [])].map(([id, { row }]) => [id, row])),
        ])
        const seen = NAMES.map((name) => [name, world.replica.confirmedRows(name)])
        expect(textOf(Object.fromEntries(seen))).toBe(textOf(Object.fromEntries(expected)))
      }
    }),
    { numRuns: runs },
  )
})
