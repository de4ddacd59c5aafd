// The walk of every-turn.ts with two tabs of one store: the person signs out in the one that follows, before any continuation, while both
// make calls and the other sends. What another tab keeps in that moment may come before or behind the end; it is never lost.
import { promiseHooks } from 'node:v8'
import { signOut } from 'holdfast/client'
import { expect, test } from 'vitest'
import { hasCode } from '../../../src/base/errors.ts'
import { createTabWorld } from '../tabs/world.ts'
import { uuid } from '../world.ts'

const MINUTE = 60_000

/** Tells the story with an end before the continuation `at`; undefined when it has fewer. */
async function tell(at: number): Promise<readonly string[] | undefined> {
  const world = createTabWorld()
  world.ignoresCancel = true
  const tabs = [await world.open(), await world.open()]
  const [one, two] = tabs.map(({ client }) => client)
  if (one === undefined || two === undefined) throw new Error('There are no tabs')
  const saved = new Set<string>()
  let count = 0
  let left: Promise<unknown> | undefined
  const stop = promiseHooks.onBefore(() => {
    if (++count === at) left = signOut(two, 'keep')
  })
  for (const [index, client] of [one, two, one, two].entries()) {
    const { id, saved: kept } = client.mutate.put({ id: `n${index}`, text: 'x' }, { id: uuid(index + 1) })
    kept.then(
      () => saved.add(id),
      () => undefined,
    )
    if (index % 2 === 1) await world.settle()
  }
  await world.clock.advance(1_000)
  stop()
  if (left === undefined) {
    for (const tab of tabs) await tab.close()
    return undefined
  }
  const problems: string[] = []
  const look = (isSo: boolean, problem: string): void => {
    if (!isSo) problems.push(`before continuation ${at}: ${problem}`)
  }
  for (let round = 0; round < 4; round++) await world.settle()
  await left
  const requests = world.requests.length
  await world.clock.advance(60 * MINUTE)
  look(world.requests.length === requests, 'requests after the end')
  for (const [index, client] of [one, two].entries()) {
    const { fault } = client.status()
    look(fault?.code === 'signed_out', `the status of tab ${index} says ${fault?.code}`)
    look([...client.inspect().replica.rows('notes')].length === 0, `tab ${index} shows rows`)
  }
  const again = await world.open()
  await world.clock.advance(MINUTE)
  const entries = new Map(again.client.inspect().entries.map((entry) => [entry.intent.id as string, entry]))
  for (const id of saved)
    look(entries.get(id)?.outcome?.status === 'applied', `${id} was acknowledged, and is not applied`)
  for (const [id, runs] of world.authority.runs) look(runs === 1, `${id} was decided ${runs} times`)
  for (const error of world.reports) look(hasCode(error, 'not_leading'), String(error))
  await again.close()
  return problems
}

test('[I8] [I1] a person who signs out in a tab that follows, at any await: both end, nothing is sent afterwards, and what either acknowledged is there when they are back', {
  timeout: 200_000,
}, async () => {
  const problems: string[] = []
  let turns = 0
  for (let at = 1; ; at++, turns++) {
    const told = await tell(at)
    if (told === undefined) break
    problems.push(...told)
  }
  expect(problems).toEqual([])
  expect(turns).toBeGreaterThan(150)
})
