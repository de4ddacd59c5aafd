// The world of a device in a page: the real host of browsers on a store of its own, told apart by name. Its network may be a script,
// and what goes to its storage may be listened to.
import { browser } from 'holdfast/browser'
import type { Host, Network } from 'holdfast/client'
import { ACTOR } from '../../engine/app.ts'

/** Hears of what is handed over to the storage, and when it is kept. */
export interface Listening {
  appended?(intents: readonly object[], at: number, kept: Promise<unknown>): void
  keptFrame?(kept: Promise<unknown>): void
  folded?(kept: Promise<unknown>): void
}

/** The host of the device with this name. */
export function world(
  name: string,
  network: Network | undefined,
  { appended, keptFrame, folded }: Listening = {},
): Host {
  const host = browser({ name })
  return {
    ...host,
    ...(network === undefined ? {} : { network }),
    async openStorage(actor) {
      const storage = await host.openStorage(actor)
      return {
        ...storage,
        append(intents, draft) {
          const at = performance.now()
          const kept = storage.append(intents, draft)
          appended?.(intents, at, kept)
          return kept
        },
        keepFrame(frame) {
          const kept = storage.keepFrame(frame)
          keptFrame?.(kept)
          return kept
        },
        rewriteFrames(frames) {
          const kept = storage.rewriteFrames(frames)
          folded?.(kept)
          return kept
        },
      }
    },
  }
}

/** The name of the database behind the device with this name. */
export function databaseOf(name: string, actor = ACTOR): string {
  return `${name}/${actor}`
}
