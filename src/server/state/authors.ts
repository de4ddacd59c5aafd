// Authors: which client wrote a row last, and when somebody else did, so that the intents of one device are no conflict with each
// other. Only in apps of which a mutator has a conflict policy. Who wrote is told by the marks of one transaction: those that came
// while a batch was decided are its client's, whatever made them, and those that were there before are a stranger's. Strangers leave
// nothing here: a version of the change log above an author's means that one has written since. Written by adoption only. What is
// read here is weighed by turns.ts.
import type { Dialect, Sql, SqlRow } from '../db/db.ts'
import {
  type Author,
  type Authored,
  bornAt,
  isSameLine,
  keyOf,
  type Line,
  lastByOthers,
  lastUnseen,
  nextTurn,
  type Touch,
  turnOf,
} from './turns.ts'

/**
 * The table of authors, a row for an entry of the change log: which version it tells of and who wrote that, as the number that the
 * client had decided by then; the row's turn at that time and the one at which the row began; up to which version of the scope a place
 * has not seen the last change by anybody else; and that change: its turn, who made it as far as it is known, and where.
 */
export const authorTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE holdfast_author (tbl ${dialect.text} NOT NULL, id ${dialect.text} NOT NULL, scope ${dialect.text} NOT NULL, version BIGINT NOT NULL, client ${dialect.text} NOT NULL, sequence BIGINT NOT NULL, actor ${dialect.text} NOT NULL, turn BIGINT NOT NULL, born BIGINT NOT NULL, unseen BIGINT NOT NULL, others_turn BIGINT, others_client ${dialect.text}, others_actor ${dialect.text}, others_scope ${dialect.text}, others_version BIGINT, PRIMARY KEY (tbl, id, scope))${dialect.keyOrdered}`,
]

/** Stands for a client where a client has noted what a stranger wrote before, and where an actor was erased. */
const STRANGER = ''

/** What the log knows of these rows: their entries in all scopes. */
export async function readAuthored(
  sql: Sql,
  table: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly Authored[]>> {
  const rows = await sql.allIn(
    'SELECT l.id, l.scope, l.version, l.gone, a.version AS written, a.client, a.sequence, a.actor, a.turn, a.born, a.unseen, a.others_turn, a.others_client, a.others_actor, a.others_scope, a.others_version FROM holdfast_log AS l LEFT JOIN holdfast_author AS a ON a.tbl = l.tbl AND a.id = l.id AND a.scope = l.scope WHERE l.tbl = ? AND l.id IN (?*)',
    [table],
    ids,
  )
  const found = new Map<string, Authored[]>()
  for (const row of rows) {
    const entry = authoredOf(row)
    const list = found.get(String(row['id']))
    if (list === undefined) found.set(String(row['id']), [entry])
    else list.push(entry)
  }
  return found
}

function authoredOf(row: SqlRow): Authored {
  const version = Number(row['version'])
  const isNoted = row['written'] !== null && Number(row['written']) === version
  const isKnown = isNoted && row['client'] !== STRANGER
  const other = row['others_client']
  return {
    scope: String(row['scope']),
    version,
    isGone: Number(row['gone']) !== 0,
    by: isKnown
      ? { client: String(row['client']), actor: String(row['actor']), sequence: Number(row['sequence']) }
      : undefined,
    turn: isNoted ? Number(row['turn']) : undefined,
    born: isNoted ? Number(row['born']) : undefined,
    past: Number(row['turn'] ?? 0),
    unseen: isKnown ? Number(row['unseen']) : version,
    others:
      isKnown && row['others_turn'] !== null
        ? {
            turn: Number(row['others_turn']),
            by: typeof other === 'string' ? { client: other, actor: String(row['others_actor']) } : undefined,
            place: { scope: String(row['others_scope']), version: Number(row['others_version']) },
          }
        : undefined,
  }
}

/** Who wrote in one transaction, told by the numbers of its marks. */
export interface Authors {
  /** What has been marked since the last call, or since the transaction began, is this one's. */
  wrote(author: Author, line: Line): Promise<void>
  /** Who wrote what is marked so far, by the key of the row. */
  written(): Promise<ReadonlyMap<string, Marks>>
  /** Notes the authors of what an adoption is about to enter into the log. `led` are rows that only followed another one. */
  enter(marks: readonly Marked[], led: ReadonlyMap<string, string>, entries: readonly ScopedEntry[]): Promise<void>
}

/** The marks of one row. */
export interface Marks {
  /** Who made them, in order; undefined for a stranger. */
  readonly by: readonly (Author | undefined)[]
  /** Which of them was the last that began the row; undefined when none did. */
  readonly born: number | undefined
}

/** What authors need of a mark. */
interface Marked {
  readonly number: number
  readonly table: string
  readonly oldId: string | null
  readonly newId: string | null
}

/** An entry that the log is about to get. */
interface ScopedEntry {
  readonly table: string
  readonly id: string
  readonly scope: string
  readonly version: number
  readonly isGone: boolean
}

interface Stretch {
  readonly through: number
  readonly author: Author
  readonly line: Line
}

/** Who wrote a row in one transaction, the last one last; and who did since it began, if it began there. */
interface Writers {
  readonly all: Set<Stretch | undefined>
  sinceBirth: Set<Stretch | undefined> | undefined
}

/** Begins with a transaction: whatever is marked now is a stranger's. */
export async function createAuthors(sql: Sql): Promise<Authors> {
  const stretches: Stretch[] = []
  const lastMark = async (): Promise<number> => {
    const [row] = await sql.all('SELECT max(n) AS n FROM holdfast_mark')
    return Number(row?.['n'] ?? 0)
  }
  const before = await lastMark()
  let last = before

  const stretchOf = (number: number): Stretch | undefined =>
    number <= before ? undefined : stretches.find(({ through }) => number <= through)

  return {
    async wrote(author, line) {
      const through = await lastMark()
      if (through > last) stretches.push({ through, author, line })
      last = through
    },
    async written() {
      if (last === 0) return new Map()
      const rows = await sql.all('SELECT n, tbl, old_id, new_id FROM holdfast_mark WHERE n <= ? ORDER BY n', [last])
      const written = new Map<string, { by: (Author | undefined)[]; born: number | undefined }>()
      for (const row of rows) {
        const [oldId, newId] = [row['old_id'], row['new_id']]
        for (const id of new Set([oldId, newId])) {
          if (typeof id !== 'string') continue
          const key = keyOf(String(row['tbl']), id)
          const list = written.get(key) ?? { by: [], born: undefined }
          written.set(key, list)
          if (id === newId && newId !== oldId) list.born = list.by.length
          list.by.push(stretchOf(Number(row['n']))?.author)
        }
      }
      return written
    },
    async enter(marks, led, entries) {
      const writers = new Map<string, Writers>()
      for (const { number, table, oldId, newId } of marks) {
        const stretch = stretchOf(number)
        for (const id of [oldId, newId]) {
          if (id === null) continue
          const key = keyOf(table, id)
          const known = writers.get(key) ?? { all: new Set(), sinceBirth: undefined }
          if (id === newId && newId !== oldId) known.sinceBirth = new Set()
          // The last one counts as the writer.
          known.all.delete(stretch)
          known.all.add(stretch)
          known.sinceBirth?.add(stretch)
          writers.set(key, known)
        }
      }
      const byTable = new Map<string, { readonly entry: ScopedEntry; readonly by: Writers }[]>()
      for (const entry of entries) {
        const key = keyOf(entry.table, entry.id)
        const by = writers.get(key) ?? writers.get(led.get(key) ?? '')
        if (by === undefined || [...by.all].at(-1) === undefined) continue
        const list = byTable.get(entry.table)
        if (list === undefined) byTable.set(entry.table, [{ entry, by }])
        else list.push({ entry, by })
      }
      for (const [table, list] of byTable) {
        const known = await readAuthored(sql, table, [...new Set(list.map(({ entry }) => entry.id))])
        await sql.insert(
          'INSERT INTO holdfast_author (tbl, id, scope, version, client, sequence, actor, turn, born, unseen, others_turn, others_client, others_actor, others_scope, others_version)',
          [
            ...list.map(({ entry, by }) => rowOf(entry, by, known.get(entry.id) ?? [])),
            ...[...known].flatMap(([id, before]) => strangersOf(table, id, before, list)),
          ],
          ' ON CONFLICT (tbl, id, scope) DO UPDATE SET version = excluded.version, client = excluded.client, sequence = excluded.sequence, actor = excluded.actor, turn = excluded.turn, born = excluded.born, unseen = excluded.unseen, others_turn = excluded.others_turn, others_client = excluded.others_client, others_actor = excluded.others_actor, others_scope = excluded.others_scope, others_version = excluded.others_version',
        )
      }
    },
  }
}

/** The rows of the table for what strangers have written of a row before a client does now, in scopes that it does not write in. */
function strangersOf(
  table: string,
  id: string,
  before: readonly Authored[],
  list: readonly { readonly entry: ScopedEntry }[],
): (string | number | null)[][] {
  return before.flatMap((entry) => {
    const { scope, version, turn } = entry
    if (turn !== undefined || list.some((now) => now.entry.id === id && now.entry.scope === scope)) return []
    const at = turnOf(entry, before)
    return [[table, id, scope, version, STRANGER, 0, STRANGER, at, at, version, null, null, null, null, null]]
  })
}

/** The row of the table for an entry that the last of `by` wrote, after what the log said before. */
function rowOf(
  { table, id, scope, version, isGone }: ScopedEntry,
  { all, sinceBirth }: Writers,
  known: readonly Authored[],
): (string | number | null)[] {
  const by = [...all]
  const { author, line } = by.at(-1) as Stretch
  const isOwn = (other: Author): boolean => isSameLine(line, other)
  const isOther = (stretch: Stretch | undefined): boolean => stretch === undefined || !isOwn(stretch.author)
  const turn = nextTurn(known)
  const live = known.find((entry) => !entry.isGone)
  const born = live === undefined || sinceBirth !== undefined ? turn : bornAt(live, known)
  const isMixed = by.some(isOther)
  const others: Touch | undefined = isMixed
    ? {
        // What others did in this commit before the row began in it was not done to this row.
        turn: [...(sinceBirth ?? all)].some(isOther) ? turn : turn - 1,
        by: by.findLast(isOther)?.author,
        place: { scope, version },
      }
    : lastByOthers(known, isOwn)
  const before = known.find((entry) => entry.scope === scope)
  const unseen = isMixed ? version : lastUnseen({ before, others, isBack: !isGone, version }, isOwn, known)
  return [
    table,
    id,
    scope,
    version,
    author.client,
    author.sequence,
    author.actor,
    turn,
    born,
    unseen,
    others?.turn ?? null,
    others?.by?.client ?? null,
    others?.by?.actor ?? null,
    others?.place.scope ?? null,
    others?.place.version ?? null,
  ]
}

/** Forgets who an actor was: what the actor's clients wrote counts as a stranger's from now on. When it was, the row still knows. */
export async function eraseAuthor(sql: Sql, actor: string): Promise<void> {
  await sql.run(`UPDATE holdfast_author SET client = '${STRANGER}', actor = '${STRANGER}' WHERE actor = ?`, [actor])
  await sql.run('UPDATE holdfast_author SET others_client = NULL, others_actor = NULL WHERE others_actor = ?', [actor])
}

/** Forgets the authors of tombstones that the log is about to forget: those of a scope at the versions from `from` up to and without `end`. */
export async function pruneAuthors(sql: Sql, scope: string, from: number, end: number): Promise<void> {
  await sql.run(
    'DELETE FROM holdfast_author WHERE (tbl, id, scope) IN (SELECT tbl, id, scope FROM holdfast_log WHERE scope = ? AND version >= ? AND version < ? AND gone = 1)',
    [scope, from, end],
  )
}
