// The canonical form of a JSON value, and its hash: for the authority, which tells by it whether one id was used for one content.
// Apart from json.ts, because no device needs it: what a page loads holds neither of the packages.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import canonicalize from 'canonicalize'
import type { Json } from './json.ts'

/** The canonical JSON text of a value (RFC 8785): equal values give equal texts. */
export function canonicalJson(value: Json): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('Only JSON values have a canonical form')
  return text
}

/** Gives the SHA-256 of a text's UTF-8, in hexadecimal. */
export type HashText = (text: string) => string

const encoder = new TextEncoder()
const hashText: HashText = (text) => bytesToHex(sha256(encoder.encode(text)))

/** The SHA-256 of a value's canonical JSON, in hexadecimal; by the runtime's own function where that is at hand. */
export function hashJson(value: Json, hash: HashText = hashText): string {
  return hash(canonicalJson(value))
}
