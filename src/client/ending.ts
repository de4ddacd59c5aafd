// How a client ends: closed by the app, or because the person signed out, here or in another client of the same store. First nothing new is
// begun, then what is under way is waited for, then all is let go of; so nothing of an old epoch comes back and changes anything (I8).
// What of a person leaves the device when they sign out is session/sign-out.ts.
import { SyncError } from '../base/errors.ts'
import type { Leaving } from './api.ts'
import type { Calls } from './calls.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { Pending } from './pending.ts'
import type { Sentinel } from './session/sentinel.ts'
import type { FrameKeeper } from './storage/frame-keeper.ts'
import type { Storage } from './storage/storage.ts'
import type { RolePlayer } from './tabs/role.ts'
import type { Talker } from './tabs/talk.ts'

/** What a client has open once it is ready. */
export interface Opened {
  readonly storage: Storage
  readonly player: RolePlayer
  readonly outbox: Outbox
  readonly pending: Pending
  readonly keeper: FrameKeeper
  readonly sentinel: Sentinel | undefined
}

/** What is ended. */
export interface EndingParts {
  readonly host: Leaving['host']
  readonly calls: Calls
  readonly talker: Talker
  /** What is open, as far as it came. */
  opened(): { readonly [Part in keyof Opened]: Opened[Part] | undefined }
  /** Resolves when it is known how far it came. */
  readonly ready: Promise<void>
  /** The queries tell nothing any more. */
  closeQueries(): void
  onChange(): void
}

/** The end of one client. */
export interface Ending {
  /** Why the client has stopped for good. */
  readonly by: SyncError | undefined
  /** Why nothing can be called: it has stopped, or is about to. */
  refusal(): SyncError | undefined
  /** Stops for good; resolves when all is let go of. What is on the disk stays as it is. */
  end(by: SyncError): Promise<void>
  /** See Client. */
  leave<Result>(job: (parts: Leaving) => Promise<Result>): Promise<Result>
}

/** The person has signed out. */
export const signedOut = (): SyncError => new SyncError('signed_out', 'The person has signed out on this device')

/** Makes the end of one client. */
export function createEnding({ host, calls, talker, opened, ready, closeQueries, onChange }: EndingParts): Ending {
  let by: SyncError | undefined
  let isLeaving = false
  let ending: Promise<void> | undefined

  const refusal = (): SyncError | undefined => by ?? (isLeaving ? signedOut() : undefined)

  /** Resolves when all that was begun before is over. */
  const drain = async (): Promise<void> => {
    const { pending, outbox } = opened()
    await calls.handedOver()
    await talker.settled()
    await pending?.settled()
    await outbox?.settled()
  }

  const letGo = async (reason: SyncError): Promise<void> => {
    await ready.catch(() => undefined)
    calls.refuseAll(reason)
    await drain()
    const { storage, player, pending, keeper, sentinel } = opened()
    await keeper?.close()
    await sentinel?.close()
    if (reason.code === 'signed_out') await pending?.clear()
    closeQueries()
    player?.close()
    await storage?.close()
    onChange()
  }

  const end = (reason: SyncError): Promise<void> => {
    by ??= reason
    talker.end()
    ending ??= letGo(by)
    return ending
  }

  return {
    get by() {
      return by
    },
    refusal,
    end,
    async leave(job) {
      await ready
      const refused = refusal()
      if (refused !== undefined) throw refused
      isLeaving = true
      talker.hold()
      try {
        await drain()
        const { storage, outbox, keeper, player } = opened() as Opened
        const result = await keeper.last(() => job({ storage, outbox, host, role: () => player.role }))
        await end(signedOut())
        return result
      } catch (error) {
        isLeaving = false
        talker.release()
        throw error
      }
    },
  }
}
