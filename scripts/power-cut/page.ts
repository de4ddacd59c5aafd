// The page of the power cut: a device that never talks to an authority and writes notes, one at a time and in bursts, telling each
// number as soon as its `saved` has resolved. After the cut the same page says which numbers it still has.
import { browser } from 'holdfast/browser'
import { type Client, createClient } from 'holdfast/client'
import { app } from '../crash/app.ts'

const LIST = 'list'

let client: Client<typeof app>

const page = {
  /** Opens the device; resolves when it is ready. */
  async open(durability: 'strict' | 'relaxed'): Promise<void> {
    client = createClient({
      app,
      host: browser({ durability }),
      url: '/sync',
      session: { actor: 'anna', token: 'anna' },
      startPaused: true,
      whenNotDurable: 'accept',
    })
    await client.ready
  },
  /** Resolves when the list is saved in which the notes will stand. */
  begin: () => client.mutate.openList({ id: LIST }).saved,
  /** Writes for as long as it is let; `acknowledged` was given to the page from outside. */
  async write(): Promise<never> {
    const { acknowledged } = globalThis as unknown as { acknowledged(numbers: readonly number[]): Promise<void> }
    let number = 0
    const add = async (): Promise<void> => {
      const own = ++number
      await client.mutate.addNote({ listId: LIST, device: 'phone', number: own }).saved
      void acknowledged([own])
    }
    for (let round = 1; ; round++) {
      if (round % 10 === 0) await Promise.all(Array.from({ length: 20 }, add))
      else await add()
    }
  },
  /** The numbers of the notes that are here. */
  numbers(): readonly number[] {
    const notes = client.live(app.query.notes.where({ listId: LIST }))
    return notes.rows.map(({ number }) => number)
  },
}

/** What the script may call. */
export type PowerCutPage = typeof page

Object.assign(globalThis, { page })
