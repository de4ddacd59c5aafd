// What live streams cost: from the moment a push is sent until the last of many streams has heard of it, and from a write on one device
// until another one shows it. SQLite with synchronous=FULL, an authority in a process of its own, everything over HTTP.
import { join } from 'node:path'
import { createClient } from 'holdfast/client'
import { node } from 'holdfast/node'
import { ACTOR, app } from '../engine/app.ts'
import { startChild } from '../engine/child.ts'
import { setArgs, workout } from '../engine/rows.ts'
import { uuidOf } from '../engine/uuid.ts'
import { type Figure, figure, inFolder, median, percentile, timed } from '../harness.ts'
import { makeDevice, openLine } from './wire.ts'

const COMMITS = 15
const WRITES = 100

export async function measure(): Promise<readonly Figure[]> {
  return [await toMany(1_000, 50), await toMany(5_000, 250), await toAnother()]
}

/** Streams of one actor's devices, all in the scope in which something is committed. */
async function toMany(streams: number, bound: number): Promise<Figure> {
  return inFolder(async (folder) => {
    const authority = startChild('../authority/authority', [`sqlite:${join(folder, 'authority.db')}`])
    const port = Number(await authority.line())
    const line = openLine(port)
    try {
      const writer = makeDevice(ACTOR, 'writer')
      await line.post('push', ACTOR, writer.push(2))
      let sealed = 0
      let allHeard: () => void = () => undefined
      const heard = (text: string) => {
        if (text.includes('event: seal') && ++sealed === streams) allHeard()
      }
      const whenHeard = () =>
        new Promise<void>((resolve) => {
          sealed = 0
          allHeard = resolve
        })
      const ready = whenHeard()
      for (let number = 0; number < streams; number++) {
        const device = makeDevice(ACTOR, `listener ${number}`)
        const { patches } = JSON.parse(await line.post('pull', ACTOR, device.pull())) as {
          readonly patches: readonly { readonly scope: string; readonly to: object }[]
        }
        await line.stream(ACTOR, device.pull(patches.map(({ scope, to }) => ({ scope, ...to }))), heard)
      }
      await ready
      const samples: number[] = []
      for (let commit = 0; commit < COMMITS; commit++) {
        const done = whenHeard()
        const body = writer.push(1)
        samples.push(await timed(() => Promise.all([line.post('push', ACTOR, body), done])))
      }
      return figure({
        name: `one commit until it is heard on ${streams} live streams`,
        value: median(samples),
        unit: 'ms',
        reach: { of: 'value', is: 'at most', bound },
        note: `from sending the push until the last seal has arrived; all streams in one process that also reads them; ${COMMITS} commits`,
      })
    } finally {
      line.close()
      await authority.stop()
    }
  })
}

/** Two real devices on real files. */
async function toAnother(): Promise<Figure> {
  return inFolder(async (folder) => {
    const authority = startChild('../authority/authority', [`sqlite:${join(folder, 'authority.db')}`])
    try {
      const url = `http://127.0.0.1:${await authority.line()}/sync`
      const open = async (name: string) => {
        const client = createClient({
          app,
          host: node({ folder: join(folder, name) }),
          url,
          session: { actor: ACTOR, token: ACTOR },
        })
        await client.ready
        await client.quiet()
        return client
      }
      const [writer, reader] = [await open('writer'), await open('reader')]
      const id = uuidOf('shown')
      await writer.mutate.startWorkout({ ...workout(0), id }).decided
      const query = reader.live(app.query.sets.where({ workoutId: id }))
      let shown: (() => void) | undefined
      let count = 0
      query.subscribe(() => {
        if (query.rows.length >= count) shown?.()
      })
      await reader.quiet()
      const samples: number[] = []
      for (let write = 0; write < WRITES; write++) {
        count++
        samples.push(
          await timed(async () => {
            const visible = new Promise<void>((resolve) => {
              shown = resolve
            })
            writer.mutate.logSet({ ...setArgs(write, 100, 'shown'), workoutId: id })
            await visible
          }),
        )
        // The next one meets a quiet authority.
        await writer.quiet()
      }
      await Promise.all([writer.close(), reader.close()])
      return figure({
        name: 'a write on one device until another shows it, p50',
        value: percentile(samples, 0.5),
        unit: 'ms',
        reach: { of: 'value', is: 'at most', bound: 5 },
        note: `from the call until the other's live query has the row; durable on the device and at the authority in between (p99 ${percentile(samples, 0.99).toFixed(1)} ms)`,
      })
    } finally {
      await authority.stop()
    }
  })
}
