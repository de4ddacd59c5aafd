// The list that a person sees of what is not synced: one line an intent, with title, badge, attempts, outcome. A line stays the same
// object as long as it says the same, and so does the list: whoever draws it compares by identity. Pure.
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

/** A line, and what of its entry it was made from. */
interface Line {
  readonly item: OutboxItem
  readonly outcome: OutboxEntry['outcome']
  readonly givenUp: OutboxEntry['givenUp']
}

/** Makes the lists of one client: of those of the entries that are not synced, in order. */
export function createOutboxItems(
  app: App,
): (entries: readonly OutboxEntry[], isDurable: boolean) => readonly OutboxItem[] {
  const lines = new WeakMap<OutboxEntry, Line>()
  let list: readonly OutboxItem[] = Object.freeze([])

  const itemOf = (entry: OutboxEntry, badge: Badge): OutboxItem => {
    const { intent, sequence, outcome, isRepeated, givenUp, attempts } = entry
    const line = lines.get(entry)
    const isSame =
      line?.item.badge === badge &&
      line.item.sequence === sequence &&
      line.item.attempts === attempts &&
      line.outcome === outcome &&
      line.givenUp === givenUp
    if (line !== undefined && isSame) return line.item
    const item: OutboxItem = Object.freeze({
      id: intent.id,
      name: intent.name,
      title: line?.item.title ?? titleOf(app, entry),
      badge,
      sequence,
      madeAt: intent.madeAt,
      attempts,
      parked:
        givenUp?.as === 'parked' ? { reason: givenUp.reason ?? 'fault', detail: givenUp.detail ?? '' } : undefined,
      outcome: outcome === undefined ? undefined : { ...outcome, repeated: isRepeated },
    })
    lines.set(entry, { item, outcome, givenUp })
    return item
  }

  return (entries, isDurable) => {
    const items: OutboxItem[] = []
    for (const entry of entries) {
      const badge = badgeOf(entry, isDurable)
      // What was given up by a person, or for another one, is off the list although the authority has still to hear of it.
      if (badge !== 'synced' && (entry.givenUp === undefined || entry.givenUp.as === 'parked'))
        items.push(itemOf(entry, badge))
    }
    if (items.length !== list.length || items.some((item, index) => item !== list[index])) list = Object.freeze(items)
    return list
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
