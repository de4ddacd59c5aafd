// Our reader of server-sent events hears what a reader by others hears, however a stream is cut: over all that the wire writes, and over
// streams that only strangers would write.
import { createParser } from 'eventsource-parser'
import { describe, expect, test } from 'vitest'
import { createEventReader } from '../../src/protocol/event-reader.ts'
import { encodeEvent } from '../../src/protocol/live.ts'
import { createDice } from '../../src/sim/random.ts'

type Heard = readonly [name: string, data: string] | 'heartbeat' | 'too long'

function read(pieces: readonly string[], maxLength = Number.POSITIVE_INFINITY): readonly Heard[] {
  const heard: Heard[] = []
  const take = createEventReader(maxLength, {
    event: (name, data) => void heard.push([name, data]),
    heartbeat: () => void heard.push('heartbeat'),
    tooLong: () => void heard.push('too long'),
  })
  for (const piece of pieces) take(piece)
  return heard
}

function readByOthers(pieces: readonly string[]): readonly Heard[] {
  const heard: Heard[] = []
  const parser = createParser({
    onEvent: ({ event = 'message', data }) => void heard.push([event, data]),
    onComment: () => void heard.push('heartbeat'),
  })
  for (const piece of pieces) parser.feed(piece)
  return heard
}

describe('a reader of server-sent events', () => {
  test('hears what the authority writes, also when it is cut in two at any place', () => {
    const stream = `${encodeEvent('seal', { at: 1, text: 'Beine 🦵\r\n: no comment' })}:\n\n${encodeEvent('pull', {})}`
    const whole = read([stream])
    expect(whole).toEqual([
      ['seal', JSON.stringify({ at: 1, text: 'Beine 🦵\r\n: no comment' })],
      'heartbeat',
      ['pull', '{}'],
    ])
    for (let at = 0; at <= stream.length; at++) expect(read([stream.slice(0, at), stream.slice(at)])).toEqual(whole)
    expect(read([...stream])).toEqual(read([stream]))
  })

  test('hears of any stream, in any pieces, what another reader hears', () => {
    const words = [
      'data',
      'event',
      'id',
      'retry',
      'dat',
      'datax',
      ':',
      ': ',
      ' ',
      'seal',
      '{"a":1}',
      '\n',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      'é',
    ]
    let events = 0
    for (let seed = 1; seed <= 3_000; seed++) {
      const dice = createDice(`event-reader ${seed}`)
      const pieces: string[] = []
      for (let count = dice.between(1, 12); count > 0; count--) {
        let piece = ''
        for (let length = dice.below(8); length > 0; length--) piece += dice.pick(words) ?? ''
        pieces.push(piece)
      }
      const heard = read(pieces)
      events += heard.length
      expect(heard, JSON.stringify(pieces)).toEqual(readByOthers(pieces))
    }
    expect(events).toBeGreaterThan(2_000)
  })

  test('gives an event up once it is longer than is read, in one line or in many, and only then', () => {
    expect(read(['data: 12345', '\n\n'], 11)).toEqual([['message', '12345']])
    expect(read(['data: 123456'], 11)).toEqual(['too long'])
    expect(read(['data: 123456\n', 'data: 1'], 11)).toEqual(['too long'])
    expect(read([...'data: 123\n\n'.repeat(100)], 11)).toHaveLength(100)
  })
})
