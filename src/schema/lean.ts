// The public entry «holdfast» in a page in production: the same, but `defineApp` takes what it is given. The authority has looked at
// the same declaration, and so have Node's tests and the development server; a page need not load the sentences for it once more.
import { type DefineApp, makeApp } from './app.ts'

export * from './entry.ts'

/** Declares an app. */
export const defineApp: DefineApp = (definition) => makeApp(definition)
