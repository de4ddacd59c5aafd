// The confirmed state folded into frames: applied to an empty replica they give the same rows, owners, cursors and last number.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import { LIMITS } from '../../../src/protocol/limits.ts'
import { frame, patch, set, app as workouts } from './app.ts'
import { app, NAMES } from './model.ts'
import { createWorld, life } from './world.ts'

const rowsOf = (replica: Replica, names: readonly string[]): unknown[] =>
  names.map((name) => new Map(replica.confirmedRows(name)))

test('[I16] folded frames lead to the same confirmed state, and what follows leads on from it', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(life, fc.constantFrom('ada', 'bob'), async (steps, leaving) => {
      const world = createWorld()
      for (const step of steps) await world.take(step)
      const { replica } = world
      const frames = [...replica.frames()]
      if (!replica.isComplete) {
        expect(frames).toEqual([])
        return
      }
      const fresh = createReplica(app, 'ada')
      for (const folded of JSON.parse(JSON.stringify(frames))) await fresh.confirm(folded, new Set())
      expect(rowsOf(fresh, NAMES)).toEqual(rowsOf(replica, NAMES))
      expect(new Set(fresh.cursors())).toEqual(new Set(replica.cursors()))
      expect([fresh.decided, fresh.client, fresh.at]).toEqual([replica.decided, replica.client, replica.at])
      // Each row is still the same scope's.
      const next = {
        ...frame(9, []),
        scopes: replica
          .cursors()
          .map(({ scope }) => scope as string)
          .filter((scope) => scope !== `user:${leaving}`),
      }
      await fresh.confirm(next, new Set())
      await replica.confirm(next, new Set())
      expect(rowsOf(fresh, NAMES)).toEqual(rowsOf(replica, NAMES))
    }),
    { numRuns: 300 },
  )
})

test('[I13] no folded frame holds more rows than a page, and only the last states what is decided', async () => {
  const replica = createReplica(workouts, 'ada')
  const many = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => set(`${name}${index}`, name, index + 1))
  await replica.confirm(
    frame(
      7,
      [
        patch('ada', 0, 3, { rows: { sets: many('a', LIMITS.pageEntries * 2 + 10) } }),
        patch('bob', 0, 4, { rows: { sets: many('b', 20) } }),
        patch('eve', 0, 5, {}),
      ],
      ['ada', 'bob', 'eve'],
    ),
    new Set(),
  )
  const frames = [...replica.frames()]
  expect(frames.map(({ patches }) => patches.reduce((sum, { rows }) => sum + (rows['sets']?.length ?? 0), 0))).toEqual([
    LIMITS.pageEntries,
    LIMITS.pageEntries,
    30,
  ])
  expect(frames.map(({ decided }) => decided)).toEqual([0, 0, 7])
  // Whoever has only a part stands nowhere, not somewhere.
  const part = createReplica(workouts, 'ada')
  await part.confirm(frames[0] as never, new Set())
  expect(part.cursors()).toMatchObject([{ scope: 'user:ada', version: 0, mark: '' }])
  const fresh = createReplica(workouts, 'ada')
  for (const folded of frames) await fresh.confirm(folded, new Set())
  expect(fresh.confirmedRows('sets').size).toBe(LIMITS.pageEntries * 2 + 30)
  expect(fresh.cursors()).toEqual(replica.cursors())
})
