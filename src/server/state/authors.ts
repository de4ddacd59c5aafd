// Authors: which client wrote a row last, and up to which version somebody else did, so that the intents of one device are no conflict
// with each other. Only in apps of which a mutator has a conflict policy. Who wrote is told by the marks of one transaction: those that
// came while a batch was decided are its client's, whatever made them, and those that were there before are a stranger's. Strangers
// leave nothing here: a version of the change log above an author's means that one has written since. Written by adoption only.
import type { Dialect, Sql } from '../db/db.ts'

/**
 * The table of authors: for an entry of the change log, whose version `version` is and who wrote it, as the number that the client had
 * decided by then; the last version by anybody else, and who that was as far as it is known.
 */
export const authorTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE holdfast_author (tbl ${dialect.text} NOT NULL, id ${dialect.text} NOT NULL, scope ${dialect.text} NOT NULL, version BIGINT NOT NULL, client ${dialect.text} NOT NULL, sequence BIGINT NOT NULL, actor ${dialect.text} NOT NULL, others BIGINT NOT NULL, others_client ${dialect.text}, others_actor ${dialect.text}, PRIMARY KEY (tbl, id, scope))${dialect.keyOrdered}`,
]

/** One client at one point of its numbers. */
export interface Author {
  readonly client: string
  readonly actor: string
  /** Its last number that was decided when it wrote. */
  readonly sequence: number
}

/** A client with the numbers that it had in earlier births of its device's store. */
export interface Line {
  readonly client: string
  readonly births: readonly (readonly [client: string, sequence: number])[]
}

/**
 * Whether an author is an earlier moment of the same device: the same client, or one of its earlier births. Another copy of that birth
 * went on with numbers that this device gave to something else.
 */
export function isSameLine({ client, births }: Line, author: Pick<Author, 'client' | 'sequence'>): boolean {
  return (
    author.client === client ||
    births.some(([birth, sequence]) => birth === author.client && author.sequence < sequence)
  )
}

/** An entry of the change log with what is known of who wrote it. */
export interface Authored {
  readonly scope: string
  readonly version: number
  readonly isGone: boolean
  /** Who wrote this version; undefined for a stranger. */
  readonly by: Author | undefined
  /** The last version by anybody but `by`; 0 for none. Without `by` it is this very version. */
  readonly others: number
  /** Who that was; undefined for a stranger. */
  readonly othersBy: Pick<Author, 'client' | 'actor'> | undefined
}

/** The key of a row among others. */
export const keyOf = (table: string, id: string): string => `${table}/${id}`

/** What the log knows of these rows: their entries in all scopes. */
export async function readAuthored(
  sql: Sql,
  table: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly Authored[]>> {
  const rows = await sql.allIn(
    'SELECT l.id, l.scope, l.version, l.gone, a.version AS written, a.client, a.sequence, a.actor, a.others, a.others_client, a.others_actor FROM holdfast_log AS l LEFT JOIN holdfast_author AS a ON a.tbl = l.tbl AND a.id = l.id AND a.scope = l.scope WHERE l.tbl = ? AND l.id IN (?*)',
    [table],
    ids,
  )
  const found = new Map<string, Authored[]>()
  for (const row of rows) {
    const version = Number(row['version'])
    const isKnown = row['written'] !== null && Number(row['written']) === version
    const other = row['others_client']
    const entry: Authored = {
      scope: String(row['scope']),
      version,
      isGone: Number(row['gone']) !== 0,
      by: isKnown
        ? { client: String(row['client']), actor: String(row['actor']), sequence: Number(row['sequence']) }
        : undefined,
      others: isKnown ? Number(row['others']) : version,
      othersBy:
        isKnown && typeof other === 'string' ? { client: other, actor: String(row['others_actor']) } : undefined,
    }
    const list = found.get(String(row['id']))
    if (list === undefined) found.set(String(row['id']), [entry])
    else list.push(entry)
  }
  return found
}

/** Who wrote in one transaction, told by the numbers of its marks. */
export interface Authors {
  /** What has been marked since the last call, or since the transaction began, is this one's. */
  wrote(author: Author, line: Line): Promise<void>
  /** Who wrote what is marked so far, by the key of the row, in order; undefined for a stranger. */
  written(): Promise<ReadonlyMap<string, readonly (Author | undefined)[]>>
  /** Notes the authors of what an adoption is about to enter into the log. `led` are rows that only followed another one. */
  enter(marks: readonly Marked[], led: ReadonlyMap<string, string>, entries: readonly ScopedEntry[]): Promise<void>
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
      const written = new Map<string, (Author | undefined)[]>()
      for (const row of rows) {
        for (const id of new Set([row['old_id'], row['new_id']])) {
          if (typeof id !== 'string') continue
          const key = keyOf(String(row['tbl']), id)
          const author = stretchOf(Number(row['n']))?.author
          const list = written.get(key)
          if (list === undefined) written.set(key, [author])
          else list.push(author)
        }
      }
      return written
    },
    async enter(marks, led, entries) {
      const writers = new Map<string, Set<Stretch | undefined>>()
      for (const { number, table, oldId, newId } of marks) {
        const stretch = stretchOf(number)
        for (const id of [oldId, newId]) {
          if (id === null) continue
          const key = keyOf(table, id)
          const set = writers.get(key) ?? new Set()
          // The last one counts as the writer.
          set.delete(stretch)
          writers.set(key, set.add(stretch))
        }
      }
      const byTable = new Map<
        string,
        { readonly entry: ScopedEntry; readonly by: readonly (Stretch | undefined)[] }[]
      >()
      for (const entry of entries) {
        const key = keyOf(entry.table, entry.id)
        const by = [...(writers.get(key) ?? writers.get(led.get(key) ?? '') ?? [])]
        if (by.at(-1) === undefined) continue
        const list = byTable.get(entry.table)
        if (list === undefined) byTable.set(entry.table, [{ entry, by }])
        else list.push({ entry, by })
      }
      for (const [table, list] of byTable) {
        const known = await readAuthored(sql, table, [...new Set(list.map(({ entry }) => entry.id))])
        await sql.insert(
          'INSERT INTO holdfast_author (tbl, id, scope, version, client, sequence, actor, others, others_client, others_actor)',
          list.map(({ entry, by }) => rowOf(entry, by, known.get(entry.id) ?? [])),
          ' ON CONFLICT (tbl, id, scope) DO UPDATE SET version = excluded.version, client = excluded.client, sequence = excluded.sequence, actor = excluded.actor, others = excluded.others, others_client = excluded.others_client, others_actor = excluded.others_actor',
        )
      }
    },
  }
}

/** The row of the table for an entry that the last of `by` wrote, after what the log said before. */
function rowOf(
  { table, id, scope, version, isGone }: ScopedEntry,
  by: readonly (Stretch | undefined)[],
  known: readonly Authored[],
): (string | number | null)[] {
  const { author, line } = by.at(-1) as Stretch
  const before = known.find((entry) => entry.scope === scope)
  const stranger = by.findLast((stretch) => stretch === undefined || !isSameLine(line, stretch.author))
  const hasStranger = by.some((stretch) => stretch === undefined || !isSameLine(line, stretch.author))
  let others = 0
  let othersBy: Pick<Author, 'client' | 'actor'> | undefined
  if (hasStranger) {
    others = version
    othersBy = stranger?.author
  } else if (before !== undefined && !(before.isGone && !isGone)) {
    // What comes into a scope begins there anew: what others did to it before is told by the entry of the scope that it left.
    const isOwn = before.by !== undefined && isSameLine(line, before.by)
    others = isOwn ? before.others : before.version
    othersBy = isOwn ? before.othersBy : before.by
  }
  return [
    table,
    id,
    scope,
    version,
    author.client,
    author.sequence,
    author.actor,
    others,
    othersBy?.client ?? null,
    othersBy?.actor ?? null,
  ]
}

/** Forgets who an actor was: what the actor's clients wrote counts as a stranger's from now on. */
export async function eraseAuthor(sql: Sql, actor: string): Promise<void> {
  await sql.run('DELETE FROM holdfast_author WHERE actor = ?', [actor])
  await sql.run('UPDATE holdfast_author SET others_client = NULL, others_actor = NULL WHERE others_actor = ?', [actor])
}

/** Forgets the authors of tombstones that the log is about to forget: those of a scope at the versions from `from` up to and without `end`. */
export async function pruneAuthors(sql: Sql, scope: string, from: number, end: number): Promise<void> {
  await sql.run(
    'DELETE FROM holdfast_author WHERE (tbl, id, scope) IN (SELECT tbl, id, scope FROM holdfast_log WHERE scope = ? AND version >= ? AND version < ? AND gone = 1)',
    [scope, from, end],
  )
}
