// An id from content: the same words give the same id on every device and in every run (RFC 9562, UUID version 5). This is what
// makes an import repeatable: a line of a file has one id for ever, whoever reads it and however often. Runs in Node and in pages.
import { v5 } from 'uuid'

/** The namespace of ids that an import of this app makes. Changing it, or what is hashed, makes every file new. */
const NAMESPACE = '8f2b8b0e-5c5d-4f0c-9a55-1f8f6f0b7f4d'

/** The id of these words, in this order. */
export function contentId(words: readonly (string | number | null)[]): string {
  return v5(JSON.stringify(words), NAMESPACE)
}
