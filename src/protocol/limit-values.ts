// The numbers of limits.ts, each by its name: a bundler then puts into a page those that the page uses, as numbers.
// Sizes are in UTF-8 bytes of JSON unless the name says otherwise.

/** One intent's arguments. */
export const argsBytes = 256 * 1024
/** Intents in one push. */
export const batchIntents = 1_000
/** The device ends a batch before its JSON is larger; one intent alone always fits. */
export const batchBytes = 2 * 1024 * 1024
/** The largest body that the authority reads: a batch, its envelope, and escapes. */
export const bodyBytes = 4 * 1024 * 1024
/** Rows and tombstones in one page of a pull. */
export const pageEntries = 5_000
/** A page ends with the row that makes it larger. */
export const pageBytes = 2 * 1024 * 1024
/** One row at rest; a larger one is refused with `row_invalid`. */
export const rowBytes = 1024 * 1024
/** Tables that one patch may speak of. */
export const patchTables = 1_000
/** Ranges of outcomes in one seal: all that a client which was away for long has not stored yet. */
export const sealOutcomes = 1_000_000
/** Scopes that one actor may read. */
export const scopes = 1_000
/** Intents that one intent may name as those it builds on. */
export const needs = 64
/** Earlier numbers that one intent may carry through rebirths of its device’s store. */
export const births = 16
/** Entries of a live patch; what is larger comes by pull. */
export const liveEntries = 2_000
/** Bytes that may wait for one slow stream before it is closed. */
export const streamBufferBytes = 1024 * 1024
/** Rows that one run of a mutator may write. */
export const runWrites = 10_000
/** Characters of an intent’s mutator name. */
export const nameLength = 63
/** Characters of an actor’s name. */
export const actorLength = 128
/** Characters of a plain caller’s idempotency key. */
export const keyLength = 255
/** Rows of which the base of one intent may speak. */
export const baseRows = 1_000
/** Columns of one row in a base. */
export const baseColumns = 1_000
/** Characters of the base of one intent as JSON; a device leaves out old values beyond it. */
export const baseLength = 128 * 1024
