// What a contract suite is made of: cases with titles that run on any implementation and fail by throwing. No test framework is
// imported, so that browsers, other runtimes and adopters' adapters can run the same cases.

import { canonicalJson } from '../../base/canonical.ts'
import { type Code, SyncError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'

/** One case of a contract. */
export interface ContractCase<Harness> {
  /** A sentence; begins with an invariant's id where the case proves one. */
  readonly title: string
  /** Runs on a fresh harness each time; rejects when the contract is broken. */
  run(makeHarness: (name: string) => Promise<Harness>): Promise<void>
}

/** Throws unless both say the same as JSON. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const is = asText(actual)
  const should = asText(expected)
  if (is !== should) throw new Error(`${what} should be ${shortened(should)} and is ${shortened(is)}`)
}

/** Throws unless it is true. */
export function expectThat(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`Expected that ${what}`)
}

/** Throws unless the promise rejects with a SyncError of this code; gives the error. */
export async function expectRefusal(promise: Promise<unknown>, code: Code, what: string): Promise<SyncError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof SyncError && error.code === code) return error
  throw new Error(`${what} should be refused with ${code}${error === undefined ? ' and was not refused' : ''}`, {
    cause: error,
  })
}

/** The same text for the same JSON, whatever the order of keys; members that are undefined are left out. */
export function asText(value: unknown): string {
  const text = JSON.stringify(value)
  return text === undefined ? 'undefined' : canonicalJson(JSON.parse(text) as Json)
}

function shortened(text: string): string {
  return text.length > 600 ? `${text.slice(0, 400)} … ${text.slice(-200)}` : text
}
