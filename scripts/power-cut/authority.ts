// A child of the power cut: an authority on SQLite that is handed requests by itself; a number is acknowledged when the answer says
// `applied`. `relaxed`: its database is told not to wait for the disk.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { app } from '../crash/app.ts'
import { order, tellPresent, write } from './child.ts'

const LIST = 'list'
const path = join(order.folder, 'authority.db')

if (order.durability === 'relaxed') {
  const exec = DatabaseSync.prototype.exec
  DatabaseSync.prototype.exec = function relaxed(this: DatabaseSync, text: string) {
    return exec.call(this, text.replace('synchronous = FULL', 'synchronous = OFF'))
  }
}

if (order.isReading) {
  const db = new DatabaseSync(path)
  // A note counts when its intent is in the ledger too: rows and ledger share a commit.
  const decided = db.prepare(`SELECT count(*) AS n FROM holdfast_ledger WHERE status = 'applied'`).get()
  const notes = db.prepare('SELECT number FROM notes').all()
  if (Number(decided?.['n']) !== notes.length + 1) throw new Error('The ledger and the rows do not agree after the cut')
  tellPresent(notes.map((note) => Number(note['number'])))
} else {
  const authority = createAuthority({
    app,
    database: sqlite(path),
    authenticate: () => 'anna',
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
  })
  await authority.ready
  const post = async (key: string, name: string, args: object): Promise<void> => {
    const request = new Request('http://authority/sync/intents', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': `"${key}"` },
      body: JSON.stringify({ name, args }),
    })
    const answer = (await (await authority.fetch(request)).json()) as { readonly status?: string }
    if (answer.status !== 'applied') throw new Error(`${name} was answered ${JSON.stringify(answer)}`)
  }
  await post('list', 'openList', { id: LIST })
  await write((number) => post(`note-${number}`, 'addNote', { listId: LIST, device: 'phone', number }))
}
