// One line of the list that a person sees of what is not synced: title, badge, attempts, outcome. Pure.
import type { App } from '../../schema/app.ts'
import { upgradeArguments } from '../../schema/upgrade.ts'
import type { Decision } from '../calls.ts'
import { type Badge, badgeOf } from '../status.ts'
import type { OutboxEntry } from './entry.ts'

/** One entry of the list of what is not synced. */
export interface OutboxItem {
  readonly id: string
  readonly name: string
  /** One line for people, from the mutator's `describe`. */
  readonly title: string
  readonly badge: Badge
  readonly sequence: number | undefined
  readonly madeAt: number
  readonly attempts: number
  readonly parked: { readonly reason: string; readonly detail: string } | undefined
  readonly outcome: Decision | undefined
}

/** The line for one entry. */
export function outboxItem(app: App, entry: OutboxEntry, isDurable: boolean): OutboxItem {
  const { intent, sequence, outcome, isRepeated, givenUp, attempts } = entry
  return {
    id: intent.id,
    name: intent.name,
    title: titleOf(app, entry),
    badge: badgeOf(entry, isDurable),
    sequence,
    madeAt: intent.madeAt,
    attempts,
    parked: givenUp?.as === 'parked' ? { reason: givenUp.reason ?? 'fault', detail: givenUp.detail ?? '' } : undefined,
    outcome: outcome === undefined ? undefined : { ...outcome, repeated: isRepeated },
  }
}

/** The mutator's own words for its arguments; its name when it has none, or when they fail on these. */
function titleOf(app: App, { intent: { name, version, args } }: OutboxEntry): string {
  const mutator = Object.hasOwn(app.mutators, name) ? app.mutators[name] : undefined
  if (mutator?.describe === undefined) return name
  try {
    const upgraded = upgradeArguments(name, mutator, version, args)
    return upgraded.kind === 'ready' ? mutator.describe(upgraded.input) : name
  } catch {
    return name
  }
}
