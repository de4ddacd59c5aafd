// One thing at a time, in the order asked. A job that throws does not stop those behind it.
// Jobs stand in a plain list. A chain of promises would say the same, but ten thousand jobs that wait would be fifty thousand objects,
// each of which keeps the next alive while the collector of young objects looks.

/** Runs jobs one after the other. */
export interface Lane {
  /** Runs `job` when all earlier ones are done, at the earliest in a microtask; settles as the job does. */
  run<Result>(job: () => Promise<Result>): Promise<Result>
  /** How many jobs are under way or wait. */
  size(): number
}

/** So many places of jobs that are over are given back at once: one by one, all that wait behind would move each time. */
const SPENT = 1_024

interface Waiting {
  readonly job: () => Promise<unknown>
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** Makes a lane. */
export function createLane(): Lane {
  let waiting: (Waiting | undefined)[] = []
  /** Where the job stands that is under way or comes next; those before it are over. */
  let current = 0
  let isWorking = false

  const work = async (): Promise<void> => {
    for (let next = waiting[current]; next !== undefined; next = waiting[current]) {
      try {
        const result = await next.job()
        leave()
        next.resolve(result)
      } catch (error) {
        leave()
        next.reject(error)
      }
      // Whoever asked for it hears of it before the next one begins.
      await undefined
    }
    isWorking = false
  }

  const leave = (): void => {
    waiting[current++] = undefined
    if (current < waiting.length && current < SPENT) return
    waiting = waiting.slice(current)
    current = 0
  }

  return {
    run: <Result>(job: () => Promise<Result>) =>
      new Promise<Result>((resolve, reject) => {
        waiting.push({ job, resolve: resolve as (result: unknown) => void, reject })
        if (isWorking) return
        isWorking = true
        queueMicrotask(work)
      }),
    size: () => waiting.length - current,
  }
}
