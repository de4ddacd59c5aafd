// The guide to HTTP says what is so: its code compiles against the public names, its first command does what it says, and the codes,
// statuses and defaults that it names are those of the code.
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { serve } from 'holdfast/node'
import { expect, onTestFinished, test } from 'vitest'
import { CODES } from '../../src/base/codes.ts'
import { TUNING } from '../../src/server/world.ts'
import { rowsOf, sectionOf } from '../tidy/markdown.ts'
import { filesOf, typeProblems, writeFiles } from '../tidy/readme.ts'
import { readSource } from '../tidy/sources.ts'
import { openCafe } from './http-stage.ts'

const guide = readSource('docs/guide-http.md').text

test('its files compile', async () => {
  const files = filesOf(guide)
  expect(files.map(({ name }) => name)).toEqual(['mounted.ts', 'tokens.ts'])
  const folder = writeFiles(files)
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  expect(await typeProblems(folder, files)).toBe('')
}, 60_000)

test('its table of answers names codes with their statuses', () => {
  const named = rowsOf(sectionOf(guide, 'Calling without a device')).flatMap(([answer = '']) =>
    [...answer.matchAll(/(\d{3})((?:,? `[a-z_]+`)+)/g)].flatMap(([, status, codes = '']) =>
      [...codes.matchAll(/`([a-z_]+)`/g)].map(([, code = '']) => ({ status: Number(status), code })),
    ),
  )
  const problems = named.filter(({ status }) => status >= 400)
  expect(problems.length).toBeGreaterThan(12)
  for (const { status, code } of problems)
    expect([code, CODES[code as keyof typeof CODES]?.status]).toEqual([code, status])
})

test('its defaults are those of the authority', () => {
  expect(guide).toContain(`idempotency-window: ${TUNING.keepSilentMs / 1_000}`)
  const said = new Map(rowsOf(sectionOf(guide, 'Limits')).map(([where = '', , value = '']) => [where, value]))
  const number = (value: number) => value.toLocaleString('en-US')
  expect(said.get('`tuning.rate`')).toMatch(
    new RegExp(`^${number(TUNING.rate.perSecond)} and ${number(TUNING.rate.burst)}:`),
  )
  expect(said.get('`tuning.waitingBatches`')).toBe(number(TUNING.waitingBatches))
  expect(said.get('`tuning.streams`')).toBe(number(TUNING.streams))
})

test('its first command is answered as it says, and a second time with repeated', async () => {
  const cafe = await openCafe()
  const listener = await serve(cafe.authority, { port: 0, closeMs: 50 })
  onTestFinished(() => listener.close())
  const [, command = ''] = /```sh\n(curl [\s\S]*?)```/.exec(guide) ?? []
  const run = command
    .replace('http://127.0.0.1:8787', listener.url)
    .replace('"addNote"', '"buy"')
    .replace('{ "id": "n-1", "text": "Milk" }', '{ "kind": "Milk" }')
    .replace('curl -i', 'curl -is')
  const first = await promisify(execFile)('sh', ['-c', run])
  expect(first.stdout).toMatch(
    /^HTTP\/1\.1 200 OK[\s\S]*idempotency-window: 34560000[\s\S]*"status":"applied","keptUntil":\d+/,
  )
  const second = await promisify(execFile)('sh', ['-c', run])
  expect(second.stdout).toMatch(/"status":"applied",.*"repeated":true/)
  expect(cafe.coffees()).toEqual(['Milk'])
})
