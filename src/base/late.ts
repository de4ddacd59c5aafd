// A promise that is made when somebody first asks for it. Of ten thousand calls of one burst hardly any is asked for all that it could
// tell, and a promise nobody asked for would stay with its call for days.

/** What may be asked for, and settled, in either order. */
export interface Late<Value> {
  /** There once somebody asked, or once it was settled. */
  promise: Promise<Value> | undefined
  /** There while somebody who asked waits. */
  resolve: ((value: Value | Promise<Value>) => void) | undefined
}

/** Makes one. */
export function createLate<Value>(): Late<Value> {
  return { promise: undefined, resolve: undefined }
}

/** The promise. */
export function promiseOf<Value>(late: Late<Value>): Promise<Value> {
  late.promise ??= new Promise((resolve) => {
    late.resolve = resolve
  })
  return late.promise
}

/** Settles it; only the first time counts. */
export function settle<Value>(late: Late<Value>, value: Value | Promise<Value>): void {
  late.resolve?.(value)
  late.resolve = undefined
  late.promise ??= Promise.resolve(value)
}
