// The public entry «holdfast» in Node and under development, and for the types: `defineApp` looks for a developer's mistakes.

export { defineApp } from './checks.ts'
export * from './entry.ts'
