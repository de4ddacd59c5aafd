// The kinds of faults, and how often each happened in a run. When and where they happen is trouble.ts and the parts that they happen
// to. A kind that a long run never counts is a fault that the simulator only believes it makes, so the run fails.

/** Every kind of fault, with what it means. */
export const FAULTS = Object.freeze({
  // On the way.
  delay: 'a request or an answer took seconds',
  requestLost: 'a request never arrived',
  answerLost: 'an answer never came back',
  repeat: 'a request arrived a second time',
  concurrentRepeat: 'a request arrived twice at once',
  lateRepeat: 'a request arrived again long after its answer',
  reorder: 'a request arrived after one that was sent later',
  overtaken: 'a push arrived after its device had given up one of its intents',
  cut: 'a device had no network',
  cutOneWay: 'only one direction of a device’s network worked',
  streamCut: 'a stream broke in the middle of a frame',
  streamStalled: 'a stream fell silent without an end',
  streamSlow: 'more waited for a stream than the authority keeps',
  garbledRequest: 'bytes that are no request arrived',
  garbledAnswer: 'bytes that are no answer came back',
  strangeAnswer: 'something else than the authority answered',
  // On the device.
  crash: 'a device’s process died',
  powerCut: 'a device lost its power and what was not synced',
  diskSetBack: 'a device’s disk was what it had been before',
  cloned: 'two devices lived on from one disk',
  diskFull: 'a device’s disk refused a write',
  clockJump: 'a device’s clock was set',
  restart: 'a device closed and opened its client in order',
  frozen: 'a device’s process stood still for a while',
  paused: 'an app kept its client from talking to the authority',
  noToken: 'a device’s session gave no token',
  appUpdate: 'a device was given a newer app',
  // At the authority.
  authorityCrash: 'the authority’s process died',
  authorityFrozen: 'the authority’s process stood still for a while',
  authorityClockJump: 'the authority’s clock was set',
  authoritySetBack: 'the authority’s database was restored from a backup',
  databaseFailure: 'a statement of the authority failed',
  badDeploy: 'a mutator threw at the authority',
  foreignWrite: 'somebody else wrote into the database',
  foreignInSnapshot: 'somebody else wrote while the authority read a snapshot',
  grantChange: 'somebody’s grants changed',
  grantInSnapshot: 'somebody’s grants changed while the authority read a snapshot',
  signedOut: 'the authority did not know a device’s actor',
  serverRun: 'the authority’s own code ran a mutator for somebody',
  forged: 'somebody sent requests that no app would send',
  // By people.
  discard: 'a person discarded an intent',
  left: 'a person signed out of a device, left what was not sent behind, and came back',
} satisfies Readonly<Record<string, string>>)

/** One kind of fault. */
export type Fault = keyof typeof FAULTS

/** Counts of one run. */
export type FaultCounts = { [Kind in Fault]: number }

/** A fresh set of counts. */
export function noFaults(): FaultCounts {
  return Object.fromEntries(Object.keys(FAULTS).map((kind) => [kind, 0])) as FaultCounts
}
