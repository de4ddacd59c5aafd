// The words for what became of a change, one for each fact and never mixed: labels and shapes of badges, and which state counts
// where several meet. Pure; how a badge is drawn is parts/badge.tsx, what the whole device says is pill.ts.
import type { Badge } from 'holdfast/client'

/** How loud a fact is. A colour goes with it, never alone. */
export type Tone = 'neutral' | 'positive' | 'caution' | 'negative' | 'critical'

/** The shapes of the icons, one for each state. */
export type Shape = 'circle' | 'circle-up' | 'arc' | 'tick' | 'triangle' | 'crossing' | 'octagon' | 'cloud-off'

/** What a badge shows. */
export interface BadgeWords {
  readonly label: string
  /** For those who want to know more. */
  readonly meaning: string
  readonly shape: Shape
  readonly tone: Tone
}

/** The table of states. A tick stands at one place only: where the authority has confirmed. */
export const BADGES: { readonly [State in Badge]: BadgeWords } = {
  saving: { label: 'Saving…', meaning: 'Not yet safe on this device', shape: 'circle', tone: 'neutral' },
  queued: {
    label: 'On this device',
    meaning: 'Safe on this device, waits to be sent',
    shape: 'circle-up',
    tone: 'neutral',
  },
  sending: { label: 'Sending…', meaning: 'On its way', shape: 'arc', tone: 'neutral' },
  synced: { label: 'Synced', meaning: 'The server has confirmed it', shape: 'tick', tone: 'positive' },
  failed: { label: 'Not synced', meaning: 'The server did not take it', shape: 'triangle', tone: 'negative' },
  conflict: {
    label: 'Changed elsewhere',
    meaning: 'Another device changed it too',
    shape: 'crossing',
    tone: 'caution',
  },
  unsaved: { label: 'Not saved', meaning: 'This device could not keep it', shape: 'octagon', tone: 'critical' },
}

const farthestFirst: readonly Badge[] = ['unsaved', 'failed', 'saving', 'queued', 'sending', 'conflict', 'synced']

/** The state of several things together: that of the one farthest from synced. */
export function farthest(states: readonly Badge[]): Badge {
  return farthestFirst.find((state) => states.includes(state)) ?? 'synced'
}

/** What is said of a number that the server has still to give. */
export const PROVISIONAL = 'number may change after sync'

const reasons: { readonly [code: string]: string | undefined } = {
  row_gone: 'What it belongs to was deleted meanwhile.',
  row_exists: 'It was there already.',
  row_invalid: 'A value does not fit.',
  arguments_invalid: 'A value does not fit.',
  dependency: 'An earlier change that it builds on was not taken.',
  discarded: 'It was given up on this device.',
  forbidden: 'It belongs to somebody else.',
  constraint: 'It contradicts something that is already there.',
  id_reused: 'It was sent before with other content.',
  fault: 'The server failed on it and tries again when asked.',
  expired: 'It is too old for the server to know whether it has it already.',
  version: 'The server wants a newer version of the app first.',
}

/** Why a change is not synced, in a plain sentence. The code stands beside it in small print. */
export function reasonOf(code: string): string {
  return reasons[code] ?? 'The server did not take it.'
}

/** «1 change», «3 changes», «2,995 changes». */
export function changes(count: number): string {
  return counted(count, 'change')
}

/** A number with its noun. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
