// The ledger as one transaction has it open: what it says of all clients and intents that are to be decided together is read at once, what
// is decided stands in memory for those that come after, and is written at once. Whoever asks gets one answer, wherever it stands (I3).
// Knows no order of decisions (push.ts does) and none of the tables (ledger.ts).
import type { Sql } from '../db/db.ts'
import { together } from '../db/together.ts'
import {
  type ClientRecord,
  type Decision,
  type LedgerRecord,
  readClients,
  readIntents,
  readPlaces,
  record,
  writeClients,
} from './ledger.ts'

/** The ledger, read ahead and written behind. */
export interface OpenLedger {
  /** One of the clients that it was opened for. */
  client(client: string): ClientRecord | undefined
  /** One of the intents that it was opened for. */
  intent(actor: string, id: string): LedgerRecord | undefined
  /** Any intent: read now, if it was not opened for it. */
  find(actor: string, id: string): Promise<LedgerRecord | undefined>
  /** What is recorded at a client's numbers from `from` to `to`, by number. */
  places(client: string, from: number, to: number): Promise<ReadonlyMap<number, LedgerRecord>>
  /** How many decisions were noted. */
  count(): number
  /** Notes a decision. */
  decide(decision: Decision): void
  /** Notes how far a client is. */
  advance(client: string, record: ClientRecord): void
  /** Writes what was noted since the last time. `at` is the authority's time. */
  write(at: number): Promise<void>
}

/** Opens the ledger for these clients, and these intents of actors. */
export async function openLedger(
  sql: Sql,
  clientIds: ReadonlySet<string>,
  intentKeys: readonly (readonly [actor: string, id: string])[],
): Promise<OpenLedger> {
  const [clients, intents] = await together([readClients(sql, [...clientIds]), readIntents(sql, intentKeys)])
  const decided = new Map<string, Map<number, LedgerRecord>>()
  let decisions: Decision[] = []
  let count = 0
  const advanced = new Map<string, ClientRecord>()
  return {
    client: (client) => clients.get(client),
    intent: (actor, id) => intents.get(actor)?.get(id),
    find: async (actor, id) =>
      intents.get(actor)?.get(id) ?? (await readIntents(sql, [[actor, id]])).get(actor)?.get(id),
    async places(client, from, to) {
      const places = await readPlaces(sql, client, from, to)
      for (const [sequence, known] of decided.get(client) ?? []) places.set(sequence, known)
      return places
    },
    count: () => count,
    decide(decision) {
      count++
      const { client, actor, sequence, intentId, isAlias } = decision
      decisions.push(decision)
      setIn(decided, client, sequence, decision)
      if (!isAlias) setIn(intents, actor, intentId, decision)
    },
    advance(client, record) {
      clients.set(client, record)
      advanced.set(client, record)
    },
    async write(at) {
      const [outcomes, far] = [decisions, new Map(advanced)]
      decisions = []
      advanced.clear()
      await together([record(sql, outcomes, at), writeClients(sql, far, at)])
    },
  }
}

function setIn<Key, Value>(maps: Map<string, Map<Key, Value>>, name: string, key: Key, value: Value): void {
  const map = maps.get(name)
  if (map === undefined) maps.set(name, new Map([[key, value]]))
  else map.set(key, value)
}
