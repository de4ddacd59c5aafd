// The table of an export: whatever was written comes back, with the line it stood on, and damage costs only its own line.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CsvRecord, parseCsv } from '../../examples/workouts/src/import/csv.ts'
import { decodeFile } from '../../examples/workouts/src/import/text.ts'

const cell = (delimiter: string) => (text: string) =>
  text === '' || /["\n]/.test(text) || text.includes(delimiter) || text.trim() !== text
    ? `"${text.replaceAll('"', '""')}"`
    : text
const fieldsOf = (record: CsvRecord | undefined): readonly string[] | undefined =>
  record !== undefined && 'fields' in record ? record.fields : undefined
const texts = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', ' ', '😀', '1'), maxLength: 8 })

describe('the table of an export', () => {
  it('gives back every table that was written, with the line on which each record began', () => {
    const tables = fc
      .tuple(fc.constantFrom(',' as const, ';' as const), fc.integer({ min: 2, max: 5 }))
      .chain(([delimiter, width]) =>
        fc
          .record({
            delimiter: fc.constant(delimiter),
            rows: fc.array(fc.array(texts, { minLength: width, maxLength: width }), { maxLength: 8 }),
          })
          .map((table) => ({ ...table, width })),
      )
    fc.assert(
      fc.property(tables, ({ delimiter, rows, width }) => {
        const header = Array.from({ length: width }, (_, index) => `h${index}`)
        const written = rows.map((row) => row.map(cell(delimiter)).join(delimiter))
        const csv = parseCsv([header.join(delimiter), ...written].join('\n'))
        expect(csv.delimiter).toBe(delimiter)
        expect(csv.header).toEqual(header)
        expect(csv.records.map(fieldsOf)).toEqual(rows)
        let line = 2
        for (const [index, record] of csv.records.entries()) {
          expect(record.line).toBe(line)
          line += (written[index] ?? '').split('\n').length
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('accepts any text: every record has the width of the header or a reason, and lines rise', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', ' '), maxLength: 60 }), (text) => {
        const csv = parseCsv(text)
        let before = 0
        for (const record of csv.records) {
          expect(record.line).toBeGreaterThan(before)
          before = record.line
          if ('fields' in record) expect(record.fields).toHaveLength(csv.header.length)
          else expect(record.reason).not.toBe('')
        }
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['a quote that never closes', 'a,"b', 'a quote opens and does not close'],
    ['text after a closing quote', '"a"x,b', 'text follows a closing quote'],
    ['too few fields', 'a', 'it has 1 fields, the header has 2'],
    ['too many fields', 'a,b,c', 'it has 3 fields, the header has 2'],
  ])('reports %s with its line and reads on with the next line', (_, damaged, reason) => {
    const { records } = parseCsv(`one,two\nx,y\n${damaged}\n1,2\n3,4\n`)
    expect(records.find((record) => 'reason' in record)).toEqual({ line: 3, reason })
    expect(records.filter((record) => 'fields' in record).map(fieldsOf)).toEqual([
      ['x', 'y'],
      ['1', '2'],
      ['3', '4'],
    ])
  })

  it('takes lone line ends of any kind, empty lines, a byte-order mark and a delimiter too many at the end', () => {
    const { text } = decodeFile(new TextEncoder().encode('\uFEFFone;two;\r\n\r\na;"b\r\nc";\r\rd;e\n'))
    expect(parseCsv(text)).toMatchObject({
      header: ['one', 'two'],
      records: [
        { line: 3, fields: ['a', 'b\nc'] },
        { line: 6, fields: ['d', 'e'] },
      ],
    })
  })

  it('reads UTF-16 in both orders, and marks what is not UTF-8', () => {
    const little = Buffer.from('\uFEFFé,1\n', 'utf16le')
    expect(decodeFile(little)).toEqual({ text: 'é,1\n', isDamaged: false })
    expect(decodeFile(Buffer.from(little).swap16())).toEqual({ text: 'é,1\n', isDamaged: false })
    expect(decodeFile(Uint8Array.of(0x61, 0xe9, 0x2c))).toEqual({ text: 'a\uFFFD,', isDamaged: true })
  })
})
