// Which sequence number an outbox's journal has reached. Every storage mode gives numbers, and each must give the next one and no
// other (I18); this is the arithmetic that they share. What else the events mean is outbox/outbox.ts.
import { check } from '../../base/assert.ts'
import type { OutboxEvent } from '../outbox/stored.ts'

/** The last number given once `event` has followed a journal that had reached `last`. */
export function lastNumberAfter(last: number, event: OutboxEvent): number {
  switch (event.kind) {
    case 'born':
      return event.last
    case 'made':
      return event.first + event.intents.length - 1
    default:
      return last
  }
}

/**
 * The last number of a journal that is about to replace `before`. A rewrite that begins no new birth must not go back behind the
 * numbers that were given, for then the next append would give one of them again.
 */
export function lastNumberOfRewrite(
  before: { readonly client: string; readonly last: number },
  events: readonly OutboxEvent[],
): { readonly client: string; readonly last: number } {
  const [birth] = events
  check(birth?.kind === 'born', 'I18', 'an outbox was to be replaced by one that does not begin with its birth')
  const last = events.reduce(lastNumberAfter, 0)
  check(
    birth.client !== before.client || last >= before.last,
    'I18',
    `an outbox that had given number ${before.last} was to be replaced by one that ends at ${last}`,
  )
  return { client: birth.client, last }
}

/** How often a person has signed out, as these events say. */
export function sessionIn(events: readonly OutboxEvent[]): number {
  return events.reduce((session, event) => (event.kind === 'left' ? Math.max(session, event.session) : session), 0)
}
