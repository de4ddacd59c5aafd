// The storage contract on IndexedDB in engines other than Chromium (test/browser/storage.test.ts), each case inside a page.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storageCases } from '../../src/sim/contracts/storage.ts'
import { abilities } from '../browser/abilities.ts'
import { type EngineTab, openEngineTab } from './engine-tab.ts'

describe.each([
  ['Firefox', 'firefox'],
  ['WebKitGTK', 'webkit'],
] as const)('indexeddb, in %s', (_title, engine) => {
  let tab: EngineTab

  beforeAll(async () => {
    tab = await openEngineTab(engine, 'contract')
  })

  afterAll(() => tab.close())

  for (const { title } of storageCases(abilities)) {
    test(title, async () => {
      expect(await tab.call('run', title)).toBeNull()
    })
  }

  test('a storage that answers before anything was kept fails', async () => {
    const first = storageCases(abilities).find(({ title }) => title.includes('kill'))
    await expect(tab.call('run', first?.title, 'hasty')).rejects.toThrow()
  })
})
