// The borders between rooms hold, and the guard that says so refuses what it must.
import { describe, expect, test } from 'vitest'
import { BORDERS, borderProblems, circlesOf, insideProblems } from './borders.ts'
import { pathsIn, readSources, type SourceFile } from './sources.ts'

const file = (path: string, text: string): SourceFile => ({ path, text })

describe('imports between rooms', () => {
  test('no file of src crosses a border that is closed', () => {
    expect(borderProblems(readSources(['src']))).toEqual([])
  })

  test('no circle of imports exists at run time', () => {
    expect(circlesOf(readSources(['src']))).toEqual([])
  })

  test('the example and the bench use public names only', () => {
    expect(insideProblems(readSources(['examples', 'bench']))).toEqual([])
  })

  test('the guard refuses an app that reaches inside', () => {
    const text = `import { app } from './app.ts'\nimport { createReplica } from '../../../src/client/replica/replica.ts'`
    expect(insideProblems([file('examples/workouts/src/x.ts', text)])).toHaveLength(1)
  })

  test('every place of the table is there', () => {
    const paths = pathsIn('src')
    const isThere = (place: string) => paths.some((path) => path === `src/${place}` || path.startsWith(`src/${place}/`))
    const named = BORDERS.flatMap(({ place, may, types = [] }) => [place, ...may, ...types])
    expect(named.filter((place) => !isThere(place))).toEqual([])
  })

  test.each([
    [
      'the client reaching into the server',
      'src/client/sync/push.ts',
      `import { push } from '../../server/sync/push.ts'`,
    ],
    ['a lower room reaching up', 'src/schema/app.ts', `import { entry } from '../protocol/intent.ts'`],
    ['a type from a room above', 'src/base/json.ts', `import type { App } from '../schema/app.ts'`],
    ['a re-export', 'src/protocol/pull.ts', `export { createClient } from '../client/client.ts'`],
    ['a dynamic import', 'src/server/authority.ts', `const late = await import('../client/client.ts')`],
    ['a type written as import()', 'src/base/lane.ts', `export type A = import('../schema/app.ts').App`],
    ['one part of the client using another', 'src/client/replica/rebase.ts', `import { x } from '../outbox/outbox.ts'`],
    ['a value where only types are open', 'src/client/replica/x.ts', `import { x } from '../storage/storage.ts'`],
    ['a package that the room does not have', 'src/protocol/codec.ts', `import * as v from 'valibot'`],
    ['Node in a room that runs in browsers', 'src/client/client.ts', `import { readFile } from 'node:fs/promises'`],
    ['Node without its prefix', 'src/server/authority.ts', `import fs from 'fs'`],
    ['the authority choosing a database', 'src/server/authority.ts', `import { sqlite } from './db/sqlite/index.ts'`],
    ['one table of the authority using another', 'src/server/state/marks.ts', `import { x } from './ledger.ts'`],
    [
      'a binding reaching past the public entry',
      'src/bindings/react/hooks.ts',
      `import type { Row } from '../../schema/table.ts'`,
    ],
    [
      'a binding that takes code of the client along',
      'src/bindings/react/hooks.ts',
      `import { x } from '../../client/index.ts'`,
    ],
    ['a file that no place has', 'src/elsewhere/x.ts', ''],
  ])('the guard refuses %s', (_title, path, text) => {
    expect(borderProblems([file(path, text)])).toHaveLength(1)
  })

  test('the guard lets types pass where only types are open', () => {
    const text = `import type { Storage } from '../storage/storage.ts'\nimport { type Stored } from '../storage/storage.ts'`
    expect(borderProblems([file('src/client/replica/x.ts', text)])).toEqual([])
  })

  test('the guard finds a circle, and none where a type closes it', () => {
    const a = file('src/base/a.ts', `import { b } from './b.ts'`)
    const b = file('src/base/b.ts', `import { c } from './c.ts'`)
    expect(circlesOf([a, b, file('src/base/c.ts', `import { a } from './a.ts'`)])).toEqual([
      'src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts',
    ])
    expect(circlesOf([a, b, file('src/base/c.ts', `import type { a } from './a.ts'`)])).toEqual([])
  })
})
