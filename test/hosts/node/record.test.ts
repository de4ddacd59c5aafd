// The lines of a journal, enumerated: cut at every byte, changed at every byte.
import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { listOf } from '../../../src/hosts/node/list.ts'
import { encodeRecords, scanRecords } from '../../../src/hosts/node/record.ts'

const checksum = (bytes: Uint8Array): number => crc32(bytes)

/** A file of lines, each written when all before it were durable. */
function journal(values: readonly unknown[]): { readonly bytes: Buffer; readonly ends: readonly number[] } {
  let bytes = Buffer.alloc(0)
  const ends: number[] = []
  for (const value of values) {
    bytes = Buffer.concat([bytes, encodeRecords([JSON.stringify(value)], bytes.length, checksum)])
    ends.push(bytes.length)
  }
  return { bytes, ends }
}

const values = [{ a: 'ü\n"' }, [], null, { b: [1, 2, 3] }, 'x'.repeat(40)]

test('lines come back as they were written, one by one or many at once', () => {
  const { bytes, ends } = journal(values)
  expect(scanRecords(bytes, checksum)).toEqual({ records: values, ends, good: bytes.length, isDamaged: false })
  const atOnce = encodeRecords(
    values.map((value) => JSON.stringify(value)),
    7,
    checksum,
  )
  expect(scanRecords(atOnce, checksum).records).toEqual(values)
  expect(scanRecords(new Uint8Array(), checksum)).toEqual({ records: [], ends: [], good: 0, isDamaged: false })
})

test('a list in its items makes the same bytes as its text', () => {
  const items = ['{"a":"ü"}', '2', '"€😀"']
  const many = Array.from({ length: 5_000 }, (_, number) => `"€${number}"`)
  for (const some of [items, items.slice(0, 1), [], many]) {
    const list = () => ({ head: '{"of":[', list: listOf(some), tail: ']}' })
    const text = `{"of":[${some.join(',')}]}`
    expect(encodeRecords(['null', list(), '1'], 9, checksum)).toEqual(encodeRecords(['null', text, '1'], 9, checksum))
    expect(encodeRecords([list()], 9, checksum)).toEqual(encodeRecords([text], 9, checksum))
  }
})

test('[I12] a file cut off at any byte gives its whole lines and is not called damaged', () => {
  const { bytes, ends } = journal(values)
  for (let length = 0; length < bytes.length; length++) {
    const whole = ends.filter((end) => end <= length).length
    expect(scanRecords(bytes.subarray(0, length), checksum)).toEqual({
      records: values.slice(0, whole),
      ends: ends.slice(0, whole),
      good: ends[whole - 1] ?? 0,
      isDamaged: false,
    })
  }
})

test('[I12] a byte that is changed anywhere changes no value, and is called damage where a later line vouches for it', () => {
  const { bytes, ends } = journal(values)
  for (let place = 0; place < bytes.length; place++) {
    for (const bit of [1, 4, 32, 128]) {
      const changed = Buffer.from(bytes)
      changed[place] = (changed[place] ?? 0) ^ bit
      const line = ends.findIndex((end) => place < end)
      const { records, isDamaged } = scanRecords(changed, checksum)
      expect(records).toEqual(values.slice(0, line))
      // A line end that is lost takes the next line along, so the one after that has to vouch.
      const vouching = place === (ends[line] ?? 0) - 1 ? line + 2 : line + 1
      expect(isDamaged).toBe(vouching < values.length)
    }
  }
})

test('zeros and whole lines behind a torn one, all of one write, are a torn end', () => {
  const { bytes } = journal(values.slice(0, 2))
  const group = encodeRecords(['1', '2', '3'], bytes.length, checksum)
  group.fill(0, 3, 9)
  const { records, good, isDamaged } = scanRecords(Buffer.concat([bytes, group, Buffer.alloc(100)]), checksum)
  expect([records, good, isDamaged]).toEqual([values.slice(0, 2), bytes.length, false])
})

test('what the simulator runs of the file storage imports nothing of Node', () => {
  const importsOf = (file: string): string[] =>
    readFileSync(new URL(`../../../src/hosts/node/${file}.ts`, import.meta.url), 'utf8').match(/from 'node:[^']+'/g) ??
    []
  for (const file of ['file', 'journal', 'list', 'record', 'disk', 'disk-fault']) expect(importsOf(file)).toEqual([])
  expect(importsOf('folder-disk')).not.toEqual([])
})
