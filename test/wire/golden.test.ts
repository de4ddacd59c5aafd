// The wire is frozen: golden frames of each protocol version that is spoken. A change of one of them is a change of the protocol:
// raise PROTOCOL, add a folder of new files, and keep the old ones readable. The table of codes may grow, but no code changes.
// To write the files of a new version: HOLDFAST_WRITE_GOLDEN=1 with this test, then look at every byte of the difference.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { canonicalJson, hashJson } from '../../src/base/canonical.ts'
import { CODES } from '../../src/base/codes.ts'
import type { Code } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import { decode, decodeText } from '../../src/protocol/codec.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { decodeEvent, encodeEvent, HEARTBEAT } from '../../src/protocol/live.ts'
import { PROBLEM_TYPE } from '../../src/protocol/problem.ts'
import { PROTOCOL } from '../../src/protocol/version.ts'
import { GOLDEN } from './make.ts'

const folder = fileURLToPath(new URL(`./v${PROTOCOL}/`, import.meta.url))
const path = (file: string): string => `${folder}${file}.json`
const read = (file: string): string => readFileSync(path(file), 'utf8')
const pretty = (value: unknown): string => `${JSON.stringify(JSON.parse(canonicalJson(value as Json)), undefined, 2)}\n`

if (process.env['HOLDFAST_WRITE_GOLDEN'] === '1')
  for (const [file, { value }] of Object.entries(GOLDEN)) writeFileSync(path(file), pretty(value))

/** SHA-256 over the canonical form of every golden frame: whoever changes a file must also change this, on purpose. */
const FROZEN: { readonly [file: string]: string } = {
  patch: 'af1894e9422a950abbc56f257e2fcf43650071281e8a48e91dc2efe7c97bf2cc',
  problem: '2462f006d85f5b9b49bbb1d6d4cd531e3e732478c65b65982a4e9125913de83c',
  'pull-answer-sealed': '803419c4873b55b3e0ff5bdd3605a72eb2bde28c7b24e40fb7c95f2616065df3',
  'pull-answer': 'd0c7ab2febd42812f5f2afdd24b75344f7e7215e30c0008838d8b3634637424c',
  'pull-request': '036b5902fb62b2e99b5f80d62876474ec1ccc00c73dd477c412bc5d8bd3e513b',
  'push-answer-conflict': '48bc478a279cc6b03d8abfff0d67b88f8e83c10b1590aaf4390f3a9a13e23638',
  'push-answer-stop': '806ab7c1c924b20f2cfed2551784da7040e6f65aaad3488f9605ebea4ca41ec5',
  'push-answer': 'c305f6ff3462442c34c9135cbe8780e7ae23a600dd60cc4e16942bd99531a41b',
  'push-request-base': 'fdda105107765373432c51aa31a7d4785d6b47fc06cf0880254f6ec736c9ce5e',
  'push-request': 'c5310d780e8e046a9677a89fe7249bb3da763116195c4a501a3a8c04ec71c6a7',
  seal: '3d73ad0591130a7402a2b8f368e1a7e0b83dd3871666ab15f6c1be24a859ddff',
}

test('each frame has a file, and each file a frame', () => {
  expect(readdirSync(folder).sort()).toEqual([...Object.keys(GOLDEN), 'codes'].map((file) => `${file}.json`).sort())
  expect(Object.keys(FROZEN).sort()).toEqual(Object.keys(GOLDEN).sort())
})

describe.each(Object.entries(GOLDEN))('%s', (file, { decoder, value }) => {
  test('today’s encoder gives these bytes', () => {
    expect(canonicalJson(JSON.parse(read(file)) as Json)).toBe(canonicalJson(value as Json))
  })

  test('the decoder takes them and loses nothing that it names', () => {
    const decoded = decodeText(decoder, read(file))
    if (!decoded.ok) throw new Error(`${decoded.field} ${decoded.problem}`)
    if (file === 'problem')
      expect(Object.keys(decoded.value as object).sort()).toEqual([
        'code',
        'detail',
        'requestId',
        'retryAfterMs',
        'title',
      ])
    else expect(decoded.value).toEqual(JSON.parse(read(file)))
  })

  test('the file is the frozen one', () => {
    expect(hashJson(JSON.parse(read(file)) as Json)).toBe(FROZEN[file])
  })
})

test('a frame with one member renamed is not the frozen one: the guard can fail', () => {
  const frame = JSON.parse(read('seal')) as { readonly [key: string]: Json }
  const renamed = Object.fromEntries(
    Object.entries(frame).map(([name, value]) => [name === 'decided' ? 'done' : name, value]),
  )
  expect(hashJson(renamed)).not.toBe(FROZEN['seal'])
  expect(decode(GOLDEN['seal']?.decoder ?? ((value) => value), renamed)).toMatchObject({ ok: false, field: 'decided' })
})

test('the stream’s text, the media type and the version are what they were', () => {
  expect(encodeEvent('seal', JSON.parse(read('seal')))).toBe(
    `event: seal\ndata: ${JSON.stringify(JSON.parse(read('seal')))}\n\n`,
  )
  expect(decodeEvent('seal', read('seal')).ok).toBe(true)
  expect(decodeEvent('patch', read('patch')).ok).toBe(true)
  expect([PROTOCOL, PROBLEM_TYPE, HEARTBEAT]).toEqual([1, 'application/problem+json', ': still here\n\n'])
})

test('every code that devices in the field may be told means what it meant', () => {
  const codes = JSON.parse(read('codes')) as { readonly [code: string]: object }
  expect(Object.keys(codes).length).toBeGreaterThan(35)
  for (const [code, meaning] of Object.entries(codes)) expect(CODES[code as Code], code).toMatchObject(meaning)
})

test('no limit has become smaller than what devices in the field may send', () => {
  expect(LIMITS).toMatchObject({
    argsBytes: 262_144,
    batchIntents: 1_000,
    batchBytes: 2_097_152,
    bodyBytes: 4_194_304,
    pageEntries: 5_000,
    rowBytes: 1_048_576,
    scopes: 1_000,
    needs: 64,
    births: 16,
    nameLength: 63,
    actorLength: 128,
  })
})
