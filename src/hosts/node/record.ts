// One line of a journal: a checksum, how much of the file was durable when the line was written, and a JSON text. Pure.
// The second number tells a torn end from damage: a bad line that no later line vouches for was being written when the power
// went, and nobody was told that it is safe; a bad line that a later one vouches for had been acknowledged.
import type { Disk } from './disk.ts'

type Checksum = Disk['checksum']

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const hexDigits = encoder.encode('0123456789abcdef')

const newline = 10
const space = 32
/** Eight digits and a space come before what the checksum covers. */
const covered = 9

/** The line of one JSON text, written when the first `durable` bytes of the file were safe. */
export function encodeRecord(json: string, durable: number, checksum: Checksum): Uint8Array {
  const line = encoder.encode(`00000000 ${durable.toString(36)} ${json}\n`)
  let sum = checksum(line.subarray(covered, line.length - 1))
  for (let place = 7; place >= 0; place--) {
    line[place] = hexDigits[sum & 15] as number
    sum >>>= 4
  }
  return line
}

/** What a journal's bytes say. */
export interface Scan {
  /** The JSON values of all good lines from the start, in order. */
  readonly records: readonly unknown[]
  /** Where each of them ends. */
  readonly ends: readonly number[]
  /** The length of the good lines; what follows, if anything, is not good. */
  readonly good: number
  /** A bad line lies in what a later one says was durable. */
  readonly isDamaged: boolean
}

/** Reads lines up to the first bad one, and looks behind that for any that vouch for it. */
export function scanRecords(bytes: Uint8Array, checksum: Checksum): Scan {
  const records: unknown[] = []
  const ends: number[] = []
  let good = 0
  while (good < bytes.length) {
    const end = bytes.indexOf(newline, good)
    const line = end < 0 ? undefined : readLine(bytes.subarray(good, end), checksum)
    if (line === undefined) break
    records.push(line.value)
    good = end + 1
    ends.push(good)
  }
  return { records, ends, good, isDamaged: isVouchedFor(bytes, good, checksum) }
}

function isVouchedFor(bytes: Uint8Array, bad: number, checksum: Checksum): boolean {
  let start = bytes.indexOf(newline, bad) + 1
  while (start > 0 && start < bytes.length) {
    const end = bytes.indexOf(newline, start)
    if (end < 0) return false
    const line = readLine(bytes.subarray(start, end), checksum)
    if (line !== undefined && line.durable > bad) return true
    start = end + 1
  }
  return false
}

function readLine(
  line: Uint8Array,
  checksum: Checksum,
): { readonly durable: number; readonly value: unknown } | undefined {
  if (line.length <= covered || line[covered - 1] !== space) return undefined
  const sum = checksum(line.subarray(covered))
  for (let place = 0; place < 8; place++) {
    if (line[place] !== hexDigits[(sum >>> (28 - 4 * place)) & 15]) return undefined
  }
  const body = decoder.decode(line.subarray(covered))
  const gap = body.indexOf(' ')
  return { durable: Number.parseInt(body.slice(0, gap), 36), value: JSON.parse(body.slice(gap + 1)) as unknown }
}
