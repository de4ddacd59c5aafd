// The stage itself, and the harness of the contract: what they must see is planted, and they see it.
import { describe, expect, test } from 'vitest'
import { type Browser, startBrowser } from '../../scripts/chromium/browser.ts'
import type { ContractPage } from './pages/contract.ts'
import { createStage } from './stage.ts'

async function onPage(run: (browser: Browser, url: string) => Promise<void>): Promise<readonly string[]> {
  const stage = await createStage()
  const browser = await startBrowser(stage.profile())
  try {
    await run(browser, `${stage.url}/device.html`)
    return browser.problems
  } finally {
    await browser.kill()
  }
}

describe('what goes wrong in a page is seen:', () => {
  test.each([
    ['an error that nobody catches', `setTimeout(() => { throw new Error('planted') })`, /Uncaught .*planted/s],
    ['a promise that nobody handles', `void Promise.reject(new Error('planted'))`, /Uncaught .*planted/s],
    ['what is written as an error', `console.error('planted')`, /Error in .*planted/s],
    ['a file that is not there', `void fetch('/nowhere')`, /Error in .*404/s],
  ])('%s', async (_title, script, problem) => {
    const problems = await onPage(async (browser, url) => {
      const page = await browser.open(url)
      await page.evaluate(script)
      await expect.poll(() => browser.problems.length).toBeGreaterThan(0)
    })
    expect(problems).toEqual([expect.stringMatching(problem)])
  })

  test('and a request that has no network is not taken for it', async () => {
    const problems = await onPage(async (browser, url) => {
      const page = await browser.open(url)
      await browser.setOffline(true)
      expect(await page.evaluate(`fetch('/device.js').then(() => 'came', () => 'lost')`)).toBe('lost')
      await browser.setOffline(false)
      expect(await page.evaluate(`fetch('/device.js').then(() => 'came', () => 'lost')`)).toBe('came')
    })
    expect(problems).toEqual([])
  })
})

test('the contract catches a storage in a page that answers before the browser has kept anything', async () => {
  const stage = await createStage()
  const browser = await stage.browser(stage.profile())
  const tab = await browser.tab<ContractPage>('contract')
  const title = '[I1] what was acknowledged survives the end of the process at any step'
  await expect(tab.call('run', 'indexeddb', title, 'hasty')).rejects.toThrow(/In life \d+: /)
})
