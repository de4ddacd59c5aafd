// The oracle's picture of the authority: after each commit it reads by SQL what was decided and written, runs the same intents one by
// one on the model, and holds the two against each other. Keeps the ledger's copy, every scope's past (archive), and how grants stood
// when. When the authority is restored from a backup, this picture goes back with it; what devices were told before stays theirs.
import type { DatabaseSync } from 'node:sqlite'
import type { Place } from '../protocol/frame.ts'
import { type Archive, createArchive } from './archive.ts'
import type { Checks } from './checks.ts'
import { type Book, type BookEntry, copyBook, emptyBook, enter, readEntry } from './ledger-book.ts'
import { createModel, type Model, type PlainIntent, type PlainRow, TABLES } from './model.ts'
import { createReader, plainTextOf, scopeOfAny, textOf } from './rows.ts'
import { checkAdopted } from './truth-adopted.ts'

/** Somebody else's write, as it stands after it. */
export interface ForeignChange {
  readonly table: string
  readonly id: string
  readonly row: PlainRow | undefined
}

/** The oracle's picture of the authority. */
export interface Truth {
  readonly archive: Archive
  readonly book: Book
  readonly model: Model
  /** How often the authority went back to a backup. */
  readonly historyNumber: number
  /** A device put this on the wire. */
  learn(intent: PlainIntent): void
  learnWithdrawal(id: string): void
  /** The authority committed; `order` are the places in the order in which they were recorded. */
  committed(db: DatabaseSync, order: readonly string[]): void
  wroteForeign(changes: readonly ForeignChange[]): void
  backUp(): void
  wentBack(): void
  /** A number that rises with every commit, whoever's. */
  moment(): number
  /** The scopes that an actor could read, in each of the states from a moment until now: sorted and joined by spaces. */
  readableSince(moment: number, actor: string): ReadonlySet<string>
  versionOf(scope: string): number
  /** Every outcome that was ever recorded for an intent, in this history or a lost one, as «status code». */
  outcomesOf(actor: string, id: string): ReadonlySet<string>
  /** Whether a place is of the present history. */
  isCurrent(scope: string, place: Place): boolean
  /** Everything at once: for the end. */
  examine(db: DatabaseSync): void
}

interface Picture {
  readonly model: Model
  readonly book: Book
  readonly versions: Map<string, number>
  /** The mark of each version, by scope and version. */
  readonly marks: Map<string, string>
}

interface GrantsState {
  readonly from: number
  readonly readable: ReadonlyMap<string, string>
}

/** Begins with an empty database. */
export function createTruth(actors: readonly string[], checks: Checks): Truth {
  const { check } = checks
  const archive = createArchive()
  const contents = new Map<string, PlainIntent>()
  const withdrawn = new Set<string>()
  const outcomes = new Map<string, Set<string>>()
  let picture: Picture = { model: createModel(), book: emptyBook(), versions: new Map(), marks: new Map() }
  let kept: Picture | undefined
  let moment = 0
  let historyNumber = 0
  const grants: GrantsState[] = []

  const readableNow = (): ReadonlyMap<string, string> =>
    new Map(actors.map((actor) => [actor, [...picture.model.grants(actor).read].sort().join(' ')]))

  /** Something was committed: grants may stand otherwise now. */
  const move = (): void => {
    moment++
    const readable = readableNow()
    const last = grants.at(-1)
    if (last === undefined || actors.some((actor) => last.readable.get(actor) !== readable.get(actor)))
      grants.push({ from: moment, readable })
  }
  move()

  const decide = (entry: BookEntry): void => {
    const { actor, id, client, sequence, status, code } = entry
    const at = `intent ${id} of ${actor} at ${client} ${sequence}`
    const earlier = picture.book.intents.get(`${actor}/${id}`)
    enter(picture.book, entry)
    outcomes.set(`${actor}/${id}`, (outcomes.get(`${actor}/${id}`) ?? new Set()).add(`${status} ${code}`))
    if (entry.isAlias) {
      check('I3', earlier !== undefined, () => `${at} is an alias of nothing`)
      check(
        'I3',
        code === 'id_reused' || (earlier?.status === status && earlier.code === code),
        () => `${at} became ${status} ${code}, and was ${earlier?.status} ${earlier?.code}`,
      )
      return
    }
    check(
      'I3',
      earlier === undefined,
      () => `${at} was decided twice: ${earlier?.status} at ${earlier?.sequence}, now ${status}`,
    )
    if (status === 'withdrawn' && code === 'discarded') {
      check('I3', withdrawn.has(id), () => `${at} was withdrawn, but no device ever gave it up`)
      return picture.model.record(actor, id, { status, code })
    }
    const content = contents.get(id)
    if (content === undefined) return check('I3', false, () => `${at} was decided and never sent`)
    const verdict = picture.model.decide(content)
    const expected = `${verdict.status} ${verdict.status === 'applied' ? '' : verdict.code}`
    check(
      'I3',
      expected === `${status} ${code}`,
      () =>
        `${at}, ${content.name} ${JSON.stringify(content.args)}, became ${status} ${code} and should be ${expected}`,
    )
  }

  const takeDecisions = (all: ReturnType<typeof createReader>['all'], order: readonly string[]): Set<string> => {
    const fresh: BookEntry[] = []
    const moved = new Set<string>()
    for (const { client, decided } of all('SELECT client, decided FROM holdfast_client') as {
      readonly client: string
      readonly decided: number
    }[]) {
      const known = picture.book.decided.get(client) ?? 0
      if (decided === known) continue
      moved.add(client)
      const rows = all(
        'SELECT * FROM holdfast_ledger WHERE client = ? AND sequence > ? ORDER BY sequence',
        client,
        known,
      ).map(readEntry)
      check(
        'I2',
        decided > known &&
          rows.every(({ sequence }, index) => sequence === known + 1 + index) &&
          rows.length === decided - known,
        () =>
          `${client} went from ${known} to ${decided} with the numbers ${rows.map(({ sequence }) => sequence).join(', ')}`,
      )
      fresh.push(...rows)
      picture.book.decided.set(client, decided)
    }
    const place = new Map(order.map((key, index) => [key, index]))
    fresh.sort((a, b) => (place.get(`${a.client} ${a.sequence}`) ?? 0) - (place.get(`${b.client} ${b.sequence}`) ?? 0))
    for (const entry of fresh) decide(entry)
    return moved
  }

  /** The versions that rose, with their marks. */
  const takeVersions = (
    all: ReturnType<typeof createReader>['all'],
  ): { readonly scope: string; readonly version: number; readonly mark: string }[] => {
    const risen = (
      all('SELECT scope, version, mark FROM holdfast_scope ORDER BY scope') as unknown as {
        readonly scope: string
        readonly version: number
        readonly mark: string
      }[]
    ).filter(({ scope, version }) => picture.versions.get(scope) !== version)
    for (const { scope, version, mark } of risen) {
      const before = picture.versions.get(scope) ?? 0
      check('I7', version === before + 1, () => `${scope} went from version ${before} to ${version} in one commit`)
      const commits = all('SELECT mark FROM holdfast_commit WHERE scope = ? AND version = ?', scope, version)
      check(
        'I7',
        commits.length === 1 && commits[0]?.['mark'] === mark,
        () => `${scope} ${version} has ${commits.length} commits and the mark ${mark}`,
      )
      check(
        'I18',
        archive.at(scope, { version, mark }) === undefined,
        () => `${scope} ${version} has the mark ${mark} a second time`,
      )
      picture.versions.set(scope, version)
      picture.marks.set(`${scope} ${version}`, mark)
    }
    return risen
  }

  const look = (db: DatabaseSync, order: readonly string[]): void => {
    const { all, rows: readRows } = createReader(db)
    const moved = takeDecisions(all, order)
    const rows = readRows()
    for (const table of TABLES) {
      const actual = rows.get(table) ?? new Map()
      const expected = picture.model.rows(table)
      for (const [id, row] of expected) {
        const found = actual.get(id)
        check(
          'I10',
          found !== undefined && plainTextOf(table, found) === plainTextOf(table, row),
          () => `${table} ${id} is ${JSON.stringify(found)} and should be ${JSON.stringify(row)}`,
        )
      }
      check(
        'I10',
        actual.size === expected.size,
        () =>
          `${table} has ${actual.size} rows and should have ${expected.size}: ${[...actual.keys()].filter((id) => !expected.has(id)).join(', ')}`,
      )
    }
    const risen = takeVersions(all)
    const isAdopted = all('SELECT 1 FROM holdfast_mark LIMIT 1').length === 0
    if (isAdopted) checkAdopted(checks, picture.model, rows, all)
    for (const { scope, version, mark } of risen) {
      const held = new Map<string, string>()
      for (const [table, found] of rows) {
        for (const row of found.values())
          if (scopeOfAny(picture.model, table, row.id) === scope) held.set(`${table}/${row.id}`, textOf(table, row))
      }
      archive.add(scope, { version, mark }, held)
    }
    const versions = new Map(risen.map(({ scope, version }) => [scope, version]))
    for (const client of moved) {
      const effects = picture.book.effects.get(client) ?? []
      effects.push({ sequence: picture.book.decided.get(client) ?? 0, versions })
      picture.book.effects.set(client, effects)
    }
  }

  const copy = ({ model, book, versions, marks }: Picture): Picture => ({
    model: model.copy(),
    book: copyBook(book),
    versions: new Map(versions),
    marks: new Map(marks),
  })

  return {
    archive,
    get book() {
      return picture.book
    },
    get model() {
      return picture.model
    },
    get historyNumber() {
      return historyNumber
    },
    learn(intent) {
      const known = contents.get(intent.id)
      check(
        'I3',
        known === undefined || JSON.stringify(known) === JSON.stringify(intent),
        () => `intent ${intent.id} was sent as ${JSON.stringify(known)} and as ${JSON.stringify(intent)}`,
      )
      contents.set(intent.id, intent)
    },
    learnWithdrawal: (id) => void withdrawn.add(id),
    committed(db, order) {
      look(db, order)
      move()
    },
    wroteForeign(changes) {
      for (const { table, id, row } of changes) picture.model.put(table, id, row)
      move()
    },
    backUp() {
      kept = copy(picture)
    },
    wentBack() {
      if (kept === undefined) return
      historyNumber++
      picture = copy(kept)
      move()
    },
    moment: () => moment,
    readableSince(since, actor) {
      const states = grants.filter(
        ({ from }, index) => from > since || (grants[index + 1]?.from ?? Number.POSITIVE_INFINITY) > since,
      )
      return new Set(states.map(({ readable }) => readable.get(actor) ?? ''))
    },
    versionOf: (scope) => picture.versions.get(scope) ?? 0,
    outcomesOf: (actor, id) => outcomes.get(`${actor}/${id}`) ?? new Set(),
    isCurrent: (scope, { version, mark }) => version === 0 || picture.marks.get(`${scope} ${version}`) === mark,
    examine: (db) => look(db, []),
  }
}
