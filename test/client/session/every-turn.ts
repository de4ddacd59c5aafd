// A walk over all places at which a session may end: one story of a device is told again and again, and each time the person leaves before
// another continuation of a promise runs, which is to say at every await of the engine, the outbox, the storage and all between. What is
// sent, written or shown after the end belongs to the old epoch, and is a problem; so is an intent that is not there when they come back.
import { promiseHooks } from 'node:v8'
import { type Client, createClient, signOut } from 'holdfast/client'
import { InvariantError } from '../../../src/base/assert.ts'
import type { OutboxEvent } from '../../../src/client/outbox/stored.ts'
import { createWorld, type Notes, notes, uuid, type World } from '../world.ts'

/** How the session ends. `switch`: the client is closed, so that another account can have its turn. */
export type Leave = 'keep' | 'discard' | 'switch'

/** What was found. */
export interface Walked {
  /** At how many places the session ended. */
  readonly turns: number
  /** In how many of them something was under way that the authority had not decided. */
  readonly waiting: number
  readonly problems: readonly string[]
}

const HOUR = 3_600_000

/** Ends the story before each continuation; only before every `step`th, from `first` on, where that is given. */
export async function walk(leave: Leave, first = 1, step = 1): Promise<Walked> {
  const problems: string[] = []
  let turns = 0
  let waiting = 0
  for (let at = first; ; at += step) {
    const told = await tell(leave, at)
    if (told === undefined) return { turns, waiting, problems }
    turns++
    if (told.hasWaiting) waiting++
    problems.push(...told.problems.map((problem) => `${leave} before continuation ${at}: ${problem}`))
  }
}

/** The story, ended before the continuation with this number; undefined when it has fewer. */
async function tell(leave: Leave, at: number) {
  const world = createWorld()
  // Nothing that is cancelled stays away: the answer comes all the same.
  world.ignoresCancel = true
  world.fallback = () => 'held'
  // The disk takes its time, and always has something to fold; so does whoever gives tokens.
  const wait = (ms: number) => new Promise<void>((resolve) => void world.clock.after(ms, resolve))
  world.disk.beforeWrite = () => wait(3)
  const host = world.host()
  const client = createClient({
    app: notes,
    host: {
      ...host,
      openStorage: async (actor) => ({
        ...(await host.openStorage(actor)),
        folding: () => ({ outbox: true, frames: true }),
      }),
    },
    url: 'https://authority.test/sync/',
    session: { actor: '42', token: () => wait(2).then(() => 'token') },
    tuning: { foldAfterMs: 5 },
  })
  const shown: number[] = []
  client.live(notes.query.notes).subscribe((rows) => shown.push(rows.length))
  const saved = new Set<string>()
  const end: { before?: ReturnType<typeof look>; left?: Promise<unknown>; after?: ReturnType<typeof look> } = {}
  const look = () => ({
    requests: world.requests.length,
    writes: world.disk.writes.length,
    shown: shown.length,
    ran: world.authority.runs.size,
    numbers: numbersOf(world.disk.memory.outbox),
  })

  let count = 0
  const stop = promiseHooks.onBefore(() => {
    if (++count !== at) return
    end.left = (leave === 'switch' ? client.close() : signOut(client, leave)).then(() => {
      end.after = look()
    })
    end.left.catch(() => undefined)
  })
  try {
    await story(world, client, saved)
  } finally {
    stop()
  }
  if (end.left === undefined) {
    await client.close()
    return undefined
  }
  const problems: string[] = []
  const expect = (isSo: boolean, problem: string): void => {
    if (!isSo) problems.push(problem)
  }
  await world.clock.advance(HOUR)
  // What was asked before the end is answered after it.
  while (world.heldCount() > 0) await world.release()
  await world.clock.advance(HOUR)
  if (end.after === undefined) return { hasWaiting: false, problems: ['the session does not end'] }
  await end.left
  const then = look()
  const { after } = end
  expect(then.requests === after.requests, `${then.requests - after.requests} requests after the end`)
  expect(then.writes === after.writes, `written after the end: ${world.disk.writes.slice(after.writes).join(', ')}`)
  expect(then.shown === after.shown, 'queries were told of something after the end')
  if (leave !== 'switch') {
    expect((shown.at(-1) ?? 0) === 0, `${shown.at(-1)} rows are shown after the end`)
    expect(client.live(notes.query.notes).rows.length === 0, 'a query that is opened after the end shows rows')
    expect(world.disk.memory.frames.length === 0, 'rows are on the disk after the end')
    expect(client.status().fault?.code === 'signed_out', `the status says ${client.status().fault?.code}`)
  }
  const refused = await client.mutate.put({ id: 'late', text: 'x' }).decided
  expect(refused.status === 'refused', `a call after the end was ${refused.status}`)

  // The person comes back.
  world.fallback = () => 'pass'
  const ranBefore = new Set(world.authority.runs.keys())
  const again = await world.client({ startPaused: true })
  const kept = again.inspect().entries
  if (leave === 'discard') expect(kept.length === 0, `${kept.length} intents are there after all were discarded`)
  else {
    for (const id of saved)
      expect(
        kept.some((entry) => entry.intent.id === id),
        `${id} was acknowledged, and is not there`,
      )
    for (const { intent, sequence } of kept)
      expect(after.numbers.get(intent.id) === sequence, `${intent.id} has number ${sequence} now`)
  }
  const hasWaiting = kept.some(({ outcome }) => outcome === undefined)
  again.resume()
  await world.clock.advance(HOUR)
  for (const entry of again.inspect().entries)
    expect(entry.outcome !== undefined, `${entry.intent.id} is not decided in the end`)
  for (const [id, runs] of world.authority.runs) {
    expect(runs === 1, `${id} was decided ${runs} times`)
    expect(leave !== 'discard' || ranBefore.has(id), `${id} was sent although it was discarded`)
  }
  for (const error of world.reports) expect(!(error instanceof InvariantError), String(error))
  await again.close()
  return { hasWaiting, problems }
}

/** Calls, a push, a pull, frames of a stream, an answer that is lost, a discard, a fold: something of everything that a device does. */
async function story(world: World, client: Client<Notes>, saved: Set<string>): Promise<void> {
  const call = (number: number): void => {
    const { id, saved: kept } = client.mutate.put({ id: `n${number}`, text: 'x' }, { id: uuid(number) })
    kept.then(
      () => saved.add(id),
      () => undefined,
    )
  }
  /** Lets a little time pass, and the oldest request be answered. */
  const next = async (fate: 'pass' | 'lost' = 'pass'): Promise<void> => {
    await world.clock.advance(4)
    await world.release(fate)
    await world.clock.advance(4)
  }
  call(1)
  await next()
  await next()
  call(2)
  call(3)
  await next()
  await next()
  world.authority.write('theirs', 'y')
  if (world.streams.length > 0) {
    const { version } = world.authority.state
    await world.sendFrame(version - 1)
  }
  call(4)
  await next('lost')
  client.discard(uuid(4)).catch(() => undefined)
  call(5)
  await world.clock.advance(3_000)
  await next()
  await next()
}

/** Which number each intent has in a journal. */
function numbersOf(events: readonly OutboxEvent[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  for (const event of events)
    if (event.kind === 'made')
      for (const [index, { id }] of event.intents.entries()) numbers.set(id, event.first + index)
  return numbers
}
