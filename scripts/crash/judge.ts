// The judge of the kill loop. It reads the authority's database by plain SQL, without any code of Holdfast, and holds it against what
// the devices had acknowledged: nothing acknowledged may be missing (I4, I15), nothing may be there twice (I3), the notes of a
// device stand in the order in which it made them (I2), and ledger, change log and versions agree with the rows (I7, I10, I11).
import { DatabaseSync } from 'node:sqlite'

/** What stands in the authority's database in the end. */
export interface History {
  /** What SQLite says of the file itself: `ok`. */
  readonly integrity: string
  readonly notes: readonly {
    readonly id: string
    readonly listId: string
    readonly position: number | null
    readonly device: string
    readonly number: number
  }[]
  readonly lists: readonly { readonly id: string }[]
  /** Rows of the aggregate. */
  readonly totals: readonly { readonly id: string; readonly notes: number }[]
  readonly clients: readonly { readonly client: string; readonly decided: number; readonly pruned: number }[]
  readonly ledger: readonly {
    readonly client: string
    readonly sequence: number
    readonly intentId: string
    readonly status: string
  }[]
  /** Keys of the rows that the change log says are there. */
  readonly logged: readonly string[]
  readonly scopes: readonly { readonly scope: string; readonly version: number; readonly commits: number }[]
}

/** What the judge found. Everything is right when the counts are 0 and there are no problems. */
export interface Verdict {
  readonly acknowledged: number
  /** Acknowledged notes that are not in the database. */
  readonly lost: number
  /** Notes that are there once too often. */
  readonly doubled: number
  /** Notes that do not stand after the note made before them, or have no position of their own. */
  readonly outOfOrder: number
  /** Whatever else does not agree, in sentences. */
  readonly problems: readonly string[]
}

/** Reads the history of an authority that is not running. */
export function readHistory(path: string): History {
  const db = new DatabaseSync(path)
  try {
    const all = <Row>(text: string): readonly Row[] => db.prepare(text).all() as unknown as Row[]
    return {
      integrity: all<{ integrity_check: string }>('PRAGMA integrity_check')
        .map((row) => row.integrity_check)
        .join('; '),
      notes: all('SELECT id, listId, position, device, number FROM notes'),
      lists: all('SELECT id FROM lists'),
      totals: all('SELECT id, notes FROM listTotals'),
      clients: all('SELECT client, decided, pruned FROM holdfast_client'),
      ledger: all(
        'SELECT client, sequence, intent_id AS intentId, status FROM holdfast_ledger ORDER BY client, sequence',
      ),
      logged: all<{ key: string }>(`SELECT tbl || ' ' || id AS key FROM holdfast_log WHERE gone = 0`).map(
        ({ key }) => key,
      ),
      scopes: all(
        'SELECT scope, version, (SELECT count(*) FROM holdfast_commit AS c WHERE c.scope = s.scope) AS commits FROM holdfast_scope AS s',
      ),
    }
  } finally {
    db.close()
  }
}

/** Holds a history against the numbers that each device acknowledged. */
export function judge(history: History, acknowledged: ReadonlyMap<string, readonly number[]>): Verdict {
  const present = new Set(history.notes.map(noteKey))
  let lost = 0
  for (const [device, numbers] of acknowledged) {
    for (const number of numbers) if (!present.has(noteKey({ device, number }))) lost++
  }
  return {
    acknowledged: [...acknowledged.values()].reduce((sum, numbers) => sum + numbers.length, 0),
    lost,
    doubled: history.notes.length - present.size,
    outOfOrder: countOutOfOrder(history.notes),
    problems: [
      ...(history.integrity === 'ok' ? [] : [`SQLite says of the file: ${history.integrity}`]),
      ...strangerProblems(history, acknowledged),
      ...ledgerProblems(history),
      ...logProblems(history),
      ...totalProblems(history),
      ...versionProblems(history),
    ],
  }
}

function noteKey({ device, number }: { readonly device: string; readonly number: number }): string {
  return `${device} ${number}`
}

/** In each list, notes by position must be notes by number, and positions 1, 2, 3 … */
function countOutOfOrder(notes: History['notes']): number {
  let wrong = 0
  for (const list of grouped(notes, ({ listId }) => listId).values()) {
    const byPosition = list.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
    const last = new Map<string, number>()
    for (const [index, { device, number, position }] of byPosition.entries()) {
      if (position !== index + 1 || number < (last.get(device) ?? number)) wrong++
      last.set(device, number)
    }
  }
  return wrong
}

function strangerProblems({ notes }: History, acknowledged: ReadonlyMap<string, readonly number[]>): string[] {
  const strangers = notes.filter(({ device }) => !acknowledged.has(device))
  return strangers.length === 0 ? [] : [`${strangers.length} notes are of devices that made none`]
}

/** One row for each number of a client, each id once, all applied, as many as there are rows; a client for each device and no more. */
function ledgerProblems({ ledger, clients, notes, lists }: History): string[] {
  const problems: string[] = []
  const places = grouped(ledger, ({ client }) => client)
  for (const { client, decided, pruned } of clients) {
    const numbers = (places.get(client) ?? []).map(({ sequence }) => sequence)
    const isWhole =
      numbers.length === decided - pruned && numbers.every((number, index) => number === pruned + index + 1)
    if (!isWhole) problems.push(`the ledger of client ${client} is not ${pruned + 1} to ${decided} without holes`)
  }
  const unknown = [...places.keys()].filter((client) => !clients.some((known) => known.client === client))
  if (unknown.length > 0) problems.push(`the ledger has rows of ${unknown.length} unknown clients`)
  if (new Set(ledger.map(({ intentId }) => intentId)).size !== ledger.length)
    problems.push('an intent has two rows in the ledger')
  const refused = ledger.filter(({ status }) => status !== 'applied')
  if (refused.length > 0)
    problems.push(`${refused.length} intents are ${[...new Set(refused.map(({ status }) => status))].join(' or ')}`)
  const pruned = clients.reduce((sum, client) => sum + client.pruned, 0)
  const rows = notes.length + lists.length
  const applied = ledger.length - refused.length + pruned
  if (applied !== rows)
    problems.push(`the ledger says that ${applied} intents were applied, but there are ${rows} rows`)
  const devices = new Set(notes.map(({ device }) => device)).size
  if (clients.length !== devices) problems.push(`${devices} devices became ${clients.length} clients`)
  return problems
}

function logProblems({ logged, notes, lists, totals }: History): string[] {
  const keys = new Set(logged)
  const rows = [
    ...notes.map(({ id }) => `notes ${id}`),
    ...lists.map(({ id }) => `lists ${id}`),
    ...totals.map(({ id }) => `listTotals ${id}`),
  ]
  const missing = rows.filter((key) => !keys.has(key)).length
  const problems = missing === 0 ? [] : [`${missing} rows are not in the change log`]
  if (logged.length > rows.length - missing)
    problems.push(`the change log has ${logged.length - rows.length + missing} rows that are not there`)
  return problems
}

function totalProblems({ totals, notes }: History): string[] {
  const lists = grouped(notes, ({ listId }) => listId)
  const wrong = totals.filter(({ id, notes: total }) => (lists.get(id)?.length ?? 0) !== total).length
  const missing = [...lists.keys()].filter((id) => !totals.some((total) => total.id === id)).length
  return wrong + missing === 0 ? [] : [`${wrong + missing} aggregates are not what their rows come to`]
}

function versionProblems({ scopes }: History): string[] {
  const broken = scopes.filter(({ version, commits }) => version !== commits)
  return broken.map(
    ({ scope, version, commits }) => `the scope ${scope} is at version ${version} after ${commits} commits`,
  )
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
