// Packages of the system that tests and harnesses need: brought by the system's own tool where that may be done without asking (as
// root on Debian), and said. Elsewhere nothing is touched, and whoever asked tells the one command to run.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** How long a system may take to bring a package. */
const PATIENCE_MS = 8 * 60_000

const tool = ['apt-get', 'install', '-y', '--no-install-recommends'] as const

/** Whether this is Debian itself, whose names of packages are used here. */
export function isDebian(): boolean {
  if (process.platform !== 'linux' || !existsSync('/etc/os-release')) return false
  return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/** Whether packages may be installed without asking anybody. */
export const mayInstall = (): boolean => isDebian() && process.getuid?.() === 0

/** The command that brings these packages. */
export const installCommand = (packages: readonly string[]): string => [...tool, ...packages].join(' ')

/** Brings packages, and says so; what the system says is shown when it fails. */
export function install(title: string, packages: readonly string[]): boolean {
  console.log(`There is no ${title} on this machine; this is Debian and we are root, so: ${installCommand(packages)}`)
  const command = [...tool, ...packages]
  // A fresh machine has no list of packages yet, and an old list leads to packages that are gone.
  if (run(command) || (run(['apt-get', 'update']) && run(command))) return true
  console.error('The package could not be installed; what the system says of it stands above.')
  return false
}

function run([command, ...args]: readonly string[]): boolean {
  const { status, stdout, stderr, error } = spawnSync(command ?? '', args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: PATIENCE_MS,
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status === 0) return true
  console.error([stdout, stderr, error?.message].filter(Boolean).join('\n').trim())
  return false
}
