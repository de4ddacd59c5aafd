// Time, chance and the world come in as inputs everywhere but on the rim.
import { describe, expect, test } from 'vitest'
import { EXCEPTIONS, INNER_ROOMS, senseProblems } from './senses.ts'
import { readSource, readSources } from './sources.ts'

const problemsOf = (text: string, path = 'src/client/x.ts') => senseProblems({ path, text })

describe('clock and dice outside the rim', () => {
  test('no inner room reads a clock, throws dice, sets a timer or looks at its process', () => {
    expect(readSources(INNER_ROOMS).flatMap(senseProblems)).toEqual([])
  })

  test('every exception is still needed', () => {
    const unused = EXCEPTIONS.filter(({ path, name }) => {
      const { text } = readSource(path)
      return senseProblems({ path: 'src/sim/not-excepted.ts', text }).every((problem) => !problem.endsWith(` ${name}`))
    })
    expect(unused).toEqual([])
  })

  test.each([
    ['Date.now()', 'const at = Date.now()'],
    ['a Date.now that is handed on', 'const clock = { now: Date.now }'],
    ['new Date()', 'const at = new Date()'],
    ['new Date', 'const at = new Date'],
    ['Date() as a function', 'const at = Date()'],
    ['Math.random()', 'const dice = Math.random()'],
    ['performance', 'const at = performance.now()'],
    ['setTimeout', 'setTimeout(() => undefined, 1)'],
    ['setInterval', 'setInterval(() => undefined, 1)'],
    ['crypto', 'const id = crypto.randomUUID()'],
    ['process', 'const home = process.env'],
    ['window', 'window.alert()'],
    ['globalThis', 'const t = globalThis.setTimeout'],
    ['a shorthand member', 'const world = { fetch }'],
  ])('the guard refuses %s', (_title, text) => {
    expect(problemsOf(text)).toHaveLength(1)
  })

  test.each([
    ['a date of a given time', 'const day = new Date(madeAt).toISOString()'],
    ['a clock that came in', 'const at = host.clock.now()'],
    ['members of the same name', 'const a = host.crypto; const b = { process: 1 }; interface C { fetch(): void }'],
    ['comments and texts', '// Date.now() and Math.random()\nconst said = "setTimeout(process)"'],
    ['other uses of Math and Date', 'const a = Math.max(1, 2); const b = Date.UTC(2026, 1)'],
    ['a parameter of the same name', 'const run = (process: number) => process + 1'],
  ])('the guard allows %s', (_title, text) => {
    expect(problemsOf(text)).toEqual([])
  })

  test('a database adapter is no rim: its world is that of the host', () => {
    expect(problemsOf('const at = Date.now()', 'src/server/db/sqlite/x.ts')).toHaveLength(1)
  })
})
