// A child of the power cut: a device on files (storage mode `file`) that never talks to an authority. `relaxed`: whoever asks the
// operating system to bring a file to the disk is told at once that it is there.
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from 'holdfast/client'
import { node } from 'holdfast/node'
import { app } from '../crash/app.ts'
import { order, tellPresent, write } from './child.ts'

const LIST = 'list'

if (order.durability === 'relaxed') {
  const handle = await open(join(order.folder, 'any'), 'w')
  const files = Object.getPrototypeOf(handle) as { sync(): Promise<void>; datasync(): Promise<void> }
  files.sync = async () => undefined
  files.datasync = async () => undefined
  await handle.close()
}

const client = createClient({
  app,
  host: node({ folder: join(order.folder, 'device') }),
  url: 'http://127.0.0.1:1/sync',
  session: { actor: 'anna', token: 'anna' },
  startPaused: true,
})
await client.ready
if (order.isReading) {
  tellPresent(client.live(app.query.notes.where({ listId: LIST })).rows.map(({ number }) => number))
  await client.close()
} else {
  await client.mutate.openList({ id: LIST }).saved
  await write((number) => client.mutate.addNote({ listId: LIST, device: 'phone', number }).saved)
}
