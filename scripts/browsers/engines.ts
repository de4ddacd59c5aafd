// Three browser engines on this machine, started on a profile folder and an address, and ended hard. Pages that are opened so drive
// themselves and tell what they have to tell over HTTP (mailbox.ts): no driver is needed, and every engine can be asked the same.
// Chromium's tests, which drive their pages, start it by chromium/browser.ts instead.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FLAGS, findChromium } from '../chromium.ts'
import { install, installCommand, mayInstall } from './packages.ts'
import { signalProfile } from './processes.ts'

/** The engines by name. */
export type EngineName = 'chromium' | 'firefox' | 'webkit'

/** A browser under way. */
export interface RunningEngine {
  /** Halts every process of it, as a machine does whose power goes. */
  freeze(): void
  /** Ends every process of it at once. */
  kill(): Promise<void>
}

/** How a browser is started. */
interface Recipe {
  readonly title: string
  readonly packages: readonly string[]
  find(): string | undefined
  /** What the program is run by, with its arguments. */
  readonly within?: readonly string[]
  command(profile: string, url: string): { readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv }
}

/** Nothing asks, restores, updates or reports by itself. */
const FIREFOX_PREFERENCES: Readonly<Record<string, boolean | number | string>> = {
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.policy.dataSubmissionPolicyBypassNotification': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.startup.max_resumed_crashes': -1,
}

/** Gives a window a screen that nobody sees, which ends with it. */
const SCREEN = ['/usr/bin/xvfb-run', '-a'] as const

const recipes: Readonly<Record<EngineName, Recipe>> = {
  chromium: {
    title: 'Chromium',
    packages: ['chromium'],
    find: findChromium,
    // Without a port for debugging a headless browser leaves once its page is loaded.
    command: (profile, url) => ({ args: [...FLAGS, `--user-data-dir=${profile}`, '--remote-debugging-port=0', url] }),
  },
  firefox: {
    title: 'Firefox',
    packages: ['firefox-esr'],
    find: () =>
      firstOf(['/usr/bin/firefox-esr', '/usr/bin/firefox', '/Applications/Firefox.app/Contents/MacOS/firefox']),
    command(profile, url) {
      const lines = Object.entries(FIREFOX_PREFERENCES).map(
        ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
      )
      writeFileSync(join(profile, 'user.js'), `${lines.join('\n')}\n`)
      return { args: ['--headless', '--no-remote', '--profile', profile, url], env: { HOME: profile } }
    },
  },
  webkit: {
    title: 'WebKitGTK',
    packages: ['webkit2gtk-driver', 'xvfb', 'xauth'],
    find: () => firstOf(SCREEN.slice(0, 1)) && firstOf(['/usr/bin/xauth']) && miniBrowser(),
    within: SCREEN,
    // It knows no profile folder: what it keeps lies where the desktop's conventions say. The folder must stand on the command line for
    // its processes to be found again.
    command: (profile, url) => ({
      args: [
        '--features=+StorageAPI,+StorageAPIEstimate,+FileSystem,+AccessHandle',
        url,
        `--user-agent=Mozilla/5.0 ${profile}`,
      ],
      env: {
        HOME: profile,
        XDG_DATA_HOME: join(profile, 'data'),
        XDG_CACHE_HOME: join(profile, 'cache'),
        XDG_CONFIG_HOME: join(profile, 'config'),
        LIBGL_ALWAYS_SOFTWARE: '1',
        WEBKIT_DISABLE_COMPOSITING_MODE: '1',
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      },
    }),
  },
}

/** What an engine is called by people. */
export const titleOf = (name: EngineName): string => recipes[name].title

/** Makes sure that an engine is here, as root on Debian by installing it; otherwise what is to be done. */
export function engineProblem(name: EngineName): string | undefined {
  const { title, packages, find } = recipes[name]
  if (find() !== undefined) return undefined
  if (mayInstall() && install(title, packages) && find() !== undefined) return undefined
  return `There is no ${title} on this machine. On Debian run this once: sudo ${installCommand(packages)}`
}

/** Starts an engine on a profile, which is made if it is not there, and opens an address. */
export function startEngine(name: EngineName, profile: string, url: string): RunningEngine {
  const { title, find, within = [], command } = recipes[name]
  const path = find()
  if (path === undefined) throw new Error(`There is no ${title} on this machine`)
  mkdirSync(profile, { recursive: true })
  const { args, env } = command(profile, url)
  const [program = path, ...before] = [...within, path]
  const child = spawn(program, [...before, ...args], { stdio: 'ignore', env: { ...process.env, ...env } })
  const ended = new Promise<void>((resolve, reject) => {
    child.on('exit', () => resolve())
    child.on('error', reject)
  })
  ended.catch(() => undefined)
  return {
    freeze: () => signalTree(child, profile, 'SIGSTOP'),
    async kill() {
      // Children that saw their parent die would still write what they had not yet written.
      signalTree(child, profile, 'SIGSTOP')
      signalTree(child, profile, 'SIGKILL')
      await ended
    },
  }
}

function signalTree(child: ChildProcess, profile: string, name: NodeJS.Signals): void {
  signalProfile(profile, name)
  if (child.exitCode === null && child.signalCode === null) child.kill(name)
}

const firstOf = (paths: readonly string[]): string | undefined => paths.find((path) => existsSync(path))

function miniBrowser(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const folders = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'webkit2gtk-4.1', 'MiniBrowser'))
  return firstOf(folders)
}
