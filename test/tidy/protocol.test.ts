// PROTOCOL.md says what the code says: limits, codes, frames. Its examples are decoded by the decoders of the wire.
import { describe, expect, test } from 'vitest'
import { CODES } from '../../src/base/codes.ts'
import { type Decoder, decodeText } from '../../src/protocol/codec.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { decodeEvent, HEARTBEAT } from '../../src/protocol/live.ts'
import { problem } from '../../src/protocol/problem.ts'
import { pullAnswer, pullRequest } from '../../src/protocol/pull.ts'
import { pushAnswer, pushRequest } from '../../src/protocol/push.ts'
import { PROTOCOL } from '../../src/protocol/version.ts'
import { blocksOf, partOf, rowsOf, sectionOf, spansOf } from './markdown.ts'
import { readSource } from './sources.ts'
import { codesTable, EXAMPLES, goldenFrame, layOut, limitsTable, membersOfFrames } from './tables.ts'

const page = readSource('PROTOCOL.md').text
const decoders: { readonly [name: string]: Decoder<unknown> } = {
  'push-request': pushRequest,
  'push-answer': pushAnswer,
  'push-answer-stop': pushAnswer,
  'pull-request': pullRequest,
  'pull-answer': pullAnswer,
  'pull-answer-sealed': pullAnswer,
  problem,
}

describe('tables that are made from the code', () => {
  test('the limits are those of src/protocol/limits.ts (write them with `node test/tidy/tables.ts`)', () => {
    expect(partOf(page, 'limits')).toBe(limitsTable())
  })

  test('the codes are those of src/base/errors.ts (write them with `node test/tidy/tables.ts`)', () => {
    expect(partOf(page, 'codes')).toBe(codesTable())
  })

  test('every limit says what it limits', () => {
    expect(rowsOf(limitsTable()).filter(([, , meaning = '']) => meaning.length < 10)).toEqual([])
  })

  test('a limit or a code that changes is seen', () => {
    expect(partOf(page, 'limits')).not.toBe(limitsTable({ ...LIMITS, needs: LIMITS.needs + 1 }))
    expect(partOf(page, 'codes')).not.toBe(codesTable({ ...CODES, gap: { ...CODES.gap, status: 500 } }))
  })
})

describe('examples', () => {
  const shown = blocksOf(page).filter(({ language }) => language === 'json')

  test('are the golden frames, each of them once (write them with `node test/tidy/tables.ts`)', () => {
    expect(shown.map(({ words: [name] }) => name)).toEqual([...EXAMPLES])
    for (const { words, text } of shown) expect(JSON.parse(text), words[0]).toEqual(goldenFrame(words[0] ?? ''))
  })

  test.each(shown.map(({ words: [name = ''], text }) => ({ name, text })))(
    'the decoder takes the $name',
    ({ name, text }) => {
      expect(decodeText(decoders[name] as Decoder<unknown>, text)).toMatchObject({ ok: true })
    },
  )

  test('the decoder refuses an example with a wrong field', () => {
    const { text = '' } = shown.find(({ words: [name] }) => name === 'push-request') ?? {}
    const wrong = text.replace(/"last": (\d+)/, '"last": "$1"')
    expect(decodeText(pushRequest, wrong)).toMatchObject({ ok: false, field: 'last' })
  })

  test('the stream of the example is decoded event by event', () => {
    const stream = blocksOf(page).find(({ language }) => language === 'text')?.text ?? ''
    const events = [...stream.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, name = '', data = '']) =>
      decodeEvent(name, data),
    )
    expect(events).toMatchObject([
      { ok: true, value: { kind: 'patch' } },
      { ok: true, value: { kind: 'seal' } },
    ])
    expect(stream).toContain(HEARTBEAT)
  })

  test('JSON for people says the same as JSON', () => {
    const value = { text: 'a, b: "c" \\\\ {d}', list: Array.from({ length: 40 }, (_, index) => index), nothing: null }
    expect(JSON.parse(layOut(value))).toEqual(value)
    expect(layOut({ a: [1, 'x'] })).toBe('{"a": [1, "x"]}')
  })
})

describe('what the page says in words', () => {
  const unnamed = (names: readonly string[]) =>
    names.filter((name) => !new RegExp(`[\`"]${name}[\`"]`).test(page.replace(/^```[\s\S]*?^```$/gm, '')))

  test('it names every member of every frame', () => {
    expect(membersOfFrames().length).toBeGreaterThan(30)
    expect(unnamed(membersOfFrames())).toEqual([])
  })

  test('a member that is new is missed', () => {
    const names = membersOfFrames((path) => {
      const file = readSource(path)
      return {
        path,
        text: file.text.replace('readonly decided: number', 'readonly decided: number\n  readonly decidedAt: number'),
      }
    })
    expect(unnamed(names)).toEqual(['decidedAt'])
  })

  test('it is about the version that is spoken', () => {
    expect(page).toMatch(new RegExp(`^# The protocol, version ${PROTOCOL}$`, 'm'))
  })

  test('the retry rules name codes of the table only', () => {
    const named = rowsOf(sectionOf(page, 'Retry rules')).flatMap(([what = '']) => spansOf(what))
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((name) => name !== 'stop' && !Object.hasOwn(CODES, name))).toEqual([])
  })

  test('every code that is tried again by itself is among the retry rules', () => {
    const said = new Set(spansOf(sectionOf(page, 'Retry rules')))
    const own: readonly string[] = ['stream_lost', 'fault']
    const missing = Object.entries(CODES).filter(
      ([code, { remedy }]) => remedy === 'retry' && !said.has(code) && !own.includes(code),
    )
    expect(missing.map(([code]) => code)).toEqual([])
  })
})
