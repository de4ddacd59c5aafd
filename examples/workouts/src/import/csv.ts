// Text → records of fields, each with the number of the line on which it begins. Reads RFC 4180 with comma or semicolon,
// quotes with line ends inside, and what real files add: a byte-order mark, empty lines, a delimiter too many at the end.
// A damaged line costs only itself: when a quote does not close where it should, the line where its record began is reported
// and reading goes on with the next line. What the fields mean is not known here.
import { finish, type Steps } from './steps.ts'

/** One record, or why there is none. Lines count from 1; the header is line 1 unless empty lines stand before it. */
export type CsvRecord =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly reason: string }

/** A file as a table. */
export interface Csv {
  readonly delimiter: ',' | ';'
  readonly header: readonly string[]
  readonly records: readonly CsvRecord[]
}

/** Records that are split between two steps: a fraction of a millisecond. */
const RECORDS_PER_STEP = 50

/** Splits a text whose line ends are `\n`, at once. A text without any line gives an empty header and no records. */
export function parseCsv(text: string): Csv {
  return finish(parseCsvInSteps(text))
}

/** The same in steps, which count characters. */
export function* parseCsvInSteps(text: string): Steps<Csv> {
  let at = text.startsWith('\uFEFF') ? 1 : 0
  let line = 1
  let header: readonly string[] | undefined
  let delimiter: Csv['delimiter'] = ','
  const records: CsvRecord[] = []
  while (at < text.length) {
    const lineEnd = endOfLine(text, at)
    if (text.slice(at, lineEnd).trim() === '') {
      at = lineEnd + 1
      line++
      continue
    }
    if (records.length % RECORDS_PER_STEP === 0) yield { done: at, all: text.length }
    if (header === undefined) delimiter = detectDelimiter(text.slice(at, lineEnd))
    const read = readRecord(text, at, delimiter)
    const problem =
      typeof read === 'string' ? read : header === undefined ? undefined : widthProblem(read.fields, header)
    if (typeof read !== 'string' && problem === undefined) {
      if (header === undefined) header = withoutEmptyEnd(read.fields, 1)
      else records.push({ line, fields: read.fields.slice(0, header.length) })
      line += countLineEnds(text, at, read.next)
      at = read.next
    } else {
      // Nothing is known about where the damaged record really ends; the next line is the safest place to begin again.
      if (header === undefined) header = []
      else records.push({ line, reason: problem ?? '' })
      at = lineEnd + 1
      line++
    }
  }
  return { delimiter, header: header ?? [], records }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** The delimiter that stands more often outside quotes in the header line. */
function detectDelimiter(line: string): Csv['delimiter'] {
  const bare = line.replace(/"[^"]*"/g, '')
  return bare.split(';').length > bare.split(',').length ? ';' : ','
}

/** The record that begins at `start` and where the next one begins, or what is wrong. */
function readRecord(
  text: string,
  start: number,
  delimiter: string,
): { readonly fields: readonly string[]; readonly next: number } | string {
  const fields: string[] = []
  for (let at = start; ; at++) {
    let end: number
    if (text[at] === '"') {
      const quoted = readQuoted(text, at)
      if (quoted === undefined) return 'a quote opens and does not close'
      fields.push(quoted.value)
      end = quoted.end
      if (end < text.length && text[end] !== delimiter && text[end] !== '\n') return 'text follows a closing quote'
    } else {
      end = at
      while (end < text.length && text[end] !== delimiter && text[end] !== '\n') end++
      fields.push(text.slice(at, end))
    }
    if (text[end] !== delimiter) return { fields, next: end + 1 }
    at = end
  }
}

/** A quoted field's value and the place after its closing quote. */
function readQuoted(text: string, open: number): { readonly value: string; readonly end: number } | undefined {
  let value = ''
  for (let from = open + 1; ; ) {
    const quote = text.indexOf('"', from)
    if (quote === -1) return undefined
    value += text.slice(from, quote)
    if (text[quote + 1] !== '"') return { value, end: quote + 1 }
    value += '"'
    from = quote + 2
  }
}

function widthProblem(fields: readonly string[], header: readonly string[]): string | undefined {
  const width = withoutEmptyEnd(fields, header.length).length
  return width === header.length ? undefined : `it has ${width} fields, the header has ${header.length}`
}

/** The fields without empty ones at the end, but never fewer than `least` of those that are there. */
function withoutEmptyEnd(fields: readonly string[], least: number): readonly string[] {
  let length = fields.length
  while (length > least && fields[length - 1] === '') length--
  return fields.slice(0, length)
}

function countLineEnds(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count++
  return count
}
