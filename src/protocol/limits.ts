// Every limit of the wire, in one place, because they must fit each other (I13): one intent fits a batch, one batch fits a body,
// one row fits a page, one page fits a frame. A test holds them against each other; PROTOCOL.md prints them.
export * as LIMITS from './limit-values.ts'
