// A harness for storage mode `localstorage`: Web Storage in memory with the five million characters that an origin has, a lock that one
// has at a time, and the means to end the tab before any item is written, to refuse and to spoil.
import { clearLocalStorage, openLocalStorage } from '../../../src/hosts/browser/localstorage.ts'
import type { StorageAbilities, StorageHarness } from '../../../src/sim/contracts/storage-harness.ts'
import { createDice } from '../../../src/sim/random.ts'

export const rescueAbilities: StorageAbilities = {
  stops: ['kill'],
  refuses: true,
  spoils: ['middle', 'newer'],
  keepsNoFrames: true,
  lives: 120,
}

/** Web Storage without a browser. */
export interface FakeArea {
  readonly items: Map<string, string>
  /** What a tab sees of it; `beforeWrite` may throw. */
  view(beforeWrite?: () => void): globalThis.Storage
  /** Takes the lock of this name. */
  hold(name: string): Promise<(() => void) | undefined>
  /** Lets go of all locks, as when their tabs end. */
  release(): void
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
      return () => void held.delete(name)
    },
    release: () => held.clear(),
  }
}

export async function rescueHarness(name: string): Promise<StorageHarness> {
  const area = createFakeArea()
  const dice = createDice(name)
  let stepsLeft = Number.POSITIVE_INFINITY
  let end: () => void = () => {}
  let refusing = { probability: 0, errno: '' }
  let life = 0
  const open = () => {
    const own = ++life
    const view = area.view(() => {
      if (own !== life && stepsLeft !== Number.POSITIVE_INFINITY) throw new Error('This tab has ended')
      if (stepsLeft-- <= 0) {
        end()
        throw new Error('This tab has ended')
      }
      if (dice.chance(refusing.probability)) throw Object.assign(new Error('refused'), { name: refusing.errno })
    })
    return openLocalStorage({ name: 'device/anna', area: view, hold: area.hold })
  }
  return {
    keepsNoFrames: true,
    open,
    stop: (_how, afterSteps = 0) =>
      new Promise((resolve) => {
        end = () => {
          stepsLeft = Number.POSITIVE_INFINITY
          area.release()
          resolve()
        }
        stepsLeft = afterSteps
        if (afterSteps === 0) end()
      }),
    refuse(probability, errno) {
      refusing = { probability, errno }
    },
    async spoil(_journal, how) {
      const keys = [...area.items.keys()]
      const key = how === 'newer' ? keys.find((each) => each.endsWith('/head')) : keys[Math.floor(keys.length / 2)]
      if (key === undefined) throw new Error('There is nothing to spoil')
      const value = area.items.get(key) ?? ''
      area.items.set(key, how === 'newer' ? '{"format":99}' : value.slice(0, value.length / 2))
    },
    fingerprint: async () => JSON.stringify([...area.items].filter(([key]) => !key.endsWith('/trial'))),
    async dispose() {
      clearLocalStorage('device/anna', area.view())
      area.release()
    },
  }
}
