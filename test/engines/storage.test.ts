// The storage contract on each mode that a browser has, in engines other than Chromium (test/browser/storage.test.ts), each case inside
// a page.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storageCases } from '../../src/sim/contracts/storage.ts'
import { MODES, modeAbilities } from '../browser/abilities.ts'
import { type EngineTab, openEngineTab } from './engine-tab.ts'

describe.each([
  ['Firefox', 'firefox'],
  ['WebKitGTK', 'webkit'],
] as const)('in %s', (_title, engine) => {
  let tab: EngineTab

  beforeAll(async () => {
    tab = await openEngineTab(engine, 'contract')
  })

  afterAll(() => tab.close())

  for (const mode of MODES) {
    for (const { title } of storageCases(modeAbilities[mode])) {
      test(`${mode}: ${title}`, async () => {
        expect(await tab.call('run', mode, title)).toBeNull()
      })
    }
  }

  test('a storage that answers before anything was kept fails', async () => {
    const first = storageCases(modeAbilities.indexeddb).find(({ title }) => title.includes('end of the process'))
    await expect(tab.call('run', 'indexeddb', first?.title, 'hasty')).rejects.toThrow()
  })
})
