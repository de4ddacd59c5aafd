// Every limit of the wire, in one place, because they must fit each other (I13): one intent fits a batch, one batch fits a body,
// one row fits a page, one page fits a frame. A test holds them against each other; PROTOCOL.md prints them.

/** The limits. Sizes are in UTF-8 bytes of JSON unless the name says otherwise. */
export const LIMITS = Object.freeze({
  /** One intent's arguments. */
  argsBytes: 256 * 1024,
  /** Intents in one push. */
  batchIntents: 1_000,
  /** The device ends a batch before its JSON is larger; one intent alone always fits. */
  batchBytes: 2 * 1024 * 1024,
  /** The largest body that the authority reads: a batch, its envelope, and escapes. */
  bodyBytes: 4 * 1024 * 1024,
  /** Rows and tombstones in one page of a pull. */
  pageEntries: 5_000,
  /** A page ends with the row that makes it larger. */
  pageBytes: 2 * 1024 * 1024,
  /** One row at rest; a larger one is refused with `row_invalid`. */
  rowBytes: 1024 * 1024,
  /** Tables that one patch may speak of. */
  patchTables: 1_000,
  /** Ranges of outcomes in one seal: all that a client which was away for long has not stored yet. */
  sealOutcomes: 1_000_000,
  /** Scopes that one actor may read. */
  scopes: 1_000,
  /** Intents that one intent may name as those it builds on. */
  needs: 64,
  /** Earlier numbers that one intent may carry through rebirths of its device’s store. */
  births: 16,
  /** Entries of a live patch; what is larger comes by pull. */
  liveEntries: 2_000,
  /** Bytes that may wait for one slow stream before it is closed. */
  streamBufferBytes: 1024 * 1024,
  /** Rows that one run of a mutator may write. */
  runWrites: 10_000,
  /** Characters of an intent’s mutator name. */
  nameLength: 63,
  /** Characters of an actor’s name. */
  actorLength: 128,
})
