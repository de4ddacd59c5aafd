// The live stream: after a pull, frames as they happen, as server-sent events. A patch is encoded once and its bytes are shared
// by all who stand at its place; each device's seal ends its frame.
import { type Decoded, decodeText } from './codec.ts'
import { type Patch, patch, type Seal, seal } from './frame.ts'
import type { PullRequest } from './pull.ts'

/** What opens a stream: the same words as a pull. */
export type LiveRequest = PullRequest
export { pullRequest as liveRequest } from './pull.ts'

/** One event of the stream. */
export type LiveEvent =
  | { readonly kind: 'patch'; readonly patch: Patch }
  | { readonly kind: 'seal'; readonly seal: Seal }
  /** The stream cannot bring what comes next (too large, other grants, another history): pull, then open it again. Ends the stream. */
  | { readonly kind: 'pull' }

/** The text of one event. */
export function encodeEvent(kind: LiveEvent['kind'], data: unknown): string {
  return `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Sent while nothing happens, so that both ends notice a dead connection. */
export const HEARTBEAT = ': still here\n\n'

const patchEvent = (value: unknown) => ({ kind: 'patch', patch: patch(value) }) as const
const sealEvent = (value: unknown) => ({ kind: 'seal', seal: seal(value) }) as const

/** Decodes one event by its name and data. Unknown names are refused. */
export function decodeEvent(name: string, data: string): Decoded<LiveEvent> {
  if (name === 'pull') return { ok: true, value: { kind: 'pull' } }
  const decoder = name === 'patch' ? patchEvent : name === 'seal' ? sealEvent : undefined
  return decoder === undefined
    ? { ok: false, field: 'event', problem: 'must be patch, seal or pull' }
    : decodeText<LiveEvent>(decoder, data)
}
