// Signing out: the rows of a person leave the device, and with what they made and the authority has not applied happens what they say. All
// clients of their store end with it, by an event in the journal of which each hears (I8). What is emptied is a new birth, so no number
// is used again (I18); no intent is dropped unless a person says so (I4). A function that an app imports, over the verb `leave` of
// the client; how a client ends is client.ts, how the event stands on disk outbox/stored.ts.
import { hasCode, SyncError } from '../../base/errors.ts'
import type { ClientId } from '../../protocol/ids.ts'
import type { Client, Leaving } from '../api.ts'
import { isSettled, type OutboxEntry } from '../outbox/entry.ts'
import { bundleOf, type RescueBundle } from '../outbox/rescue.ts'
import type { Status } from '../status.ts'
import { newClientId } from './identity.ts'

/**
 * What is to become of what the authority has not applied. `keep`: it stays on this device, sealed under its actor with their pointers, and
 * goes out when they sign in again. `send`: it is sent first. `export`: it is given as a bundle. `discard`: it is gone for good.
 */
export type Unsent = 'keep' | 'send' | 'export' | 'discard'

/** So often the lead is taken over from others who take it back: each of them hears of the end at its next look. */
const MAX_TRIES = 8

/**
 * Signs the actor of a client out on this device. The client ends, and with it all others of the same store: they show nothing, `status()`
 * has the fault `signed_out`, and so do calls. Nothing of the actor stays on the device, but for `keep`.
 *
 * Resolves when that is durable, with the bundle for `export`: it is in no other place then, so save it, or call `exportUnsent` before.
 * Rejects with a SyncError, and then the client goes on as before: `unsent` when the authority has not applied everything and there
 * is no choice what to do, or what was to be sent came to a stop (`details.count` says how many, `details.because` what stands in the
 * way); `storage_failed` when the disk refuses.
 */
export async function signOut(client: Client, unsent?: Unsent): Promise<RescueBundle | undefined> {
  await client.ready
  const { actor } = client.inspect()
  if (unsent === 'send') await sendAll(client)
  return client.leave(async (parts) => {
    const { outbox, host } = parts
    let bundle: RescueBundle | undefined
    const lookLast = (): void => {
      const entries = outbox.entries()
      const problem = unsent === undefined || unsent === 'send' ? unsentError(entries) : undefined
      if (problem !== undefined) throw problem
      if (unsent === 'export')
        bundle = bundleOf({ app: client.app, actor, client: outbox.client, entries, at: host.clock.now() })
    }
    lookLast()
    // Another client of the store may keep something until the very end.
    const empty = (): ClientId => {
      lookLast()
      return newClientId(host.random)
    }
    await clear(parts, unsent === 'keep' ? undefined : empty)
    return bundle
  })
}

/** Rows first: when the power goes between the two, the person is still signed in, and rows come again. */
async function clear({ storage, outbox, host, role }: Leaving, empty: (() => ClientId) | undefined): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await storage.shared?.lead()
      await storage.rewriteFrames([])
      return await outbox.leave(empty, host.clock.now())
    } catch (error) {
      if (hasCode(error, 'not_leading') && tries < MAX_TRIES) continue
      if (role() === 'following') storage.shared?.resign()
      throw error
    }
  }
}

/** That there is something which the authority has not applied, as an error; undefined where there is nothing. */
function unsentError(entries: readonly OutboxEntry[], because?: Status['fault']): SyncError | undefined {
  const count = entries.filter((entry) => !isSettled(entry)).length
  if (count === 0) return undefined
  const why = because === undefined ? '' : `: ${because.message}`
  return new SyncError('unsent', `${count} of the intents are not applied${why}`, {
    details: { count, ...(because !== undefined && { because: because.code }) },
  })
}

/** Resolves when all is decided; rejects with what stops that. */
async function sendAll(client: Client): Promise<void> {
  // What has been called is in the outbox then.
  await client.between(async () => undefined, { accept: true })
  const wordOf = ({ connection, attempts }: Status): string => `${connection} ${attempts}`
  const before = wordOf(client.status())
  client.resume()
  return new Promise((resolve, reject) => {
    const look = (status: Status): void => {
      const { connection, waiting, fault } = status
      const isStopped = connection !== 'online' && connection !== 'connecting'
      // Another client may lead: that it stood still before it was asked is no answer.
      const isNews = connection === 'broken' || wordOf(status) !== before
      if (waiting > 0 && !(isStopped && isNews)) return
      stop()
      const problem = waiting === 0 ? undefined : unsentError(client.inspect().entries, fault)
      if (problem === undefined) resolve()
      else reject(problem)
    }
    const stop = client.onStatus(look)
    look(client.status())
  })
}
