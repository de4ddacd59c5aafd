// The storage contract on the browser's IndexedDB, each case inside a page of a real browser; one page has them all, one after the
// other, on databases of their own.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storageCases } from '../../src/sim/contracts/storage.ts'
import { abilities } from './abilities.ts'
import type { ContractPage } from './pages/contract.ts'
import { createStage, type Tab } from './stage.ts'

describe('indexeddb, in Chromium', () => {
  const ends: (() => void | Promise<void>)[] = []
  let tab: Tab<ContractPage>

  beforeAll(async () => {
    const stage = await createStage((end) => ends.unshift(end))
    const browser = await stage.browser(stage.profile())
    tab = await browser.tab('contract')
  })

  afterAll(async () => {
    for (const end of ends) await end()
  })

  for (const { title } of storageCases(abilities)) {
    test(title, async () => {
      expect(await tab.call('run', title)).toBeUndefined()
    })
  }
})
