// The pull: from where the device stands, page by page, until a page whose snapshot found nothing further carries the seal.
import { array, type Decoder, object, optional, text, withMembers } from './codec.ts'
import { type Cursor, cursor, type Patch, patch, type Seal, seal } from './frame.ts'
import { LIMITS } from './limits.ts'
import { type Caller, caller } from './push.ts'

/** Where the device stands: the cursors of what it holds, or, on later pages, of what it has staged. */
export interface PullRequest extends Caller {
  readonly cursors: readonly Cursor[]
}

/** One page. Without a seal there is more: ask again from where the patches lead. */
export interface PullAnswer {
  readonly requestId: string
  readonly patches: readonly Patch[]
  readonly seal?: Seal | undefined
}

/** Decodes a pull. */
export const pullRequest: Decoder<PullRequest> = object(withMembers(caller, { cursors: array(cursor, LIMITS.scopes) }))

/** Decodes a page. */
export const pullAnswer: Decoder<PullAnswer> = object({
  requestId: text(),
  patches: array(patch, LIMITS.scopes),
  seal: optional(seal),
})
