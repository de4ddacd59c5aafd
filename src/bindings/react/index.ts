// The public entry «holdfast/react»: the hooks of a client, plain and made for one app. What an app does beside them (making a
// client, declaring tables) it does with `holdfast` and `holdfast/client`.
'use client'

export type { Hooks } from './create-hooks.ts'
export { createHooks } from './create-hooks.ts'
export type { Absent, Select } from './hooks.ts'
export { useLiveQuery, useMutators, useOutbox, usePointer, useQueryInfo, useRowSync, useSyncStatus } from './hooks.ts'
export type { HoldfastProviderProps } from './provider.ts'
export { HoldfastProvider, useClient } from './provider.ts'
export type { LiveAnswer, LiveValue } from './queries.ts'
