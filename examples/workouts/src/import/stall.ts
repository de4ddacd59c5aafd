// Ends an import that makes no progress any more, so that nobody waits for ever. It does not know what the work is: whoever does
// it gives signs of life, and is told when they have been missing for too long.

/** An import that goes this long without any sign of life is given up. */
const STALL_MS = 120_000

/** What watches over an import. */
export interface StallGuard {
  /** Something happened. */
  sign(): void
  /** Something without which there is no progress: when it fails, the work is given up, unless it is no longer needed. */
  watch(need: Promise<unknown>): () => void
  /** The work's result, or an error once it is given up. */
  guard<Result>(work: Promise<Result>): Promise<Result>
  stop(): void
}

/** Starts watching. */
export function createStallGuard(): StallGuard {
  let last = performance.now()
  let fail: (error: Error) => void = () => undefined
  const stalled = new Promise<never>((_, reject) => {
    fail = reject
  })
  stalled.catch(() => undefined)
  const timer = setInterval(() => {
    if (performance.now() - last > STALL_MS)
      fail(
        new Error(
          `Nothing has happened for ${STALL_MS / 1000} seconds, so the import was given up. What was decided stays.`,
        ),
      )
  }, 1000)
  return {
    sign: () => {
      last = performance.now()
    },
    watch(need) {
      let isNeeded = true
      need.catch((error) => {
        if (isNeeded) fail(error)
      })
      return () => {
        isNeeded = false
      }
    },
    guard: <Result>(work: Promise<Result>): Promise<Result> => Promise.race([work, stalled]),
    stop: () => clearInterval(timer),
  }
}
