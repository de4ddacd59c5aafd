// The public entry «holdfast» of a page in production: what index.ts has, but `defineApp` takes what it is given. The authority has
// looked at the same declaration, and so have tests in Node and the development server; a page need not load the sentences once more.
import { type DefineApp, makeApp } from './app.ts'

export { InvariantError } from '../base/assert.ts'
export { CODES } from '../base/codes.ts'
export { SyncError } from '../base/errors.ts'
export { compute, count, max, min, sum } from './measure.ts'
export * as t from './t.ts'
export { table } from './table.ts'

/** Declares an app. Whether it fits together is looked at elsewhere. */
export const defineApp: DefineApp = (definition) => makeApp(definition)
