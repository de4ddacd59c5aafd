// A browser on a profile folder: started, with its pages, made to end in every way that a browser ends. Playwright drives it over a
// pipe, so that a browser never outlives whoever started it. A kill stops the whole tree of processes first: children that saw their
// parent die would still write what they had not yet written.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { chromiumPath, FLAGS } from '../chromium.ts'

/** A browser that is running. */
export interface Browser {
  readonly context: BrowserContext
  /** What went wrong in its pages, in sentences: errors that nobody caught, and whatever was written as an error. */
  readonly problems: readonly string[]
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
  const crashing = new Set<Page>()
  const listen = (page: Page): void => {
    page.on('pageerror', (error) => {
      problems.push(`Uncaught in ${page.url()}: ${error.stack || `${error.name} ${error.message}`}`)
    })
    page.on('console', (message) => {
      const text = message.text()
      // The browser itself writes of each request that has no network.
      const isExpected = isOffline && /^Failed to load resource: net::ERR_/.test(text)
      if (message.type() === 'error' && !isExpected) problems.push(`Error in ${page.url()}: ${text}`)
    })
    page.on('crash', () => {
      if (!crashing.has(page)) problems.push(`The tab ${page.url()} crashed`)
    })
  }
  for (const page of context.pages()) listen(page)
  context.on('page', listen)

  const signal = (name: NodeJS.Signals): void => {
    for (const pid of processesOf(profile)) {
      try {
        process.kill(pid, name)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
  }
  const end = async (how: () => void | Promise<void>): Promise<void> => {
    if (isOver) return
    await how()
    await ended
  }
  return {
    context,
    problems,
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
    freeze: () => signal('SIGSTOP'),
    kill: () =>
      end(() => {
        signal('SIGSTOP')
        signal('SIGKILL')
      }),
    close: () => end(() => context.close()),
  }
}

/** All processes of the browser on this profile: those that name it on their command line, and everything that they started. */
function processesOf(profile: string): readonly number[] {
  const all = process.platform === 'linux' ? listByFolder() : listByCommand()
  const isNamed = ({ command }: Running): boolean =>
    command.split(/[\0 ]/).some((word) => word.endsWith(profile) || word.includes(`${profile}/`))
  const found = new Set(all.filter(isNamed).map(({ pid }) => pid))
  found.delete(process.pid)
  for (let size = 0; size < found.size; ) {
    size = found.size
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
  }
  return [...found]
}

interface Running {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

function listByFolder(): readonly Running[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return [{ pid: Number(name), parent: Number(parent), command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

function listByCommand(): readonly Running[] {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
  })
}
