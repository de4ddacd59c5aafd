// The few words that the device's tests share: put notes, look at them, and see that all is well.
import type { Client } from 'holdfast/client'
import { expect } from 'vitest'
import { InvariantError } from '../../src/base/assert.ts'
import { type Notes, uuid, type World } from './world.ts'

/** What the device shows. */
export const texts = (client: Client<Notes>): readonly string[] =>
  [...client.inspect().replica.rows('notes')].map((row) => `${row.id}:${row['text']}`).sort()

/** Puts notes n1 … nN, each an intent of its own with the id uuid(number). */
export function put(client: Client<Notes>, count: number, first = 1) {
  return Array.from({ length: count }, (_, index) =>
    client.mutate.put({ id: `n${first + index}`, text: 'x' }, { id: uuid(first + index) }),
  )
}

/** Everything is decided, once, and here; nothing broke. */
export function expectPeace(world: World, client: Client<Notes>, intents: number): void {
  expect(client.status()).toMatchObject({ connection: 'online', waiting: 0, fault: undefined })
  expect([...world.authority.runs.values()].every((runs) => runs === 1)).toBe(true)
  expect(world.authority.runs.size).toBe(intents)
  expect(world.reports.filter((error) => error instanceof InvariantError || !(error instanceof Error))).toEqual([])
}
