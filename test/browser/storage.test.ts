// The storage contract on each mode that a browser has, each case inside a page of a real browser; one page has them all, one after
// the other, on databases of their own. Other engines: test/engines.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storageCases } from '../../src/sim/contracts/storage.ts'
import { MODES, modeAbilities } from './abilities.ts'
import type { ContractPage } from './pages/contract.ts'
import { createStage, type Tab } from './stage.ts'

describe.each(MODES)('%s, in Chromium', (mode) => {
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

  for (const { title } of storageCases(modeAbilities[mode])) {
    test(title, async () => {
      expect(await tab.call('run', mode, title)).toBeUndefined()
    })
  }
})
