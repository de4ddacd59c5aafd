// The two entries of «holdfast»: what they have, and who looks for a developer's mistakes where a page in production does not.

import { createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { expect, test } from 'vitest'
import * as full from '../../src/schema/index.ts'
import * as lean from '../../src/schema/lean.ts'

const { t, table } = full
/** A reference to a table that there is not, as somebody without types would write it. */
const wrong = {
  tables: { a: table({ id: t.id(), ownerId: t.text(), b: t.ref('nowhere') }).scope('user', 'ownerId') },
} as never

test('both entries have the same names', () => {
  expect(Object.keys(lean).sort()).toEqual(Object.keys(full).sort())
})

test('both make the same app of what fits together', () => {
  const right = { tables: { a: table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId') } }
  expect(lean.defineApp(right).fingerprint).toBe(full.defineApp(right).fingerprint)
})

test('the lean one takes a mistake, which the full one and the authority name', () => {
  const says = 'defineApp: table a, column b: it refers to nowhere, which is no table of this app'
  expect(() => full.defineApp(wrong)).toThrow(says)
  const app = lean.defineApp(wrong)
  expect(() =>
    createAuthority({ app, database: sqlite(':memory:'), authenticate: () => undefined, grants: () => [] } as never),
  ).toThrow(says)
})
