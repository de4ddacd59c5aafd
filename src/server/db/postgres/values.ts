// Values between PostgreSQL and the contract of a database: numbers are numbers, booleans are booleans, JSON is its text, a moment is its
// milliseconds since 1970, and whatever else is the text that PostgreSQL writes. Asked for with each statement: the app's own settings
// of `pg` stay as they are.
import type { SqlRow, SqlValue } from '../db.ts'
import type { PgTypes } from './pool.ts'

const asText = (value: string): SqlValue => value
const asNumber = (value: string): SqlValue => Number(value)

/** Beyond 2^53 only a bigint says it exactly. */
function asInteger(value: string): SqlValue {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt(value)
}

function asBytes(value: string): SqlValue {
  const bytes = new Uint8Array(Math.max(0, value.length / 2 - 1))
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(value.slice(2 + at * 2, 4 + at * 2), 16)
  return bytes
}

/** The most milliseconds that a moment can be away from 1970 in JavaScript: what stands for infinity, and for years beyond. */
const FAR = 8.64e15

/** A moment as PostgreSQL writes it in ISO style: `2024-02-03 04:05:06.789+05:30`, in UTC where it names no zone. */
export function asMoment(value: string): SqlValue {
  const parts = /^(\d+)-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d)?(:\d\d)?(:\d\d)?( BC)?$/.exec(value)
  if (parts === null) return value.startsWith('-') ? -FAR : FAR
  const [, year = '', month, day, time = '', fraction = '', hours = '+00', minutes = ':00', seconds = ':00', era] =
    parts
  const whole = new Date(0)
  whole.setUTCFullYear(era === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day))
  const [hour, minute, second] = time.split(':').map(Number)
  whole.setUTCHours(hour ?? 0, minute ?? 0, second ?? 0)
  const sign = hours.startsWith('-') ? -1 : 1
  const zoneSeconds = Math.abs(Number(hours)) * 3_600 + Number(minutes.slice(1)) * 60 + Number(seconds.slice(1))
  const at = whole.getTime() + Number(fraction.slice(1, 4).padEnd(3, '0')) - sign * zoneSeconds * 1_000
  return Number.isFinite(at) ? at : era === undefined ? FAR : -FAR
}

/** By the numbers of PostgreSQL's types, which are fixed. */
const parsers = new Map<number, (value: string) => SqlValue>([
  [16, (value) => value === 't'],
  [17, asBytes],
  [20, asInteger],
  [21, asNumber],
  [23, asNumber],
  [26, asNumber],
  [700, asNumber],
  [701, asNumber],
  [1114, asMoment],
  [1184, asMoment],
  [1700, asNumber],
])

/** How results are read. */
export const TYPES: PgTypes = Object.freeze({
  getTypeParser: (oid: number) => parsers.get(oid) ?? asText,
})

/** The rows of a result. */
export const rowsOf = (rows: readonly unknown[]): readonly SqlRow[] => rows as readonly SqlRow[]

/** Values as PostgreSQL writes an array of them. */
export function toArray(values: readonly SqlValue[]): string {
  let array = '{'
  for (const value of values) array += `${array === '{' ? '' : ','}${toElement(value)}`
  return `${array}}`
}

function toElement(value: SqlValue): string {
  if (typeof value === 'string') return `"${/["\\]/.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`
  if (value instanceof Uint8Array)
    return `"\\\\x${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}"`
  return value === null ? 'NULL' : String(value)
}
