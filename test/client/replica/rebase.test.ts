// That a rebase by what is touched equals a full replay, for random lives of a replica, and that it runs again what was given other
// rows and nothing else.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NAMES } from './model.ts'
import { changesBetween, createWorld, life, shownBy, sorted } from './world.ts'

const runs = Number(process.env['HOLDFAST_RUNS'] ?? 1_000)

test('[I5] after every step the overlay equals the confirmed rows with all pending intents replayed in order', async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const world = createWorld()
      for (const step of steps) {
        await world.take(step)
        const shown = await world.model.shown()
        const seen = shownBy(world.replica)
        for (const name of NAMES)
          expect(new Map([...(seen[name] ?? [])].map(([id, row]) => [id, sorted(row)])), name).toEqual(
            new Map([...(shown[name] ?? [])].map(([id, row]) => [id, sorted(row)])),
          )
        expect(world.replica.pending()).toEqual(world.model.pending.map(({ id }) => id))
        const { pictures, writers, rows } = await world.model.replay()
        for (const [id, picture] of pictures) expect(world.replica.picture(id)).toBe(picture)
        const ids = ['b0', 'b1', 'b2', 'i0', 'i1', 'i2', 'i3', 'i4']
        for (const name of ['boxes', 'items']) {
          for (const id of ids) expect(world.replica.writers(name, id)).toEqual(writers.get(`${name}/${id}`) ?? [])
        }
        // A group's writers are those of the rows that are, or were, in it.
        for (const box of ['b0', 'b1', 'b2']) {
          const inside = ids.filter((id) =>
            [rows['items']?.get(id), world.model.confirmed['items']?.get(id)?.row].some(
              (row) => row?.['boxId'] === box,
            ),
          )
          const among = new Set(inside.flatMap((id) => writers.get(`items/${id}`) ?? []))
          const expected = world.model.pending.map(({ id }) => id).filter((id) => among.has(id))
          expect(world.replica.writers('boxTotals', box)).toEqual(expected)
        }
      }
    }),
    { numRuns: runs },
  )
})

test('[I5] a rebase runs again exactly those intents that were given other rows than before', async () => {
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

test('[I14] each step is told at most once, with exactly the rows that are shown otherwise', async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const world = createWorld()
      for (const name of NAMES) world.replica.observe(name)
      for (const step of steps) {
        const before = shownBy(world.replica)
        const heard = world.commits.length
        let readable: unknown
        const cancel = world.replica.onCommit(() => {
          readable = shownBy(world.replica)
        })
        await world.take(step)
        cancel()
        const after = shownBy(world.replica)
        const changes = changesBetween(before, after)
        const commits = world.commits.slice(heard)
        expect(commits.length).toBeLessThanOrEqual(1)
        const told = Object.fromEntries(
          [...(commits[0]?.changes ?? [])].map(([name, rows]) => [
            name,
            new Map([...rows].map(([id, change]) => [id, { before: change.before, after: change.after }])),
          ]),
        )
        expect(told).toEqual(changes)
        if (commits.length > 0) expect(readable).toEqual(after)
      }
    }),
    { numRuns: runs },
  )
})

test('[I6] confirmed rows are what frames said, whatever is run, dropped or reordered', async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      const world = createWorld()
      for (const step of steps) {
        await world.take(step)
        for (const name of NAMES) {
          const expected = new Map([...(world.model.confirmed[name] ?? [])].map(([id, { row }]) => [id, row]))
          expect(new Map(world.replica.confirmedRows(name))).toEqual(expected)
        }
      }
    }),
    { numRuns: runs },
  )
})
