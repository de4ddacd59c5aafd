// Calls of mutators: shown, saved one at a time, saved in one burst, and sent to the authority. Each side once for each call; who takes
// turns is the bench in Node. Runs in a page.
import { browser } from 'holdfast/browser'
import { createClient } from 'holdfast/client'
import { app } from '../../engine/app.ts'
import type { Burst } from '../../engine/figures.ts'
import { INTENTS, queue } from '../../engine/queue.ts'
import { exercise, setArgs, workout } from '../../engine/rows.ts'
import { type BenchClient, createScript, openDevice } from '../../engine/script.ts'
import { openUpdates, SHOWN, type UpdateSides } from '../../engine/update.ts'
import { deleteDatabase, openRaw, type RawDatabase } from './raw.ts'
import { fullDevice } from './rows.ts'
import { databaseOf, type Listening, world } from './world.ts'

const WORKOUTS = 100

let full: BenchClient | undefined
let updates: UpdateSides | undefined
let raw: RawDatabase | undefined
let bursts = 0
/** The record of the last burst, as the device wrote it. */
let record = ''
let waiting: BenchClient | undefined
let bodies: string[] = []

export const callPage = {
  /** Opens a device that holds all rows, and a raw database beside it. */
  async openFull(): Promise<void> {
    const { client, sets } = await fullDevice('calls')
    full = client
    updates = openUpdates(client, sets)
    raw = await openRaw('raw calls')
  },
  /** Opens so many more lists on that device, of which somebody hears: of lifts in one order or the other, and of single workouts. */
  openLists(count: number): void {
    const { sets } = app.query
    const lists = Array.from({ length: count }, (_, number) =>
      number < 47
        ? sets.where({ exercise: exercise(number + 1) }).orderBy('doneAt', 'desc')
        : number < 94
          ? sets.where({ exercise: exercise(number - 46) }).orderBy('kg')
          : sets.where({ workoutId: workout(number).id }).orderBy('doneAt'),
    )
    for (const list of lists)
      opened(full)
        .live(list.limit(SHOWN))
        .subscribe(() => undefined)
  },
  /** Calls until the subscriber is called, one after the other. */
  update: (calls: number): Promise<readonly number[]> => opened(updates).engine(calls, 'told'),
  updateByHand: (calls: number): Promise<readonly number[]> => opened(updates).byHand(calls),
  /** Calls until `saved` has resolved, one after the other. */
  save: (calls: number): Promise<readonly number[]> => opened(updates).engine(calls, 'saved'),
  /** Strict commits of a record as long as one such intent, one after the other. */
  async saveByHand(calls: number): Promise<readonly number[]> {
    const text = JSON.stringify([{ kind: 'made', intents: [{ id: workout(1).id, args: setArgs(1), name: 'logSet' }] }])
    const took: number[] = []
    for (let call = 0; call < calls; call++) {
      const began = performance.now()
      await opened(raw).add([text], 'strict')
      took.push(performance.now() - began)
    }
    return took
  },
  /** A burst on a new device. */
  async burst(): Promise<Burst> {
    const name = `burst-${bursts++}`
    let handedOver = 0
    let durable = 0
    let handed: readonly object[] = []
    const appended: Listening['appended'] = (intents, at, kept) => {
      if (intents.length === 1) return
      if (handedOver !== 0) throw new Error('The burst was handed over in several parts')
      handedOver = at
      handed = intents
      void kept.then(() => {
        durable = performance.now()
      })
    }
    const client = openDevice(world(name, createScript([]).network, { appended }))
    await client.ready
    for (let number = 0; number < WORKOUTS; number++) await client.mutate.startWorkout(workout(number)).saved
    const calls = Array.from({ length: INTENTS }, (_, number) => setArgs(number, INTENTS / WORKOUTS, name))
    const began = performance.now()
    await Promise.all(calls.map((args) => client.mutate.logSet(args).saved))
    const ended = performance.now()
    record = JSON.stringify([{ kind: 'made', intents: handed }])
    await client.close()
    await deleteDatabase(databaseOf(name))
    return { whole: ended - began, keeping: ended - handedOver, durable: durable - handedOver }
  },
  /** The record of the last burst, put into a raw database by one strict transaction. */
  async burstByHand(): Promise<{ readonly took: number; readonly length: number }> {
    const name = `raw-burst-${bursts++}`
    const db = await openRaw(name)
    await db.add(['{}'], 'strict')
    const began = performance.now()
    await db.add([record], 'strict')
    const took = performance.now() - began
    db.close()
    await deleteDatabase(name)
    return { took, length: record.length }
  },
  /** Queues intents on a new device of another person that talks to nobody yet. */
  async queue(actor: string): Promise<void> {
    const { network, ...host } = browser({ name: 'replay' })
    bodies = []
    waiting = createClient({
      app,
      host: {
        ...host,
        network: {
          stream: network.stream,
          exchange(asked, timeoutMs) {
            if (asked.path === 'push') bodies.push(asked.body)
            return network.exchange(asked, timeoutMs)
          },
        },
      },
      url: '/sync',
      session: { actor, token: actor },
      startPaused: true,
    })
    await waiting.ready
    await queue(waiting, actor)
  },
  /** Lets it talk, until everything is decided and the device is quiet. */
  async replay(actor: string): Promise<number> {
    const client = opened(waiting)
    const began = performance.now()
    client.resume()
    await client.quiet()
    const took = performance.now() - began
    const wrong = client.outbox().length
    if (wrong > 0) throw new Error(`${wrong} intents are not synced`)
    const { replica } = client.inspect()
    const rows = replica.confirmedRows('sets').size + replica.confirmedRows('workouts').size
    if (rows !== INTENTS) throw new Error(`${rows} of ${INTENTS} rows came back`)
    await client.close()
    await deleteDatabase(databaseOf('replay', actor))
    return took
  },
  /** The same bodies, posted to whoever answers with nothing. */
  async post(): Promise<{ readonly took: number; readonly batches: number; readonly length: number }> {
    await fetch('/empty', { method: 'POST', body: '{}' })
    const began = performance.now()
    for (const body of bodies) await (await fetch('/empty', { method: 'POST', body })).text()
    const took = performance.now() - began
    return { took, batches: bodies.length, length: bodies.reduce((sum, { length }) => sum + length, 0) }
  },
}

function opened<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('Nothing was opened in this page')
  return value
}
