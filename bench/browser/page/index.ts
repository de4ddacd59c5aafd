// The page of the browser bench: what the bench in Node may have done in it, one side of one figure at a time. Does nothing by itself.
import { busyPage } from './busy.ts'
import { callPage } from './calls.ts'
import { rowPage } from './rows.ts'

const page = { ...busyPage, ...callPage, ...rowPage }

/** What the bench may call. */
export type BenchPage = typeof page

Object.assign(globalThis, { page })
