// What one outbox has to take over from another of the same actor: intents that it does not know, by their ids, and what became of
// those that it does. Pure. Numbers belong to a birth, so each intent taken over gets a new one and remembers the one it had; outcomes
// are taken over as what was said, and the authority is asked once more (I4, I16). Loaded when there is something to carry.
import type { Sequence } from '../../protocol/ids.ts'
import type { IntentContent } from '../../protocol/intent.ts'
import { appendOutcome, type OutcomeRange } from '../../protocol/outcome.ts'
import type { OutboxEntry, OwnEntry } from '../outbox/entry.ts'
import { createLine, type Line } from '../outbox/line.ts'
import { type SessionEvent, snapshotEvents, withBirth } from '../outbox/snapshot.ts'
import { type OutboxEvent, STORED_FORMAT } from '../outbox/stored.ts'
import type { Storage } from './storage.ts'

type Born = OutboxEvent & { readonly kind: 'born' }

/** What is to be taken over. */
export interface Cargo {
  /** To be appended, in order. */
  readonly intents: readonly IntentContent[]
  /** To be noted then, when the first of them has this number. */
  notes(first: number): readonly OutboxEvent[]
}

/**
 * What the outbox `to` lacks of the outbox `from`; both as their events, oldest first. Where both have a pointer of one name, that of the
 * `newer` one holds.
 */
export function cargoOf(from: readonly OutboxEvent[], to: readonly OutboxEvent[], newer: 'from' | 'to'): Cargo {
  const source = lineOf(from)
  const target = lineOf(to)
  const known = new Map(target.entries().map((entry) => [entry.intent.id, entry]))
  const missing = source.entries().filter(({ intent }) => !known.has(intent.id))
  return {
    intents: missing.map(({ intent, sequence }) =>
      sequence === undefined ? intent : withBirth(intent, [source.client, sequence]),
    ),
    notes(first) {
      const numbers = new Map(missing.map(({ intent }, index) => [intent.id, first + index]))
      const events: OutboxEvent[] = []
      for (const [name, pointer] of source.pointers) {
        const here = target.pointers.get(name)
        if (here === undefined || (newer === 'from' && here.id !== pointer.id)) events.push(pointer)
      }
      for (const entry of source.entries()) {
        const twin = known.get(entry.intent.id)
        const sequence = twin?.sequence ?? numbers.get(entry.intent.id)
        if (sequence !== undefined) events.push(...newsOf(entry, twin, sequence))
      }
      return events
    },
  }
}

/** What is known of an intent there and not here. */
function newsOf(entry: OutboxEntry, twin: OutboxEntry | undefined, sequence: number): OutboxEvent[] {
  const events: OutboxEvent[] = []
  const { givenUp, outcome, decidedAt, isRepeated } = entry
  if (givenUp !== undefined && givenUp.as !== 'replaced' && twin?.givenUp === undefined)
    events.push({ ...givenUp, kind: 'withdrawn', sequence: sequence as never, as: givenUp.as })
  if (outcome !== undefined && twin?.outcome === undefined) {
    const outcomes: OutcomeRange[] = []
    appendOutcome(outcomes, sequence, outcome, isRepeated)
    events.push({ kind: 'decided', outcomes, at: decidedAt, again: true })
  }
  return events
}

/**
 * The person has signed out in another mode: no rows stay in a store that was left, and all who have it open hear of it. `known`: what the
 * outbox in that other mode held, as the journal of a birth that nobody uses. When it `isEmptied`, what the store holds of it goes; what
 * somebody else kept there since does not.
 */
export async function signOutOf(storage: Storage, known: readonly OutboxEvent[], isEmptied: boolean): Promise<void> {
  const [birth] = known as readonly [Born, ...OutboxEvent[]]
  let all: readonly OutboxEvent[] = []
  storage.shared?.listen({
    outbox(events) {
      all = events[0]?.kind === 'born' ? events : [...all, ...events]
    },
    frames: () => undefined,
  })
  all = (await storage.load(birth)).outbox
  await storage.shared?.lead()
  await storage.rewriteFrames([])
  await storage.rewriteOutbox(() => {
    const line = lineOf(all)
    const left: SessionEvent = { kind: 'left', session: line.session + 1, retired: isEmptied ? 0 : line.retired }
    if (!isEmptied) {
      const kept = [...line.pointers.values(), left]
      return snapshotEvents(line.client, line.first, line.entries(), birth.at, line.retired, kept)
    }
    const { intents } = cargoOf(all, known, 'to')
    const fresh: Born = { kind: 'born', format: STORED_FORMAT, client: birth.client, last: 0, retired: 0, at: birth.at }
    return [fresh, left, ...(intents.length > 0 ? [{ kind: 'made', first: 1 as Sequence, intents } as const] : [])]
  })
}

function lineOf(events: readonly OutboxEvent[]): Line {
  const line = createLine(new Map<string, OwnEntry>() as Parameters<typeof createLine>[0])
  for (const event of events) line.apply(event)
  return line
}
