// A harness for storage mode `localstorage`, with the means to end the tab before any item is written, to refuse and to spoil: over Web
// Storage in memory, with the five million characters that an origin has and a lock that one has at a time, or over what a page hands
// in that runs in a browser.

import type { Storage } from '../../../src/client/storage/storage.ts'
import { clearLocalStorage, type Hold, openLocalStorage } from '../../../src/hosts/browser/localstorage.ts'
import type { StorageAbilities, StorageHarness } from '../../../src/sim/contracts/storage-harness.ts'
import { createDice } from '../../../src/sim/random.ts'
import { aliveStorage } from './life.ts'

export const rescueAbilities: StorageAbilities = {
  stops: ['kill'],
  refuses: true,
  spoils: ['middle', 'newer'],
  keepsNoFrames: true,
  lives: 120,
}

/** Web Storage as the harness needs it. */
export interface RescueArea {
  /** What a tab sees of it; `beforeWrite` may throw. */
  view(beforeWrite?: () => void): globalThis.Storage
  /** Takes the lock of this name; left out where there are Web Locks. */
  readonly hold?: Hold
}

/** Web Storage without a browser. */
export interface FakeArea extends RescueArea {
  readonly items: Map<string, string>
  readonly hold: Hold
}

export function createFakeArea(limit = 5_000_000): FakeArea {
  const items = new Map<string, string>()
  const held = new Set<string>()
  const used = (): number => [...items].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  return {
    items,
    view(beforeWrite = () => {}) {
      return {
        get length() {
          return items.size
        },
        key: (index) => [...items.keys()][index] ?? null,
        getItem: (key) => items.get(key) ?? null,
        setItem(key, value) {
          beforeWrite()
          if (used() + key.length + value.length - (items.get(key)?.length ?? 0) > limit)
            throw new DOMException('The quota has been exceeded', 'QuotaExceededError')
          items.set(key, value)
        },
        removeItem(key) {
          beforeWrite()
          items.delete(key)
        },
        clear: () => items.clear(),
      }
    },
    async hold(name) {
      if (held.has(name)) return undefined
      held.add(name)
      return async () => held.delete(name)
    },
  }
}

export async function rescueHarness(name: string, area: RescueArea = createFakeArea()): Promise<StorageHarness> {
  const dice = createDice(name)
  let stepsLeft = Number.POSITIVE_INFINITY
  let end: () => void = () => {}
  let refusing = { probability: 0, errno: '' }
  /** What the tabs that have not ended have open. */
  const tabs = new Map<object, Storage | undefined>()
  /** Ends all tabs, and with them their locks. */
  const endAll = async (): Promise<void> => {
    const ended = [...tabs.values()]
    tabs.clear()
    await Promise.all(ended.map((storage) => storage?.close()))
  }
  const open = async (): Promise<Storage> => {
    const tab = {}
    tabs.set(tab, undefined)
    const life = { isOver: () => !tabs.has(tab) }
    const view = area.view(() => {
      if (!life.isOver() && stepsLeft-- <= 0) end()
      if (life.isOver()) throw new Error('This tab has ended')
      if (dice.chance(refusing.probability)) throw Object.assign(new Error('refused'), { name: refusing.errno })
    })
    const storage = await openLocalStorage({ name: 'device/anna', area: view, ...(area.hold && { hold: area.hold }) })
    tabs.set(tab, storage)
    return aliveStorage(storage, life)
  }
  return {
    keepsNoFrames: true,
    open,
    stop: (_how, afterSteps = 0) =>
      new Promise((resolve) => {
        end = () => {
          stepsLeft = Number.POSITIVE_INFINITY
          endAll().then(resolve)
        }
        stepsLeft = afterSteps
        if (afterSteps === 0) end()
      }),
    refuse(probability, errno) {
      refusing = { probability, errno }
    },
    async spoil(_journal, how) {
      const items = area.view()
      const keys = keysOf(items)
      const key = how === 'newer' ? keys.find((each) => each.endsWith('/head')) : keys[Math.floor(keys.length / 2)]
      if (key === undefined) throw new Error('There is nothing to spoil')
      const value = items.getItem(key) ?? ''
      items.setItem(key, how === 'newer' ? '{"format":99}' : value.slice(0, value.length / 2))
    },
    async fingerprint() {
      const items = area.view()
      const keys = keysOf(items).filter((key) => !key.endsWith('/trial'))
      return JSON.stringify(keys.map((key) => [key, items.getItem(key)]))
    },
    async dispose() {
      await endAll()
      clearLocalStorage('device/anna', area.view())
    },
  }
}

/** All keys, in the order of the alphabet: a browser has one of its own. */
function keysOf(items: globalThis.Storage): readonly string[] {
  return Array.from({ length: items.length }, (_, index) => items.key(index) ?? '').sort()
}
