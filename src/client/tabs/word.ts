// What the tabs of one device say to each other, and how it is heard: whoever speaks may be an older or newer build, or another script
// of the same origin, so what does not fit is not heard. Hints and news only: no row and no intent travels here (I6).
import { isCode, KNOWN } from '../../base/errors.ts'
import { isRecord } from '../../base/json.ts'
import type { Connection, StatusFault, Talk } from '../status.ts'

const connections: readonly Connection[] = ['online', 'connecting', 'offline', 'held', 'paused', 'broken']

/** What the leading client tells of its loop. */
export interface LeaderTalk extends Talk {
  readonly isPaused: boolean
}

/** One word. */
export type Word =
  /** Something new is in the store. */
  | { readonly kind: 'kept' }
  /** A client has just come and would like to hear how things are. */
  | { readonly kind: 'hello' }
  /** How the leader's loop is doing. */
  | { readonly kind: 'talk'; readonly talk: LeaderTalk }
  /** The person wants this device to stop talking to the authority, or to try again at once. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }

/** The word, if it is one. */
export function parseWord(heard: unknown): Word | undefined {
  if (!isRecord(heard)) return undefined
  switch (heard['kind']) {
    case 'kept':
    case 'hello':
    case 'pause':
    case 'resume':
      return { kind: heard['kind'] }
    case 'talk': {
      const talk = parseTalk(heard['talk'])
      return talk === undefined ? undefined : { kind: 'talk', talk }
    }
    default:
      return undefined
  }
}

function parseTalk(heard: unknown): LeaderTalk | undefined {
  if (!isRecord(heard)) return undefined
  const { connection, fault, attempts, heardAt, isPaused } = heard
  const known = connections.find((name) => name === connection)
  if (known === undefined || typeof attempts !== 'number' || typeof isPaused !== 'boolean') return undefined
  return {
    connection: known,
    fault: parseFault(fault),
    attempts,
    heardAt: typeof heardAt === 'number' ? heardAt : undefined,
    isPaused,
  }
}

function parseFault(heard: unknown): StatusFault | undefined {
  if (!isRecord(heard)) return undefined
  const { code, message, requestId } = heard
  if (typeof code !== 'string' || !isCode(code) || typeof message !== 'string') return undefined
  return { code, phase: KNOWN[code].phase, message, requestId: typeof requestId === 'string' ? requestId : undefined }
}
