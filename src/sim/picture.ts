// What the oracle holds of the authority at one moment: the model's rows, the ledger's copy, and the versions and marks of scopes. A
// backup of the authority takes a copy of it, and it goes back with the authority.
import { type Book, copyBook, emptyBook } from './ledger-book.ts'
import { createModel, type Model } from './model.ts'

/** The authority at one moment. */
export interface Picture {
  readonly model: Model
  readonly book: Book
  readonly versions: Map<string, number>
  /** The mark of each version, by scope and version. */
  readonly marks: Map<string, string>
  /** For each version of a scope, by scope, version and mark: the number of the last write that it holds. */
  readonly orders: Map<string, number>
}

/** Before anything was written. */
export function emptyPicture(): Picture {
  return { model: createModel(), book: emptyBook(), versions: new Map(), marks: new Map(), orders: new Map() }
}

/** The same picture, on which one may go on painting. */
export function copyPicture({ model, book, versions, marks, orders }: Picture): Picture {
  return {
    model: model.copy(),
    book: copyBook(book),
    versions: new Map(versions),
    marks: new Map(marks),
    orders: new Map(orders),
  }
}
