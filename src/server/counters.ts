// What an authority counts since it began, for operators: plain numbers, no names and no contents. Who counts is whoever sees it happen;
// what became of transactions is counted by the database (db/db.ts).

/** Counts since the authority of this process began. */
export interface Counters {
  /** Requests of plain callers that were answered with an outcome. */
  plain: number
  /** Of these, repeats under a key that was decided before. */
  repeated: number
  /** Of these, calls without a key that were the same as one shortly before. */
  deduplicated: number
  /** Requests refused because their actor sends too many. */
  rateLimited: number
  /** Requests refused because a page of another site sent them with cookies. */
  crossSite: number
}

/** Counters at zero. */
export function createCounters(): Counters {
  return { plain: 0, repeated: 0, deduplicated: 0, rateLimited: 0, crossSite: 0 }
}
