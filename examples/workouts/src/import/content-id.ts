// An id from content: the same words give the same id on every device and in every run (RFC 9562, UUID version 5). This is what
// makes an import repeatable: a line of a file has one id for ever, whoever reads it and however often.
import { createHash } from 'node:crypto'

/** The namespace of ids that an import of this app makes. Changing it, or what is hashed, makes every file new. */
const NAMESPACE = Buffer.from('8f2b8b0e5c5d4f0c9a551f8f6f0b7f4d', 'hex')

/** The id of these words, in this order. */
export function contentId(words: readonly (string | number | null)[]): string {
  const hash = createHash('sha1').update(NAMESPACE).update(JSON.stringify(words)).digest().subarray(0, 16)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
