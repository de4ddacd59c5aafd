// Makes the browser begin a new log. Chromium keeps all that an origin has in IndexedDB in one log, whose last record a kill or a power
// cut may have torn. A start takes no notice of that, but what it writes stands behind the tear: the start after it finds the log
// damaged in the middle, and throws everything away. Deleting a database, however small, ends the old log; docs/decisions has a page
// about it. It takes some milliseconds, beside which may be read but nothing should be written. Decides nothing and never fails.
import { deleteDB, openDB } from 'idb'

/** A tab that was frozen in the middle of this would hold up all others. */
const PATIENCE_MS = 500

/** Resolves when the old log is ended, or cannot be; `name` is that of the store. */
export async function beginNewLog(name: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS)
  })
  // A precaution only: whether intents can be kept is told by their own writes.
  await Promise.race([patience, endOldLog(`${name}/log`).catch(() => undefined)])
  clearTimeout(timer)
}

async function endOldLog(name: string): Promise<void> {
  const small = await openDB(name, 1, { upgrade: (fresh) => void fresh.createObjectStore('it').put(0, 0) })
  small.close()
  await deleteDB(name)
}
