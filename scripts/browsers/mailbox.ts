// Where pages that drive themselves tell what they have to tell: a listener that serves bundled pages, and takes what they post to
// `/tell/RUN/WORD`. A word is answered with what its listener returns, when it does: so a page can be made to wait, and be told
// what to do next.
import { type Listener, serve } from 'holdfast/node'
import { pageAnswer } from '../chromium/pages.ts'

/** Hears the JSON that a page posted with a word; what it returns is the answer. */
export type Heard = (word: string, value: unknown) => unknown

/** A listener with its pages. */
export interface Mailbox {
  /** The address of a page for one run, with what the page is told in its query. */
  address(page: string, run: string, query?: Readonly<Record<string, string>>): string
  /** Who hears what the pages of a run tell, until the returned function is called. */
  listen(run: string, heard: Heard): () => void
  close(): Promise<void>
}

const MOST_BYTES = 4 * 1024 * 1024

/** Serves the pages in `folder`. */
export async function openMailbox(folder: string): Promise<Mailbox> {
  const runs = new Map<string, Heard>()
  const listener: Listener = await serve(
    {
      async handle({ method, path, text }) {
        const [, run = '', word] = /^\/tell\/([\w-]+)\/(\w+)$/.exec(path) ?? []
        if (method !== 'POST' || word === undefined)
          return pageAnswer(folder, path) ?? { status: 404, headers: {}, body: '' }
        const answer = await runs.get(run)?.(word, JSON.parse(await text(MOST_BYTES)))
        return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer ?? null) }
      },
    },
    { port: 0, closeMs: 500 },
  )
  return {
    address: (page, run, query = {}) => `${listener.url}/${page}.html?${new URLSearchParams({ ...query, run })}`,
    listen(run, heard) {
      runs.set(run, heard)
      return () => runs.delete(run)
    },
    close: () => listener.close(),
  }
}
