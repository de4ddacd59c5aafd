// A browser on a profile folder: started, with its pages, made to end in every way that a browser ends. Playwright drives it over a
// pipe, so that a browser never outlives whoever started it. A kill stops the whole tree of processes first: children that saw their
// parent die would still write what they had not yet written.

import { mkdirSync } from 'node:fs'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { signalProfile } from '../browsers/processes.ts'
import { chromiumPath, FLAGS } from '../chromium.ts'

/** A browser that is running. */
export interface Browser {
  readonly context: BrowserContext
  /** What went wrong in its pages, in sentences: errors that nobody caught, and whatever was written as an error. */
  readonly problems: readonly string[]
  /** What is written as an error and fits is none: a test says so that has the authority refuse a request. */
  expectError(pattern: RegExp): void
  /** Opens an address in a new tab. */
  open(url: string): Promise<Page>
  /** Takes the network from all tabs, or gives it back. */
  setOffline(isOffline: boolean): Promise<void>
  /** Gives an origin so many bytes of storage, or as much as the disk has again. */
  setQuota(origin: string, bytes: number | undefined): Promise<void>
  /** Makes a tab crash, as one that ran out of memory; the others live on. */
  crash(page: Page): Promise<void>
  /** Halts every process of it, as a machine does whose power goes: nothing is written from now on. */
  freeze(): void
  /** Ends every process of it at once. */
  kill(): Promise<void>
  /** Ends it as a person does who closes the window. */
  close(): Promise<void>
}

/** Starts a browser on a profile, which is made if it is not there. */
export async function startBrowser(profile: string): Promise<Browser> {
  mkdirSync(profile, { recursive: true })
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: [...FLAGS],
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  })
  let isOver = false
  let isOffline = false
  const ended = new Promise<void>((resolve) => {
    context.on('close', () => {
      isOver = true
      resolve()
    })
  })
  const problems: string[] = []
  const expected: RegExp[] = []
  const crashing = new Set<Page>()
  const listen = (page: Page): void => {
    page.on('pageerror', (error) => {
      problems.push(`Uncaught in ${page.url()}: ${error.stack || `${error.name} ${error.message}`}`)
    })
    page.on('console', (message) => {
      const text = message.text()
      // The browser itself writes of each request that has no network.
      const isExpected =
        (isOffline && /^Failed to load resource: net::ERR_/.test(text)) || expected.some((each) => each.test(text))
      if (message.type() === 'error' && !isExpected) problems.push(`Error in ${page.url()}: ${text}`)
    })
    page.on('crash', () => {
      if (!crashing.has(page)) problems.push(`The tab ${page.url()} crashed`)
    })
  }
  for (const page of context.pages()) listen(page)
  context.on('page', listen)

  const end = async (how: () => void | Promise<void>): Promise<void> => {
    if (isOver) return
    await how()
    await ended
  }
  return {
    context,
    problems,
    expectError: (pattern) => void expected.push(pattern),
    async open(url) {
      const page = await context.newPage()
      await page.goto(url)
      return page
    },
    async setOffline(next) {
      // Requests that were lost while there was no network may be told of a little after it has come back.
      isOffline ||= next
      await context.setOffline(next)
    },
    async setQuota(origin, bytes) {
      const page = context.pages().find((each) => each.url().startsWith(origin))
      if (page === undefined) throw new Error(`No tab is at ${origin}`)
      const session = await context.newCDPSession(page)
      await session.send(
        'Storage.overrideQuotaForOrigin',
        bytes === undefined ? { origin } : { origin, quotaSize: bytes },
      )
    },
    async crash(page) {
      crashing.add(page)
      const session = await context.newCDPSession(page)
      const crashed = page.waitForEvent('crash')
      // Whoever is asked to crash does not answer.
      session.send('Page.crash').catch(() => undefined)
      await crashed
    },
    freeze: () => signalProfile(profile, 'SIGSTOP'),
    kill: () =>
      end(() => {
        signalProfile(profile, 'SIGSTOP')
        signalProfile(profile, 'SIGKILL')
      }),
    close: () => end(() => context.close()),
  }
}
