// One caller with one connection of its own: a socket that is opened once and kept, over which one intent after the other is pushed, each
// when the one before is answered. What is not decided yet is sent again, under its id. Holds no expectations.
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { onTestFinished } from 'vitest'
import { app } from './app.ts'

/** A connection to one authority. */
export interface Connection {
  /** Runs a mutator there; resolves with the status of its outcome. */
  push(name: string, args: object): Promise<string>
  /** How many sockets it has used, and how often it was told to come again. */
  readonly used: { sockets: number; again: number }
}

interface Answer {
  readonly status: number
  readonly retryAfterMs?: number
  readonly outcomes?: readonly { readonly status: string }[]
  readonly stop?: object
}

/** Opens one for an actor. */
export function connect(actor: string, url: string): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const client = randomUUID()
  const used = { sockets: 0, again: 0 }
  let last = 0

  const post = (body: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${actor}` }
      const asked = request(`${url}/push`, { agent, method: 'POST', headers })
      asked.on('error', reject).on('response', async (answer) => {
        if (!asked.reusedSocket) used.sockets++
        const text = (await answer.setEncoding('utf8').toArray()).join('')
        resolve({ ...JSON.parse(text), status: answer.statusCode })
      })
      asked.end(body)
    })

  return {
    used,
    async push(name, args) {
      const intent = { sequence: ++last, id: randomUUID(), name, version: 1, args, madeAt: 1_700_000_000_000 }
      const caller = { protocol: 1, app: app.fingerprint, actor, client, last, stored: last - 1 }
      for (;;) {
        const answer = await post(JSON.stringify({ ...caller, intents: [intent] }))
        const [outcome] = answer.outcomes ?? []
        if (answer.status === 200 && outcome !== undefined) return outcome.status
        if (answer.status !== 503) throw new Error(`a push was answered ${JSON.stringify(answer)}`)
        used.again++
      }
    },
  }
}
