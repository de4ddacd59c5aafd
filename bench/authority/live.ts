// What live streams cost: from the moment a push is sent until the last of many streams has heard of it, and from a write on one device
// until another one shows it. SQLite with synchronous=FULL, an authority in a process of its own, everything over HTTP. Beside it a
// listener without any engine that commits one row for each request and hands its body to all streams.
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from 'holdfast/client'
import { node } from 'holdfast/node'
import { ACTOR, app } from '../engine/app.ts'
import { startChild } from '../engine/child.ts'
import { setArgs, workout } from '../engine/rows.ts'
import { uuidOf } from '../engine/uuid.ts'
import { type Figure, figure, inFolder, inTurns, median, percentile, timed } from '../harness.ts'
import { makeDevice, openLine } from './wire.ts'

const COMMITS = 15
const WRITES = 100
/** As long as what a device keeps of one intent. */
const RECORD = `${'x'.repeat(350)}\n`

export async function measure(): Promise<readonly Figure[]> {
  return [await toMany(1_000, 50), await toMany(5_000, 250), await toAnother()]
}

/** Streams of one actor's devices, all in the scope in which something is committed. */
async function toMany(streams: number, bound: number): Promise<Figure> {
  return inFolder(async (folder) => {
    const authority = startChild('../authority/authority', [`sqlite:${join(folder, 'authority.db')}`])
    const bare = startChild('../authority/bare.mjs', [join(folder, 'bare.db')])
    const lines: Crowd[] = []
    try {
      for (const server of [authority, bare]) lines.push(await openCrowd(Number(await server.line()), streams))
      const [ours, raw] = lines as [Crowd, Crowd]
      const { a, b } = await inTurns(COMMITS, ours.commit, raw.commit, 'asItComes')
      return figure({
        name: `one commit until it is heard on ${streams} live streams`,
        value: median(a),
        unit: 'ms',
        raw: median(b),
        reach: { of: 'value', is: 'at most', bound },
        note: `from sending the push until the last seal has arrived; all streams in one process that also reads them; ${COMMITS} commits; raw: a listener of Node that commits one row and writes the body to as many open answers`,
      })
    } finally {
      for (const line of lines) line.close()
      await Promise.all([authority.stop(), bare.stop()])
    }
  })
}

/** Many streams to one port, and what is committed there. */
interface Crowd {
  /** Commits one intent; gives the milliseconds until all have heard of it. */
  commit(): Promise<number>
  close(): void
}

async function openCrowd(port: number, streams: number): Promise<Crowd> {
  const line = openLine(port)
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
    const { patches = [] } = JSON.parse(await line.post('pull', ACTOR, device.pull())) as {
      readonly patches?: readonly { readonly scope: string; readonly to: object }[]
    }
    await line.stream(ACTOR, device.pull(patches.map(({ scope, to }) => ({ scope, ...to }))), heard)
  }
  await ready
  return {
    commit() {
      const done = whenHeard()
      const body = writer.push(1)
      return timed(() => Promise.all([line.post('push', ACTOR, body), done]))
    },
    close: () => line.close(),
  }
}

/** Two real devices on real files. */
async function toAnother(): Promise<Figure> {
  return inFolder(async (folder) => {
    const authority = startChild('../authority/authority', [`sqlite:${join(folder, 'authority.db')}`])
    const bare = startChild('../authority/bare.mjs', [join(folder, 'bare.db')])
    try {
      const pair = await openPair(`http://127.0.0.1:${await authority.line()}/sync`, folder)
      const crowd = await openCrowd(Number(await bare.line()), 1)
      const journal = await open(join(folder, 'raw journal'), 'a')
      const raw = async (): Promise<number> => {
        const kept = await timed(async () => {
          await journal.appendFile(RECORD)
          await journal.datasync()
        })
        return kept + (await crowd.commit())
      }
      const { a, b } = await inTurns(WRITES, pair.write, raw, 'asItComes')
      await journal.close()
      crowd.close()
      await pair.close()
      return figure({
        name: 'a write on one device until another shows it, p50',
        value: percentile(a, 0.5),
        unit: 'ms',
        raw: percentile(b, 0.5),
        reach: { of: 'value', is: 'at most', bound: 5 },
        note: `from the call until the other's live query has the row; durable on the device and at the authority in between (p99 ${percentile(a, 0.99).toFixed(1)} ms); raw: append and fsync of one record, then a listener of Node that commits one row and writes the body to one open answer`,
      })
    } finally {
      await Promise.all([authority.stop(), bare.stop()])
    }
  })
}

/** Two devices of one person, one of which writes. */
async function openPair(url: string, folder: string) {
  const device = async (name: string) => {
    const host = node({ folder: join(folder, name) })
    const client = createClient({ app, host, url, session: { actor: ACTOR, token: ACTOR } })
    await client.ready
    await client.quiet()
    return client
  }
  const [writer, reader] = [await device('writer'), await device('reader')]
  const id = uuidOf('shown')
  await writer.mutate.startWorkout({ ...workout(0), id }).decided
  const query = reader.live(app.query.sets.where({ workoutId: id }))
  let shown: (() => void) | undefined
  let count = 0
  query.subscribe(() => {
    if (query.rows.length >= count) shown?.()
  })
  await reader.quiet()
  return {
    /** Writes a set; gives the milliseconds until the other shows it. */
    async write(): Promise<number> {
      count++
      const took = await timed(async () => {
        const visible = new Promise<void>((resolve) => {
          shown = resolve
        })
        writer.mutate.logSet({ ...setArgs(count - 1, 100, 'shown'), workoutId: id })
        await visible
      })
      // The next one meets a quiet authority.
      await writer.quiet()
      return took
    },
    close: () => Promise.all([writer.close(), reader.close()]),
  }
}
