// Server-sent events: what another reader of the standard hears, this one hears, however the stream is cut into pieces.
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEventReader } from '../../src/protocol/events.ts'
import { encodeEvent, HEARTBEAT } from '../../src/protocol/live.ts'

type Heard = readonly (readonly [name: string, data: string])[]

function read(pieces: readonly string[]): Heard {
  const heard: [string, string][] = []
  const feed = createEventReader(1_000, (name, data) => heard.push([name, data]))
  for (const piece of pieces) expect(feed(piece)).toBe(true)
  return heard
}

function readAsOthersDo(stream: string): Heard {
  const heard: [string, string][] = []
  const parser = createParser({
    onEvent: ({ event, data }) => heard.push([event || 'message', data]),
    onComment: () => heard.push(['', '']),
  })
  parser.feed(stream)
  return heard
}

describe('the reader of a stream', () => {
  const part = fc.constantFrom(
    'event',
    'data',
    'id',
    'retry',
    'datax',
    ':',
    ': ',
    ' ',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    'é',
    '{}',
    '7',
  )
  const stream = fc.array(part, { maxLength: 60 }).map((parts) => parts.join(''))

  test('hears what a library hears, in whatever pieces the stream comes', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(60), { maxLength: 8 }), (text, cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length]
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end))
        expect(read(pieces)).toEqual(readAsOthersDo(text))
      }),
      { numRuns: 2_000 },
    )
  })

  test('reads what the authority writes, character by character', () => {
    const text = encodeEvent('seal', { at: 1, text: 'a\nb: c\r\n' }) + HEARTBEAT + encodeEvent('pull', {})
    const heard: Heard = [
      ['seal', '{"at":1,"text":"a\\nb: c\\r\\n"}'],
      ['', ''],
      ['pull', '{}'],
    ]
    expect(read([text])).toEqual(heard)
    expect(read([...text])).toEqual(heard)
  })

  test('says so when an event grows too long, in one line or in many, and not when many come', () => {
    const feed = createEventReader(10, () => {})
    expect(feed('data: 1234\n\n'.repeat(5))).toBe(true)
    expect(feed('data: 12345')).toBe(false)
    const inLines = createEventReader(10, () => {})
    expect(inLines('data: 12345\ndata: 67890\n')).toBe(true)
    expect(inLines('data: 1\n')).toBe(false)
  })
})
