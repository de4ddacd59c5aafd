// What this page remembers of itself from one visit to the next: who is signed in on which device, and the demo's switch. Not in
// localStorage, which a browser writes some seconds later: killed in between, the page would ask who is there and show none of
// what that person had logged a moment ago. What is logged is Holdfast's to remember.

/** Some words under some names, the same in all tabs. */
export interface Memory {
  get(key: string): string | undefined
  /** Remembers a word, or forgets it. */
  set(key: string, word: string | undefined): void
  /** Calls `listener` when another tab has remembered something else under this name. */
  hear(key: string, listener: () => void): void
}

const STORE = 'words'

/** Opens the memory. Where the browser gives none, the page forgets at its end, and nothing else is different. */
export async function openMemory(name: string): Promise<Memory> {
  const words = new Map<string, string>()
  const listeners = new Map<string, () => void>()
  const database = await openDatabase(name).catch(() => undefined)
  if (database !== undefined) for (const [key, word] of await readAll(database)) words.set(key, word)

  const channel = new BroadcastChannel(name)
  const keep = (key: string, word: string | undefined): void => {
    if (word === undefined) words.delete(key)
    else words.set(key, word)
  }
  channel.onmessage = ({ data }: MessageEvent<{ readonly key: string; readonly word: string | undefined }>) => {
    keep(data.key, data.word)
    listeners.get(data.key)?.()
  }
  return {
    get: (key) => words.get(key),
    set(key, word) {
      keep(key, word)
      channel.postMessage({ key, word })
      const store = database?.transaction(STORE, 'readwrite', { durability: 'strict' }).objectStore(STORE)
      if (word === undefined) store?.delete(key)
      else store?.put(word, key)
    },
    hear(key, listener) {
      listeners.set(key, listener)
    },
  }
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function readAll(database: IDBDatabase): Promise<readonly (readonly [key: string, word: string])[]> {
  return new Promise((resolve, reject) => {
    const store = database.transaction(STORE).objectStore(STORE)
    const [keys, words] = [store.getAllKeys(), store.getAll()]
    words.onsuccess = () => resolve(keys.result.map((key, at) => [String(key), String(words.result[at])]))
    words.onerror = () => reject(words.error)
  })
}
