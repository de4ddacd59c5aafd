// Intents that are taken in together although nobody has called them just now: those that a repair makes in the place of others, and those
// that were made on another device. They run as one: the screen changes once, from the old ones to the new ones, or not at all, and they
// are handed to the disk in one piece. What they are made of is the business of outbox/repair.ts and whoever else calls this.
import { SyncError } from '../base/errors.ts'
import type { IntentId } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'
import { hasEffects } from '../protocol/outcome.ts'
import type { Client } from './api.ts'
import { type CallOptions, copyArguments, type IntentHandle, refusalOf } from './calls.ts'
import type { KeptIntent } from './outbox/stored.ts'

/** An intent that is not a new call. It has an id, or gets one. */
export type TakenIntent = Omit<KeptIntent, 'id'> & {
  readonly id?: IntentId
  /** Whether its first run here may refuse it; otherwise it is kept whatever it shows. */
  readonly mode: 'call' | 'stored'
}

/**
 * Takes intents in, in this order, each in the place of the one that it replaces: all or none. Resolves when they show and are on their way
 * to the disk. What one builds on and is replaced with it is called by its new id. Rejects with a SyncError, and then nothing has changed:
 * `settled` when one that is to be replaced has had its effects or was replaced meanwhile, or why a first run was refused.
 */
export async function take(
  client: Client,
  taken: readonly TakenIntent[],
  options: CallOptions = {},
): Promise<readonly IntentHandle[]> {
  const copies = taken.map((intent) => {
    const args = intent.mode === 'call' ? copyArguments(client.app, intent.name, intent.args) : intent.args
    if (args instanceof SyncError) throw args
    return { ...intent, args }
  })
  return client.between(async ({ replica, outbox, newId, keep, onRun }) => {
    const renamed = new Map<IntentId, IntentId>()
    const members = copies.map(({ id = newId(), ...intent }) => ({ ...intent, id }))
    const fresh = members.filter(({ id }) => outbox.get(id) === undefined)
    for (const { id, replaces } of fresh) {
      if (replaces === undefined) continue
      const { givenUp, outcome } = outbox.get(replaces) ?? {}
      if (givenUp?.as === 'replaced' || (outcome !== undefined && hasEffects(outcome)))
        throw new SyncError('settled', `Intent ${replaces} was to be replaced`)
      renamed.set(replaces, id)
    }
    onRun()
    // What is replaced by another of them shows nothing.
    const running = fresh.filter(({ id }) => !renamed.has(id))
    const answers = await replica.exchange(
      new Set(renamed.keys()),
      running.map(({ mode, needs, births, ...intent }) => ({ intent, mode })),
    )
    for (const answer of answers) if (!answer.kept) throw refusalOf(running[0]?.name ?? '', answer.error)
    for (const { mode, needs = [], ...intent } of fresh) {
      const answer = answers[running.findIndex(({ id }) => id === intent.id)]
      const { needs: seen = [], base = intent.base } = answer?.kept === true ? answer : {}
      // What they build on stood there before by the name of the old one.
      const all = new Set([...needs, ...seen].map((need) => renamed.get(need) ?? need))
      keep({ ...intent, ...(all.size > 0 && { needs: [...all].slice(0, LIMITS.needs) }), ...(base && { base }) })
    }
    return members.map((intent) => keep(intent))
  }, options)
}
