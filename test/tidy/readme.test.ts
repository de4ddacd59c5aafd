// The README's screen of code compiles against the public names and does what it says; its table of scripts is that of
// package.json.
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, describe, expect, test } from 'vitest'
import { rowsOf, sectionOf, spansOf } from './markdown.ts'
import { filesOf, typeProblems, writeFiles } from './readme.ts'
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

describe('the screen of code', () => {
  const files = filesOf(readme)

  test('it is one app, one authority, one device and one component, each on one screen', () => {
    expect(files.map(({ name }) => name)).toEqual(['app.ts', 'server.ts', 'device.ts', 'workout.tsx'])
    const component = files.filter(({ name }) => name === 'workout.tsx')
    expect(component.flatMap(({ text }) => text.trimEnd().split('\n')).length).toBeLessThanOrEqual(30)
    expect(
      files.filter((file) => !component.includes(file)).flatMap(({ text }) => text.trimEnd().split('\n')).length,
    ).toBeLessThanOrEqual(80)
  })

  test('it compiles against the public names', async () => {
    expect(await typeProblems(written(files), files)).toBe('')
  })

  test('the compiler refuses a name that is not public and an argument that does not fit', async () => {
    const wrong = files.map(({ name, text }) => ({
      name,
      text: text.replace('defineApp, ', 'defineApp, createReplica, ').replace('reps: 5', `reps: 'five'`),
    }))
    const problems = await typeProblems(written(wrong), wrong)
    expect(problems).toMatch(/has no exported member '?"?createReplica/)
    expect(problems).toMatch(/workout\.tsx.*(string|number)/)
    expect(problems).toMatch(/device\.ts.*(string|number)/)
  })

  test('it runs: the set is decided, and shows as synced at its position', async () => {
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
    const sets = sync.live(app.query.sets)
    expect(sets.rows).toMatchObject([{ position: 1, exercise: 'Squat', sync: { state: 'synced' } }])
    expect(sync.outbox()).toEqual([])
    const { Workout } = await load('workout.tsx')
    expect(renderToString(createElement(Workout, { client: sync, id: sets.rows[0].workoutId }))).toBe('<p>loading</p>')
    await sync.close()
    await listener.close()
  })
})

test('it says when not to use Holdfast, and what there is not', () => {
  const text = sectionOf(readme, 'What there is, and what is to come')
  for (const said of [
    '**When not to use it**',
    'no browser host',
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
