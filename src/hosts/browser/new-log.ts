// Makes the browser begin a new log. Chromium keeps all that an origin has in IndexedDB in one log, whose last record a kill or a power
// cut may have torn. A start takes no notice of that, but what it writes stands behind the tear: the start after it finds the log
// damaged in the middle, and throws everything away. Deleting a database, however small, ends the old log; docs/decisions has a page
// about it. So each start deletes the one that the start before it has left, and leaves another: that is one step of some milliseconds,
// beside which may be read but nothing should be written. Decides nothing and never fails.
import { openDatabase } from './idb-promise.ts'

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
  if (!(await isDeleted(name))) {
    await leaveOne(name)
    await isDeleted(name)
  }
  // Nobody waits for it: where it does not come about, the next start makes its own.
  leaveOne(name).catch(() => undefined)
}

async function leaveOne(name: string): Promise<void> {
  const small = await openDatabase(name, 1, (fresh) => void fresh.createObjectStore('it').put(0, 0))
  small.close()
}

/** Deletes a database; false when there was none. */
function isDeleted(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(name)
    deleting.onsuccess = (event) => resolve((event as IDBVersionChangeEvent).oldVersion > 0)
    deleting.onerror = () => reject(deleting.error)
  })
}
