// A stage for repairs: devices on real disks and the real authority, over a network that can be told to lose answers. The app has a parent
// with children, a counter that shows what ran twice, and mutators that the authority can be told to refuse.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineApp, SyncError, t, table } from 'holdfast'
import { type Client, createClient, type Network } from 'holdfast/client'
import { node, serve } from 'holdfast/node'
import { type Authority, type AuthorityOptions, createAuthority } from 'holdfast/server'
import { nodeHost, sqlite } from 'holdfast/sqlite'
import { onTestFinished } from 'vitest'

function any<T>(): StandardSchemaV1<T> {
  return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) } }
}

export const app = defineApp({
  tables: {
    workouts: table({ id: t.id(), ownerId: t.text(), name: t.text() }).scope('user', 'ownerId'),
    sets: table({ id: t.id(), workoutId: t.ref('workouts'), reps: t.integer() }).scopeVia('workoutId'),
    laps: table({ id: t.id(), setId: t.ref('sets'), ms: t.integer() }).scopeVia('setId'),
    counters: table({ id: t.id(), ownerId: t.text(), n: t.integer() }).scope('user', 'ownerId'),
  },
  mutators: ({ mutator }) => ({
    start: mutator(any<{ readonly name: string }>(), async (tx, { name }) => {
      await tx.workouts.insert({ id: tx.newId('workout'), ownerId: tx.actor, name })
    }),
    rename: mutator(any<{ readonly id: string; readonly name: string }>(), async (tx, { id, name }) => {
      await tx.workouts.update(id, { name })
    }),
    log: mutator(any<{ readonly workoutId: string; readonly reps: number }>(), async (tx, { workoutId, reps }) => {
      if (reps < 0) tx.reject('negative')
      await tx.sets.insert({ id: tx.newId('set'), workoutId, reps })
    }),
    lap: mutator(any<{ readonly setId: string; readonly ms: number }>(), async (tx, { setId, ms }) => {
      await tx.laps.insert({ id: tx.newId('lap'), setId, ms })
    }),
    add: mutator(any<{ readonly by: number }>(), async (tx, { by }) => {
      const counter = await tx.counters.get(tx.actor)
      if (counter === undefined) await tx.counters.insert({ id: tx.actor, ownerId: tx.actor, n: by })
      else await tx.counters.update(tx.actor, { n: counter.n + by })
    }),
  }),
})
export type RepairApp = typeof app
export type Device = Client<RepairApp>

/** What is on while the tests run. */
export interface RepairStage {
  readonly authority: Authority
  readonly url: string
  readonly folder: string
  /** The code with which the authority refuses an intent of this mutator, where there is one. */
  readonly refused: Map<string, string>
  /** How many of the next pushes are decided without their answers arriving; those after them do not leave the device. */
  lost: number
  isOffline: boolean
  open(name: string, options?: { readonly actor?: string; readonly startPaused?: boolean }): Promise<Device>
  close(device: Device): Promise<void>
}

/** Sets it up. */
export async function repairStage(): Promise<RepairStage> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-repair-'))
  const refused = new Map<string, string>()
  const mutators = Object.fromEntries(
    Object.entries(app.mutators).map(([name, mutator]) => [
      name,
      async (tx: { reject(code: string): never }, input: unknown) => {
        const code = refused.get(name)
        if (code !== undefined) tx.reject(code)
        return (mutator.body as (tx: unknown, input: unknown) => Promise<unknown>)(tx, input)
      },
    ]),
  )
  const authority = createAuthority({
    app,
    database: sqlite(join(folder, 'authority.db'), { host: { ...nodeHost(), log: () => undefined } }),
    authenticate: (request) => request.header('authorization')?.replace('Bearer ', ''),
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
    mutators: mutators as unknown as NonNullable<AuthorityOptions<RepairApp>['mutators']>,
  })
  const listener = await serve(authority, { port: 0, closeMs: 50 })
  const devices = new Set<Device>()
  onTestFinished(async () => {
    for (const device of devices) await device.close()
    await listener.close()
    await authority.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const stage: RepairStage = {
    authority,
    url: `${listener.url}/sync`,
    folder,
    refused,
    lost: 0,
    isOffline: false,
    async open(name, { actor = 'anna', startPaused = false } = {}) {
      const host = node({ folder: join(folder, name) }, { report: () => undefined })
      // While a push is under way whose answer will be lost: what is asked at the same time would bring the news of it.
      let isCut = false
      const network: Network = {
        exchange(request, timeoutMs) {
          const gone = () => Promise.reject(new SyncError('unreachable', 'No way there'))
          if (stage.isOffline || isCut) return { answer: gone(), cancel: () => undefined }
          const { answer, cancel } = host.network.exchange(request, timeoutMs)
          if (request.path !== 'push' || stage.lost === 0)
            return { answer: answer.then((value) => (stage.isOffline || isCut ? gone() : value)), cancel }
          stage.lost--
          isCut = stage.lost === 0
          const lose = (): Promise<never> => {
            stage.isOffline ||= isCut
            isCut = false
            return gone()
          }
          return { answer: answer.then(lose), cancel }
        },
        stream: (request, listener) => host.network.stream(request, listener),
      }
      const client = createClient({
        app,
        host: { ...host, network },
        url: stage.url,
        session: { actor, token: actor },
        startPaused,
        live: false,
        tuning: { pollMs: 50, backoff: { firstMs: 5, maxMs: 20 } },
      })
      devices.add(client)
      await client.ready
      return client
    },
    async close(device) {
      devices.delete(device)
      await device.close()
    },
  }
  return stage
}

/** Resolves when the device's status is as wanted. */
export function until(device: Device, isWanted: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (isWanted()) return resolve()
    const stop = device.onStatus(() => {
      if (!isWanted()) return
      stop()
      resolve()
    })
  })
}

/** The rows of a table as the device shows them, without ids, in the order of their text. */
export const shown = (device: Device, table: string): readonly object[] =>
  [...device.inspect().replica.rows(table)].map(({ id, ownerId, workoutId, setId, ...rest }) => rest)

/** What the outbox lists, as name and badge. */
export const listed = (device: Device): readonly string[] =>
  device.outbox().map(({ name, badge }) => `${name} ${badge}`)
