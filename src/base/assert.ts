// Broken invariants: assertions that stay on in production.
// Holds nothing and repairs nothing: whoever catches an InvariantError stops as broken and leaves what is stored untouched.

/** The invariants of ARCHITECTURE.md by number. */
export type InvariantId =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'I14'
  | 'I15'
  | 'I16'
  | 'I17'
  | 'I18'

/** An invariant of the engine did not hold: an error of ours, never of the app or of a person. */
export class InvariantError extends Error {
  readonly invariant: InvariantId
  constructor(invariant: InvariantId, message: string) {
    super(`${invariant} does not hold: ${message}. What is stored was left untouched; please report this.`)
    this.name = 'InvariantError'
    this.invariant = invariant
  }
}

/** Throws an InvariantError unless `condition` is true. `message` says what was seen. */
export function check(condition: boolean, invariant: InvariantId, message: string): asserts condition {
  if (!condition) throw new InvariantError(invariant, message)
}

/** For the default branch of an exhaustive switch: compiles only while no case is missing. */
export function unreachable(value: never): never {
  throw new TypeError(
    `Unexpected value ${JSON.stringify(value)}: a case is missing in a switch that must be exhaustive`,
  )
}
