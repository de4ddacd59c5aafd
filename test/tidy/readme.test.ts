// The README's code compiles against the public names and does what it says; its table of scripts is that of
// package.json.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { rowsOf, sectionOf, spansOf } from './markdown.ts'
import { filesOf, freePort, typeProblems, writeFiles } from './readme.ts'
import { readSource } from './sources.ts'

const readme = readSource('README.md').text
const folders: string[] = []
const written = (files: Parameters<typeof writeFiles>[0]): string => {
  const folder = writeFiles(files)
  folders.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe('the quickstart', () => {
  const files = filesOf(readme)
  const named = (...names: string[]) => files.filter(({ name }) => names.includes(name))
  const length = (some: typeof files): number => some.flatMap(({ text }) => text.trimEnd().split('\n')).length

  test('it is forty lines of an app, and a few of its surroundings', () => {
    expect(files.map(({ name }) => name)).toEqual([
      'app.ts',
      'server.ts',
      'main.tsx',
      'vite.config.ts',
      'device.ts',
      'workouts.ts',
    ])
    const blank = named('app.ts', 'server.ts', 'main.tsx').flatMap(({ text }) => text.match(/^\n/gm) ?? [])
    expect(length(named('app.ts', 'server.ts', 'main.tsx')) - blank.length).toBeLessThanOrEqual(40)
    expect(length(named('device.ts', 'workouts.ts'))).toBeLessThanOrEqual(50)
  })

  test('it compiles against the public names', async () => {
    expect(await typeProblems(written(files), files)).toBe('')
  })

  test('the compiler refuses a name that is not public and an argument that does not fit', async () => {
    const wrong = files.map(({ name, text }) => ({
      name,
      text: text
        .replace('defineApp, ', 'defineApp, createReplica, ')
        .replace(/text: (String\(.*?\)\)|'Milk')/, 'text: 5'),
    }))
    const problems = await typeProblems(written(wrong), wrong)
    expect(problems).toMatch(/has no exported member '?"?createReplica/)
    expect(problems).toMatch(/main\.tsx.*(string|number)/)
    expect(problems).toMatch(/device\.ts.*(string|number)/)
  })

  test('its device in Node runs: the note is decided, and shows as synced', async () => {
    const port = await freePort()
    const folder = written([])
    const moved = files.map(({ name, text }) => ({
      name,
      text: text.replaceAll('8787', String(port)).replaceAll(`'./d`, `'${folder}/d`),
    }))
    const run = written(moved)
    const load = (name: string) => import(/* @vite-ignore */ pathToFileURL(join(run, name)).href)
    const { listener } = await load('server.ts')
    const { sync, decision } = await load('device.ts')
    expect(decision).toMatchObject({ status: 'applied' })
    await sync.quiet()
    const { app } = await load('app.ts')
    expect(sync.live(app.query.notes).rows).toMatchObject([{ text: 'Milk', sync: { state: 'synced' } }])
    expect(sync.outbox()).toEqual([])
    const { app: workouts } = await load('workouts.ts')
    expect(Object.keys(workouts.mutators)).toEqual(['startWorkout', 'logSet'])
    await sync.close()
    await listener.close()
  })
})

test('it says when not to use Holdfast, and what there is not', () => {
  const text = sectionOf(readme, 'What there is, and what is to come')
  for (const said of [
    '**When not to use it**',
    'Web Locks',
    'no attachments',
    'no presence',
    'encrypted at rest',
    'PostgreSQL',
  ]) {
    expect(text).toContain(said)
  }
})

describe('the table of scripts', () => {
  const scripts = Object.keys(JSON.parse(readSource('package.json').text).scripts)
  const told = (page: string) =>
    rowsOf(sectionOf(page, 'Scripts')).map(
      ([command = '']) => /^npm (?:run )?([a-z:-]+)/.exec(spansOf(command)[0] ?? '')?.[1] ?? command,
    )

  test('every script has its line, and every line its script', () => {
    expect(told(readme).sort()).toEqual([...scripts].sort())
  })

  test('the comparison sees a line that is missing', () => {
    expect(told(readme.replace(/^.*npm run sim .*\n/m, ''))).not.toContain('sim')
  })
})
