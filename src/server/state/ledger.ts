// The ledger: what became of every intent, by (client, sequence) and by (actor, intent id), both unique in the database, in the
// same transaction as the effects (I2, I3, I10). Keys, outcomes and fingerprints; never arguments. An alias row records an outcome
// for a second place of one intent (after a rebirth, or where an id was used again) and does not take the id.
import { check } from '../../base/assert.ts'
import type { Details } from '../../base/errors.ts'
import { appendOutcome, type Outcome, type OutcomeRange } from '../../protocol/outcome.ts'
import { ConstraintError, type Dialect, type Sql, type SqlRow } from '../db/db.ts'

/** The tables of clients and of outcomes. */
export const ledgerTables = (dialect: Dialect): readonly string[] => [
  // `decided_id`: the intent at `decided`, kept when its row is pruned. `stored`: up to where the device keeps its outcomes itself. `pruned`: up to where rows may be missing.
  `CREATE TABLE IF NOT EXISTS holdfast_client (client ${dialect.text} NOT NULL, actor ${dialect.text} NOT NULL, decided BIGINT NOT NULL, decided_id ${dialect.text} NOT NULL, stored BIGINT NOT NULL, pruned BIGINT NOT NULL, seen_at BIGINT NOT NULL, PRIMARY KEY (client))${dialect.keyOrdered}`,
  `CREATE TABLE IF NOT EXISTS holdfast_ledger (client ${dialect.text} NOT NULL, sequence BIGINT NOT NULL, actor ${dialect.text} NOT NULL, intent_id ${dialect.text} NOT NULL, alias SMALLINT NOT NULL, fingerprint ${dialect.text} NOT NULL, status ${dialect.text} NOT NULL, code ${dialect.text}, details ${dialect.text}, decided_at BIGINT NOT NULL, PRIMARY KEY (client, sequence))${dialect.keyOrdered}`,
  'CREATE UNIQUE INDEX IF NOT EXISTS holdfast_ledger_intent ON holdfast_ledger (actor, intent_id) WHERE alias = 0',
]

/** What the ledger knows of one client. */
export interface ClientRecord {
  readonly actor: string
  readonly decided: number
  /** The intent that stands at `decided`: another copy of the device’s store has another one there. */
  readonly decidedId: string
  readonly stored: number
  readonly pruned: number
}

/** What the ledger knows of one intent. The fingerprint is empty when a withdrawal took the id and no content was seen. */
export interface LedgerRecord {
  readonly intentId: string
  readonly fingerprint: string
  readonly outcome: Outcome
}

/** A decision to be recorded. */
export interface Decision extends LedgerRecord {
  readonly client: string
  readonly actor: string
  readonly sequence: number
  readonly isAlias: boolean
}

/** The record of a client, or undefined when it never had anything decided. */
export async function readClient(sql: Sql, client: string): Promise<ClientRecord | undefined> {
  const [row] = await sql.all(
    'SELECT actor, decided, decided_id, stored, pruned FROM holdfast_client WHERE client = ?',
    [client],
  )
  return row === undefined ? undefined : toClient(row)
}

/** The records of several clients. */
export async function readClients(sql: Sql, clients: readonly string[]): Promise<Map<string, ClientRecord>> {
  const rows = await sql.allKeyed(
    { columns: 'client, actor, decided, decided_id, stored, pruned', table: 'holdfast_client', key: ['client'] },
    clients.map((client) => [client]),
  )
  return new Map(rows.map((row) => [String(row['client']), toClient(row)]))
}

/** Writes how far clients are. */
export async function writeClients(sql: Sql, clients: ReadonlyMap<string, ClientRecord>, at: number): Promise<void> {
  await sql.insert(
    'INSERT INTO holdfast_client (client, actor, decided, decided_id, stored, pruned, seen_at)',
    [...clients].map(([client, { actor, decided, decidedId, stored, pruned }]) => [
      client,
      actor,
      decided,
      decidedId,
      stored,
      pruned,
      at,
    ]),
    ' ON CONFLICT (client) DO UPDATE SET decided = excluded.decided, decided_id = excluded.decided_id, stored = excluded.stored, seen_at = excluded.seen_at',
  )
}

/** What is recorded at a client's numbers from `from` to `to`, by number. */
export async function readPlaces(
  sql: Sql,
  client: string,
  from: number,
  to: number,
): Promise<Map<number, LedgerRecord>> {
  const rows = await sql.all(
    'SELECT sequence, intent_id, fingerprint, status, code, details FROM holdfast_ledger WHERE client = ? AND sequence BETWEEN ? AND ? ORDER BY sequence',
    [client, from, to],
  )
  return new Map(rows.map((row) => [Number(row['sequence']), toRecord(row)]))
}

/** What is recorded for intents, each named by its actor and its id, at whatever client and place: by actor, then by id. */
export async function readIntents(
  sql: Sql,
  intents: readonly (readonly [actor: string, id: string])[],
): Promise<Map<string, Map<string, LedgerRecord>>> {
  const rows = await sql.allKeyed(
    {
      columns: 'actor, intent_id, fingerprint, status, code, details',
      table: 'holdfast_ledger',
      key: ['actor', 'intent_id'],
      where: 'alias = 0',
    },
    intents,
  )
  const found = new Map<string, Map<string, LedgerRecord>>()
  for (const row of rows) {
    const actor = String(row['actor'])
    let ofActor = found.get(actor)
    if (ofActor === undefined) {
      ofActor = new Map()
      found.set(actor, ofActor)
    }
    ofActor.set(String(row['intent_id']), toRecord(row))
  }
  return found
}

/** What is recorded for one intent of an actor, with when it was decided, by the authority's clock. */
export async function readKept(
  sql: Sql,
  actor: string,
  id: string,
): Promise<(LedgerRecord & { readonly decidedAt: number }) | undefined> {
  const [row] = await sql.all(
    'SELECT intent_id, fingerprint, status, code, details, decided_at FROM holdfast_ledger WHERE actor = ? AND intent_id = ? AND alias = 0',
    [actor, id],
  )
  return row === undefined ? undefined : { ...toRecord(row), decidedAt: Number(row['decided_at']) }
}

/**
 * Records decisions. A place or an id that is taken refuses the statement, and with it everything that was to be decided: it was looked
 * up in the same transaction, so only a broken engine gets there.
 */
export async function record(sql: Sql, decisions: readonly Decision[], at: number): Promise<void> {
  const rows = decisions.map(({ client, sequence, actor, intentId, isAlias, fingerprint, outcome }) => [
    client,
    sequence,
    actor,
    intentId,
    isAlias ? 1 : 0,
    fingerprint,
    outcome.status,
    outcome.status === 'applied' ? null : outcome.code,
    outcome.status === 'applied' ? null : JSON.stringify(outcome.details),
    at,
  ])
  try {
    await sql.insert(
      'INSERT INTO holdfast_ledger (client, sequence, actor, intent_id, alias, fingerprint, status, code, details, decided_at)',
      rows,
    )
  } catch (error) {
    check(!(error instanceof ConstraintError), 'I3', 'a place or an intent was to be decided a second time')
    throw error
  }
}

/**
 * The outcomes of a client's numbers after `after`, up to `decided`, as far as they are remembered. Only what was not applied is
 * read: every number up to `decided` has an outcome (I2), so the others were applied.
 */
export async function readOutcomes(
  sql: Sql,
  client: string,
  { decided, pruned }: ClientRecord,
  after: number,
): Promise<readonly OutcomeRange[]> {
  const from = Math.max(after, pruned) + 1
  if (from > decided) return []
  const rows = await sql.all(
    "SELECT sequence, status, code, details FROM holdfast_ledger WHERE client = ? AND sequence BETWEEN ? AND ? AND status <> 'applied' ORDER BY sequence",
    [client, from, decided],
  )
  const ranges: OutcomeRange[] = []
  let next = from
  const applied = (to: number) => {
    if (to >= next) ranges.push({ from: next, to, status: 'applied' })
  }
  for (const row of rows) {
    const sequence = Number(row['sequence'])
    applied(sequence - 1)
    appendOutcome(ranges, sequence, toOutcome(row), false)
    next = sequence + 1
  }
  applied(decided)
  return ranges
}

const toClient = (row: SqlRow): ClientRecord => ({
  actor: String(row['actor']),
  decided: Number(row['decided']),
  decidedId: String(row['decided_id']),
  stored: Number(row['stored']),
  pruned: Number(row['pruned']),
})

const APPLIED: Outcome = Object.freeze({ status: 'applied' })

function toRecord(row: SqlRow): LedgerRecord {
  return { intentId: String(row['intent_id']), fingerprint: String(row['fingerprint']), outcome: toOutcome(row) }
}

function toOutcome(row: SqlRow): Outcome {
  const status = row['status']
  if (status === 'applied') return APPLIED
  check(
    status === 'rejected' || status === 'conflict' || status === 'withdrawn',
    'I3',
    `the ledger holds the status ${String(status)}`,
  )
  return { status, code: String(row['code']), details: JSON.parse(String(row['details'])) as Details }
}

/** Up to when the ledger remembers, by the authority's clock in milliseconds since 1970. */
export interface LedgerBounds {
  /** Outcomes that their device has stored itself go when they were decided before this. */
  readonly storedBefore: number
  /** Others go when they were decided before this. */
  readonly silentBefore: number
}

/** Clients whose oldest outcome may go, in the order of their ids and after one of them. Numbers have no holes: the first row tells. */
export async function prunableClients(
  sql: Sql,
  { storedBefore, silentBefore }: LedgerBounds,
  after: string,
  limit: number,
): Promise<readonly string[]> {
  const rows = await sql.all(
    'SELECT c.client FROM holdfast_client AS c JOIN holdfast_ledger AS l ON l.client = c.client AND l.sequence = c.pruned + 1 WHERE c.client > ? AND l.decided_at < CASE WHEN l.sequence <= c.stored THEN CAST(? AS BIGINT) ELSE ? END ORDER BY c.client LIMIT ?',
    [after, storedBefore, silentBefore, limit],
  )
  return rows.map((row) => String(row['client']))
}

/** The clients of an actor. */
export async function clientsOf(sql: Sql, actor: string): Promise<readonly string[]> {
  const rows = await sql.all('SELECT client FROM holdfast_client WHERE actor = ? ORDER BY client', [actor])
  return rows.map((row) => String(row['client']))
}

/**
 * Forgets the oldest outcomes of a client, at most `limit` of them; gives how many numbers it passed. Only from the front, and never
 * past one that must be kept, so that one mark tells what is forgotten. How far the client is stays for ever.
 */
export async function pruneClient(
  sql: Sql,
  client: string,
  { storedBefore, silentBefore }: LedgerBounds,
  limit: number,
): Promise<number> {
  const known = await readClient(sql, client)
  if (known === undefined || known.pruned >= known.decided) return 0
  const [kept] = await sql.all(
    'SELECT min(sequence) AS first FROM holdfast_ledger WHERE client = ? AND sequence > ? AND decided_at >= CASE WHEN sequence <= ? THEN CAST(? AS BIGINT) ELSE ? END',
    [client, known.pruned, known.stored, storedBefore, silentBefore],
  )
  const first = kept?.['first']
  const end = typeof first === 'number' ? first - 1 : known.decided
  return forget(sql, client, known.pruned, Math.min(end, known.pruned + limit))
}

/** Forgets all outcomes of a client, and gives how many numbers that are. */
export async function forgetClient(sql: Sql, client: string): Promise<number> {
  const known = await readClient(sql, client)
  return known === undefined ? 0 : forget(sql, client, known.pruned, known.decided)
}

/** Empties what an actor's outcomes at other clients say beyond their status and code: those that the authority's own code brought about. */
export async function blankOutcomes(sql: Sql, actor: string): Promise<number> {
  return sql.run(
    "UPDATE holdfast_ledger SET fingerprint = '', details = CASE WHEN details IS NULL THEN NULL ELSE '{}' END WHERE actor = ?",
    [actor],
  )
}

async function forget(sql: Sql, client: string, pruned: number, end: number): Promise<number> {
  if (end <= pruned) return 0
  await sql.run('DELETE FROM holdfast_ledger WHERE client = ? AND sequence <= ?', [client, end])
  await sql.run('UPDATE holdfast_client SET pruned = ? WHERE client = ?', [end, client])
  return end - pruned
}
