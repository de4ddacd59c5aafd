// A child of the kill loop: a device on files that makes intents as fast as it can. `device.ts FOLDER URL NAME FIRST`: its notes are
// numbered from FIRST on. Prints `saved N` after the note N is durable, `asks` and `told` around each exchange with the authority.
// When its input says `finish` it makes no more, waits until all is decided, and prints `quiet NOTES` with how many it sees.
import { setTimeout } from 'node:timers/promises'
import { createClient, type Network } from 'holdfast/client'
import { node } from 'holdfast/node'
import { app } from './app.ts'

/** Calls of one burst share a write and a sync; small, so that there are many of both. */
const BURST = 16
/** It makes no more while as many wait for the authority, so that the end of the loop comes in time. */
const MOST_WAITING = 2_000

const [folder = '', url = '', name = '', first = '0'] = process.argv.slice(2)
let isFinishing = false
process.stdin.once('data', () => {
  isFinishing = true
})

const { network, ...world } = node({ folder })
const telling: Network = {
  stream: network.stream,
  exchange(request, timeoutMs) {
    const { answer, cancel } = network.exchange(request, timeoutMs)
    console.log('asks')
    answer.then(
      () => console.log('told'),
      () => console.log('told'),
    )
    return { answer, cancel }
  },
}
const client = createClient({
  app,
  host: { ...world, network: telling },
  url,
  session: { actor: 'runner', token: 'runner' },
  // The authority is gone for moments only; and what is decided is let go of early, so that forgetting is part of the loop.
  tuning: { backoff: { firstMs: 20, maxMs: 200 }, keepDecidedMs: 2_000, foldAfterMs: 200 },
})
await client.ready

const lists = client.live(app.query.lists)
const [known] = lists.rows
const listId = known?.id ?? crypto.randomUUID()
if (known === undefined) await client.mutate.openList({ id: listId }).saved

let number = Number(first)
while (!isFinishing) {
  const burst = Array.from({ length: BURST }, () => {
    const made = number++
    return client.mutate.addNote({ listId, device: name, number: made }).saved.then(() => console.log(`saved ${made}`))
  })
  await Promise.all(burst)
  while (client.status().waiting > MOST_WAITING && !isFinishing) await setTimeout(5)
}
await client.quiet()
console.log(`quiet ${client.live(app.query.notes).rows.length}`)
await client.close()
process.stdin.destroy()
