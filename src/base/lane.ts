// One thing at a time, in the order asked. A job that throws does not stop those behind it.

/** Runs jobs one after the other. */
export interface Lane {
  /** Runs `job` when all earlier ones are done; settles as the job does. */
  run<Result>(job: () => Promise<Result>): Promise<Result>
}

/** Makes a lane. */
export function createLane(): Lane {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run(job) {
      const next = last.then(job, job)
      last = next.catch(() => undefined)
      return next
    },
  }
}
