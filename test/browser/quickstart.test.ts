// The README's quickstart, as somebody follows it: its files in a folder, `node server.ts`, Vite's own server with the README's
// configuration before it, and two tabs. Only the ports are others, and the public names lead to the sources.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { createServer as createVite } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { startBrowser } from '../../scripts/chromium/browser.ts'
import { sourceAliases } from '../../scripts/chromium/pages.ts'
import { spansOf } from '../tidy/markdown.ts'
import { filesOf, freePort, writeFiles } from '../tidy/readme.ts'
import { readSource } from '../tidy/sources.ts'

const readme = readSource('README.md').text

const noted = (page: Page): Promise<string[]> => page.locator('li').allTextContents()

async function add(page: Page, text: string): Promise<void> {
  await page.getByLabel('Note').fill(text)
  await page.getByRole('button', { name: 'Add' }).click()
}

test('the quickstart of the README: what is noted in either tab shows in both, without the authority too', async () => {
  const port = await freePort()
  const folder = writeFiles([])
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const files = filesOf(readme).map(({ name, text }) => ({
    name,
    text: text.replaceAll('8787', String(port)).replaceAll(`'./d`, `'${folder}/d`),
  }))
  for (const { name, text } of files) writeFileSync(join(folder, name), text)
  const html = spansOf(readme).find((span) => span.startsWith('<body>'))
  expect(html).toContain('main.tsx')
  writeFileSync(join(folder, 'index.html'), html ?? '')

  const { listener } = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'server.ts')).href)
  onTestFinished(() => listener.close())
  const vite = await createVite({
    root: folder,
    configFile: join(folder, 'vite.config.ts'),
    logLevel: 'silent',
    cacheDir: join(folder, 'cache'),
    resolve: { alias: sourceAliases() },
    server: { port: 0, host: '127.0.0.1', hmr: false },
  })
  onTestFinished(() => vite.close())
  await vite.listen()
  const [url = ''] = vite.resolvedUrls?.local ?? []

  const browser = await startBrowser(join(folder, 'profile'))
  onTestFinished(() => browser.kill())
  const one = await browser.open(url)
  const two = await browser.open(url)
  await add(one, 'Milk')
  await expect.poll(() => noted(two), { timeout: 20_000 }).toEqual(['Milk (synced)'])
  await expect.poll(() => noted(one), { timeout: 20_000 }).toEqual(['Milk (synced)'])

  await listener.close()
  await add(two, 'Bread')
  await expect.poll(() => noted(one), { timeout: 20_000 }).toContain('Bread (queued)')
  expect(await noted(one)).toHaveLength(2)
  // What the browser writes of answers that were refused is no fault of the page.
  expect(browser.problems.filter((problem) => problem.startsWith('Uncaught'))).toEqual([])
})
