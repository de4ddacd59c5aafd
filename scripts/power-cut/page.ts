// The page of the power cut, which drives itself: a device that never talks to an authority and writes notes, telling each number as
// soon as its `saved` has resolved. After the cut the same page tells which numbers it still has.
import { browser } from 'holdfast/browser'
import { createClient } from 'holdfast/client'
import { tell, told } from '../browsers/teller.ts'
import { app } from '../crash/app.ts'
import { addForEver } from './subject.ts'

const LIST = 'list'

async function run(): Promise<unknown> {
  const client = createClient({
    app,
    host: browser({ durability: told('durability') === 'relaxed' ? 'relaxed' : 'strict' }),
    url: '/sync',
    session: { actor: 'anna', token: 'anna' },
    startPaused: true,
    whenNotDurable: 'accept',
  })
  await client.ready
  const mode = client.status().storage?.mode
  if (mode !== 'indexeddb') throw new Error(`The storage mode is ${String(mode)}: nothing durable is tried here`)
  if (told('act') === 'read') {
    const { rows } = client.live(app.query.notes.where({ listId: LIST }))
    return tell(
      'present',
      rows.map(({ number }) => number),
    )
  }
  await client.mutate.openList({ id: LIST }).saved
  // Answered when it may begin.
  await tell('prepared')
  const waiting: number[] = []
  let isTelling = false
  const tellAll = async (): Promise<void> => {
    if (isTelling) return
    isTelling = true
    while (waiting.length > 0) await tell('acknowledged', waiting.splice(0))
    isTelling = false
  }
  return addForEver(
    (number) => client.mutate.addNote({ listId: LIST, device: 'phone', number }).saved,
    (number) => {
      waiting.push(number)
      void tellAll()
    },
  )
}

run().catch((error: unknown) => tell('failed', String(error)))
