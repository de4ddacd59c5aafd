// Finds the Chromium that the browser tests, the power cut and the browser bench run in. Run alone (`npm test` does so before its
// tests) it makes sure that there is one: as root on Debian it installs the distribution's package and says so, elsewhere it fails
// with the one command to run. CHROME_PATH names another browser of the family. Nothing is downloaded past the system's own packages.
// How a browser is started, and how it is killed, is chromium/browser.ts.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { install, installCommand, isDebian, mayInstall } from './browsers/packages.ts'

/** The flags that every browser here is started with: no window, no sandbox (it cannot be had as root), no traffic of its own. */
export const FLAGS: readonly string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const packages = ['chromium'] as const

/** The path of the browser; throws with what to do when there is none. */
export function chromiumPath(): string {
  const path = findChromium()
  if (path !== undefined) return path
  throw new Error(`There is no Chromium on this machine. ${advice()}`)
}

/** The path of the browser, if there is one. Throws when CHROME_PATH names something that is not there. */
export function findChromium(): string | undefined {
  const named = process.env['CHROME_PATH']
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return named
    throw new Error(`CHROME_PATH is ${named}, and nothing is there`)
  }
  return [...(places[process.platform as keyof typeof places] ?? []), chromium.executablePath()].find(
    (path) => path !== '' && existsSync(path),
  )
}

const programs = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => process.env[name] ?? [])

const places = {
  linux: [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome-stable',
    '/usr/bin/google-chrome',
    '/opt/google/chrome/chrome',
    '/snap/bin/chromium',
  ],
  darwin: [
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  win32: programs.flatMap((folder) => [
    `${folder}\\Chromium\\Application\\chrome.exe`,
    `${folder}\\Google\\Chrome\\Application\\chrome.exe`,
  ]),
}

function advice(): string {
  const command = isDebian() ? `sudo ${installCommand(packages)}` : 'npx playwright-core install chromium'
  return `Run this once: ${command}\n(or name a browser of the family that is there: CHROME_PATH=... npm test)`
}

function makeSure(): number {
  if (findChromium() === undefined) {
    if (!mayInstall()) {
      console.error(`There is no Chromium on this machine, and the browser tests need one. ${advice()}`)
      return 1
    }
    if (!install('Chromium', packages)) return 1
  }
  const path = chromiumPath()
  console.log(`${versionOf(path)}, ${path}`)
  return 0
}

function versionOf(path: string): string {
  // On Windows a browser that is asked for its version opens a window instead.
  if (process.platform === 'win32') return 'A browser'
  return execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.exitCode = makeSure()
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
