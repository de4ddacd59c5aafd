// The oracle's picture of the authority: after each commit it reads by SQL what was decided and written, runs the same intents one by
// one on the model, and holds the two against each other. Keeps the ledger's copy, every scope's past (archive), and how grants stood
// when. When the authority is restored from a backup, this picture goes back with it; what devices were told before stays theirs.
import type { DatabaseSync } from 'node:sqlite'
import type { Place } from '../protocol/frame.ts'
import { type Archive, createArchive } from './archive.ts'
import type { Checks } from './checks.ts'
import type { Book } from './ledger-book.ts'
import type { Model, PlainIntent, PlainRow } from './model.ts'
import { copyPicture, emptyPicture, type Picture } from './picture.ts'
import { readerOf } from './rows.ts'
import { checkAdopted } from './truth-adopted.ts'
import { createDecisions } from './truth-decisions.ts'
import { archiveScopes, compareRows, takeVersions } from './truth-rows.ts'

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
  /** A device put this on the wire. */
  learn(intent: PlainIntent): void
  learnWithdrawal(id: string): void
  /** A client names others as its earlier births. */
  learnBirths(client: string, births: readonly (readonly [client: string, sequence: number])[]): void
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

/** Whether nothing that was written waits to be adopted. */
export function isAdopted(db: DatabaseSync): boolean {
  return readerOf(db).all('SELECT 1 FROM holdfast_mark LIMIT 1').length === 0
}

/** How grants stood from a moment on. */
interface GrantsState {
  readonly from: number
  readonly readable: ReadonlyMap<string, string>
}

/** Begins with an empty database. `onDecided` hears of each intent when it is decided. */
export function createTruth(actors: readonly string[], checks: Checks, onDecided: (id: string) => void): Truth {
  const archive = createArchive()
  const decisions = createDecisions(checks, onDecided)
  const grants: GrantsState[] = []
  let picture = emptyPicture()
  let kept: Picture | undefined
  let moment = 0
  /** Somebody else has written since the authority's last commit. */
  let isForeign = false

  /** Something was committed: grants may stand otherwise now. */
  const move = (): void => {
    moment++
    const readable = new Map(actors.map((actor) => [actor, [...picture.model.grants(actor).read].sort().join(' ')]))
    const last = grants.at(-1)
    if (last === undefined || actors.some((actor) => last.readable.get(actor) !== readable.get(actor)))
      grants.push({ from: moment, readable })
  }
  move()

  const look = (db: DatabaseSync, order: readonly string[], isThorough: boolean): void => {
    const { all, rows: readRows } = readerOf(db)
    const moved = decisions.take(picture, all, order)
    const risen = takeVersions(checks, picture, archive, all)
    for (const { scope, version, mark } of risen)
      picture.orders.set(`${scope} ${version} ${mark}`, picture.model.writes())
    // Most commits of a quiet authority are looks for marks that found none.
    if (moved.size === 0 && risen.length === 0 && !isForeign && !isThorough) return
    isForeign = false
    const rows = readRows()
    compareRows(checks, picture, rows)
    if (isAdopted(db)) {
      checkAdopted(checks, picture.model, rows, all)
      picture.model.adopted()
    }
    archiveScopes(archive, picture, rows, risen)
    const versions = new Map(risen.map(({ scope, version }) => [scope, version]))
    const { decided, effects } = picture.book
    for (const client of moved)
      effects.set(client, [...(effects.get(client) ?? []), { sequence: decided.get(client) ?? 0, versions }])
  }

  return {
    archive,
    get book() {
      return picture.book
    },
    get model() {
      return picture.model
    },
    learn: decisions.learn,
    learnWithdrawal: decisions.learnWithdrawal,
    learnBirths: decisions.learnBirths,
    outcomesOf: decisions.outcomesOf,
    committed(db, order) {
      look(db, order, false)
      move()
    },
    wroteForeign(changes) {
      for (const { table, id, row } of changes) picture.model.put(table, id, row)
      isForeign = true
      move()
    },
    backUp() {
      kept = copyPicture(picture)
    },
    wentBack() {
      if (kept === undefined) return
      picture = copyPicture(kept)
      isForeign = true
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
    isCurrent: (scope, { version, mark }) => version === 0 || picture.marks.get(`${scope} ${version}`) === mark,
    examine: (db) => look(db, [], true),
  }
}
