// The one thing that a device says of itself: of all that is true now, what matters most. And when it says it: what is over within
// a moment is not shown, and what is shown stays long enough to be read. Pure: the time comes in, and what comes out says when
// to look again. How it is drawn is parts/pill.tsx.
import type { Status } from 'holdfast/client'
import { timeOrDate } from './format.ts'
import type { Shape, Tone } from './words.ts'

/** What the pill shows. */
export interface Pill {
  readonly key: PillKey
  readonly text: string
  readonly tone: Tone
  readonly shape: Shape
}

/** The conditions, the most important first. */
export type PillKey =
  | 'unsaved'
  | 'broken'
  | 'update'
  | 'sign-in'
  | 'failed'
  | 'conflict'
  | 'held'
  | 'offline'
  | 'syncing'
  | 'connecting'
  | 'opening'
  | 'synced'

const DAY = 24 * 60 * 60 * 1000
/** What is over sooner is not worth a word. */
const DELAY_MS = 400
/** What is shown stays as long as it takes to read it. */
const LEAST_MS = 800
/** From here on it takes long, and the pill says so. */
const LONG_MS = 10_000

const updateCodes = new Set(['protocol_unsupported', 'version_unknown', 'storage_newer'])
const signInCodes = new Set(['unauthenticated', 'actor_mismatch'])

/** What is true of a device at one moment. */
export function pillOf(status: Status, now: number): Pill {
  const { counts, connection, fault, waiting, storage, asOf, oldestWaitingAt } = status
  const number = (count: number): string => count.toLocaleString('en')
  const code = fault?.code ?? ''
  const isMemoryOnly = storage !== undefined && !storage.isDurable && waiting > 0

  if (counts.unsaved > 0 || isMemoryOnly)
    return { key: 'unsaved', text: 'Changes not saved', tone: 'critical', shape: 'octagon' }
  if (connection === 'broken') return { key: 'broken', text: 'Sync stopped', tone: 'critical', shape: 'octagon' }
  if (connection === 'held' && updateCodes.has(code))
    return { key: 'update', text: withCount('Update needed', waiting, 'safe'), tone: 'caution', shape: 'triangle' }
  if (connection === 'held' && signInCodes.has(code))
    return {
      key: 'sign-in',
      text: withCount('Sign in to sync', waiting, 'waiting'),
      tone: 'caution',
      shape: 'triangle',
    }
  if (counts.failed > 0)
    return { key: 'failed', text: `${number(counts.failed)} not synced`, tone: 'negative', shape: 'triangle' }
  if (counts.conflict > 0)
    return { key: 'conflict', text: `${number(counts.conflict)} to review`, tone: 'caution', shape: 'crossing' }
  if (connection === 'held')
    return { key: 'held', text: withCount('Sync stopped', waiting, 'waiting'), tone: 'negative', shape: 'triangle' }
  if (storage === undefined) return { key: 'opening', text: 'Opening…', tone: 'neutral', shape: 'circle' }

  const unsent = counts.saving + counts.queued + counts.sending
  if (connection === 'offline' || connection === 'paused') {
    if (unsent === 0)
      return {
        key: 'offline',
        text: asOf === undefined ? 'Offline' : `Offline · as of ${timeOrDate(asOf, now)}`,
        tone: 'neutral',
        shape: 'cloud-off',
      }
    const age = oldestWaitingAt === undefined ? 0 : now - oldestWaitingAt
    return {
      key: 'offline',
      text: `Offline · ${number(unsent)} on this device`,
      tone: age > 7 * DAY ? 'negative' : age > DAY ? 'caution' : 'neutral',
      shape: 'cloud-off',
    }
  }
  if (unsent > 0) return { key: 'syncing', text: `Syncing ${number(unsent)}…`, tone: 'neutral', shape: 'arc' }
  if (connection === 'connecting')
    return {
      key: 'connecting',
      text: asOf === undefined ? 'Connecting…' : `As of ${timeOrDate(asOf, now)}`,
      tone: 'neutral',
      shape: 'arc',
    }
  return { key: 'synced', text: 'Synced', tone: 'positive', shape: 'tick' }
}

function withCount(text: string, count: number, what: 'safe' | 'waiting'): string {
  const noun = what === 'safe' ? (count === 1 ? ' change' : ' changes') : ''
  return count === 0 ? text : `${text} · ${count.toLocaleString('en')}${noun} ${what}`
}

/** What the pill has shown so far. */
export interface PillState {
  readonly shown: Pill
  readonly since: number
  /** When work that is still going on was first seen. */
  readonly busySince: number | undefined
}

/** The next state, and after how many milliseconds to look again, if at all. */
export function nextPill(
  before: PillState | undefined,
  status: Status,
  now: number,
): { readonly state: PillState; readonly againMs: number | undefined } {
  const truth = pillOf(status, now)
  const isBusy = truth.key === 'syncing' || truth.key === 'connecting'
  const busySince = isBusy ? (before?.busySince ?? now) : undefined
  const show = (pill: Pill, againMs: number | undefined) => {
    const isSame = before !== undefined && samePill(before.shown, pill)
    const since = before?.shown.key === pill.key ? before.since : now
    const state =
      isSame && before.busySince === busySince ? before : { shown: isSame ? before.shown : pill, since, busySince }
    return { state, againMs }
  }
  if (before === undefined) return show(truth, busySince === undefined ? undefined : LONG_MS)
  const wasBusy = before.shown.key === 'syncing' || before.shown.key === 'connecting'
  if (busySince !== undefined) {
    const busyMs = now - busySince
    // Nothing is announced that a blink would miss; bad news are not held back by this, they are not busy.
    if (!wasBusy && before.shown.key === 'synced' && busyMs < DELAY_MS) return show(before.shown, DELAY_MS - busyMs)
    if (truth.key === 'syncing' && busyMs >= LONG_MS)
      return show({ ...truth, text: `Still s${truth.text.slice(1)}` }, undefined)
    return show(truth, Math.max(0, LONG_MS - busyMs))
  }
  const shownMs = now - before.since
  if (wasBusy && truth.key === 'synced' && shownMs < LEAST_MS) return show(before.shown, LEAST_MS - shownMs)
  return show(truth, undefined)
}

function samePill(a: Pill, b: Pill): boolean {
  return a.key === b.key && a.text === b.text && a.tone === b.tone
}
