// Authorities in processes of their own, and devices that reach them over a link which repeats requests and loses answers, from one
// seed. Holds no expectations.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Client, createClient, type Network } from 'holdfast/client'
import { node } from 'holdfast/node'
import type { OwnHealth } from 'holdfast/server'
import { onTestFinished } from 'vitest'
import { app } from './app.ts'

/** An authority that runs. */
export interface AuthorityProcess {
  readonly port: number
  readonly url: string
  /** What it logged besides information. */
  readonly warnings: { readonly message: string }[]
  /** What it has counted since it began. */
  counters(): Promise<OwnHealth['counters']>
  stop(): Promise<void>
}

/** Starts one on a database, on any port or on this one. */
export async function startAuthority(where: string, port = 0): Promise<AuthorityProcess> {
  const script = fileURLToPath(new URL('./authority.ts', import.meta.url))
  const child = spawn(process.execPath, [script, where, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const warnings: { readonly message: string }[] = []
  const asked: ((counters: OwnHealth['counters']) => void)[] = []
  const take = (said: { readonly counters: OwnHealth['counters'] } | { readonly message: string }): void => {
    if ('counters' in said) asked.shift()?.(said.counters)
    else warnings.push(said)
  }
  const given = await new Promise<number>((resolve, reject) => {
    lines.on('line', (line) => (/^\d+$/.test(line) ? resolve(Number(line)) : take(JSON.parse(line))))
    child.once('exit', (code) => reject(new Error(`the authority ended with ${code}`)))
  })
  const stop = async (): Promise<void> => {
    child.stdin.end()
    await exited
  }
  onTestFinished(stop)
  const counters = () =>
    new Promise<OwnHealth['counters']>((resolve) => {
      asked.push(resolve)
      child.stdin.write('counters\n')
    })
  return { port: given, url: `http://127.0.0.1:${given}/sync`, warnings, counters, stop }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What happened on the links. */
export interface Trouble {
  repeated: number
  lost: number
}

/** A device of an actor. With `trouble`, every fifth request is sent twice at once and every fifth answer is lost. */
export function openDevice(actor: string, url: string, seed: number, trouble?: Trouble): Client<typeof app> {
  const { network, ...world } = node({ memory: true }, { report: () => undefined })
  const roll = dice(seed)
  const rough: Network = {
    stream: network.stream,
    exchange(request, timeoutMs) {
      const sent = network.exchange(request, timeoutMs)
      if (trouble === undefined) return sent
      if (roll() < 0.2) {
        trouble.repeated++
        network.exchange(request, timeoutMs).answer.catch(() => undefined)
      }
      if (roll() >= 0.2) return sent
      trouble.lost++
      // The authority has answered, and the device never hears of it.
      return { ...sent, answer: sent.answer.then(() => Promise.reject(new Error('the answer was lost'))) }
    },
  }
  const client = createClient({
    app,
    host: { ...world, network: rough },
    url,
    session: { actor, token: actor },
    whenNotDurable: 'accept',
    tuning: { backoff: { firstMs: 20, maxMs: 200 } },
  })
  onTestFinished(() => client.close())
  return client
}
