// What the rooms may know of time. The rim supplies it; nothing below the rim reads a clock or sets a timer by itself.

/** Cancels what it was returned for; harmless when called again or too late. */
export type Cancel = () => void

/** Time as an input: wall time, timers, and the end of the running turn. */
export interface Clock {
  /** Wall time in milliseconds since 1970. May jump in either direction; order never depends on it. */
  now(): number
  /** Milliseconds from an arbitrary start, with fractions; never goes back. */
  monotonic(): number
  /** Calls `run` once, not before `delayMs` milliseconds have passed. */
  after(delayMs: number, run: () => void): Cancel
  /** Calls `run` once, when the microtasks that are queued now, and those that they queue, are done. */
  turn(run: () => void): Cancel
}
