// The simulator's own copy of the authority's ledger, taken by SQL after each commit: what became of each intent, in the order in
// which it was decided. Holds; what must not happen is told to `check` by those who add to it.
import type { Json } from '../base/json.ts'

/** One row of the ledger. */
export interface BookEntry {
  readonly client: string
  readonly sequence: number
  readonly actor: string
  readonly id: string
  readonly isAlias: boolean
  readonly status: string
  /** Empty when applied. */
  readonly code: string
  readonly details: string
}

/** What one commit did for one client: up to `sequence` everything is decided, and these scopes stood at these versions then. */
export interface Effect {
  readonly sequence: number
  readonly versions: ReadonlyMap<string, number>
}

/** A ledger. */
export interface Book {
  /** Up to where each client is decided. */
  readonly decided: Map<string, number>
  readonly places: Map<string, Map<number, BookEntry>>
  readonly intents: Map<string, BookEntry>
  readonly effects: Map<string, Effect[]>
}

/** A book without entries. */
export function emptyBook(): Book {
  return { decided: new Map(), places: new Map(), intents: new Map(), effects: new Map() }
}

/** The same book, on which one may go on writing. */
export function copyBook({ decided, places, intents, effects }: Book): Book {
  return {
    decided: new Map(decided),
    places: new Map([...places].map(([client, rows]) => [client, new Map(rows)])),
    intents: new Map(intents),
    effects: new Map([...effects].map(([client, list]) => [client, [...list]])),
  }
}

/** Writes one row down. */
export function enter(book: Book, entry: BookEntry): void {
  let rows = book.places.get(entry.client)
  if (rows === undefined) {
    rows = new Map()
    book.places.set(entry.client, rows)
  }
  rows.set(entry.sequence, entry)
  if (!entry.isAlias) book.intents.set(`${entry.actor}/${entry.id}`, entry)
}

/** A row of the table as an entry. */
export function readEntry(row: { readonly [column: string]: Json }): BookEntry {
  return {
    client: String(row['client']),
    sequence: Number(row['sequence']),
    actor: String(row['actor']),
    id: String(row['intent_id']),
    isAlias: Number(row['alias']) !== 0,
    status: String(row['status']),
    code: row['code'] === null ? '' : String(row['code']),
    details: row['details'] === null ? '{}' : String(row['details']),
  }
}
