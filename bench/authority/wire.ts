// Devices as the wire knows them, without a client: bodies made by hand, sent over connections that are kept, so that a figure shows
// the authority and not the device. Holds no figures.
import { Agent, type ClientRequest, request } from 'node:http'
import { app, type SetArgs } from '../engine/app.ts'
import { SETS_PER_WORKOUT } from '../engine/queue.ts'
import { setArgs, workout } from '../engine/rows.ts'
import { uuidOf } from '../engine/uuid.ts'

/** One device of one actor. */
export interface Device {
  readonly actor: string
  /** The body of the next push: so many sets into the device's workout. */
  push(intents: number): string
  /** The body of a pull, or of a live stream. */
  pull(cursors?: readonly object[]): string
}

/** A device that begins a workout, logs 24 sets in it, and begins the next. */
export function makeDevice(actor: string, label: string): Device {
  const client = uuidOf(`client ${label}`)
  let last = 0
  const caller = () => ({ protocol: 1, app: app.fingerprint, actor, client, last, stored: 0 })
  const entry = (name: string, args: object) => ({
    sequence: ++last,
    id: uuidOf(`${label} intent ${last}`),
    name,
    version: 1,
    args,
    madeAt: 1_700_000_000_000,
  })
  const next = (): object => {
    const workoutId = uuidOf(`${label} workout ${Math.floor(last / (SETS_PER_WORKOUT + 1))}`)
    if (last % (SETS_PER_WORKOUT + 1) === 0) return entry('startWorkout', { ...workout(last), id: workoutId })
    const args: SetArgs = { ...setArgs(last, 100, label), workoutId }
    return entry('logSet', args)
  }
  return {
    actor,
    push(intents) {
      const made = Array.from({ length: intents }, next)
      return JSON.stringify({ ...caller(), intents: made })
    },
    pull: (cursors = []) => JSON.stringify({ ...caller(), cursors }),
  }
}

/** A way to one listener, over connections that are kept open. */
export interface Line {
  /** Sends a body and gives the answer's text; rejects for any status but 200. */
  post(path: string, actor: string, body: string): Promise<string>
  /** Opens a stream; `heard` gets the text as it comes. */
  stream(actor: string, body: string, heard: (text: string) => void): Promise<ClientRequest>
  close(): void
}

/** Opens a line to a port of this machine. */
export function openLine(port: number): Line {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const ask = (path: string, actor: string, body: string) =>
    request({
      agent,
      port,
      host: '127.0.0.1',
      path: `/sync/${path}`,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        authorization: `Bearer ${actor}`,
      },
    })
  return {
    post: (path, actor, body) =>
      new Promise((resolve, reject) => {
        const asked = ask(path, actor, body)
        asked.on('error', reject).on('response', (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            if (answer.statusCode === 200) resolve(text)
            else reject(new Error(`${path} was answered ${answer.statusCode}: ${text}`))
          })
        })
        asked.end(body)
      }),
    stream: (actor, body, heard) =>
      new Promise((resolve, reject) => {
        const asked = ask('live', actor, body)
        asked.on('error', reject).on('response', (answer) => {
          if (answer.statusCode !== 200) reject(new Error(`live was answered ${answer.statusCode}`))
          answer
            .setEncoding('utf8')
            .on('data', heard)
            .on('error', () => undefined)
          resolve(asked)
        })
        asked.end(body)
      }),
    close: () => agent.destroy(),
  }
}
