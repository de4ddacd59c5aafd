// `npm run bench -- engine|authority|browser|device [--json] [--only NAME]`: measures all figures of a bench, shows them as a table, writes its section
// of RESULTS.md, and with --json ends with one object on one line. A missed reach is a result, not an error: only what breaks exits
// with 1. With --only some figures are measured, and RESULTS.md stays as it is.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromiumPath } from '../scripts/chromium.ts'
import { startPostgres } from '../scripts/postgres.ts'
import type { Figure } from './harness.ts'
import { type Machine, resultsPage, resultsSection, textTable } from './report.ts'

/** The benches, each a list of files in the order in which they are measured. */
const benches: { readonly [bench: string]: readonly string[] } = {
  engine: ['mutate', 'ask', 'apply', 'burst', 'replay', 'open', 'rebase', 'memory'],
  authority: ['batches', 'singles', 'pull', 'live', 'idle'],
  browser: ['mutate', 'apply', 'burst', 'replay', 'open', 'memory'],
  device: ['open', 'burst', 'live', 'memory', 'tasks'],
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const [bench = 'engine'] = positionals
const names = benches[bench]
const wanted = names?.filter((name) => values.only === undefined || name === values.only)
if (names === undefined || wanted === undefined || wanted.length === 0) {
  console.error(
    Object.entries(benches)
      .map(([name, figures]) => `npm run bench -- ${name} [--json] [--only ${figures.join('|')}]`)
      .join('\n'),
  )
  process.exit(1)
}

const figures: Figure[] = []
for (const name of wanted) {
  console.error(`measuring ${bench}/${name} …`)
  figures.push(...(await measureApart(`${bench}/${name}`)))
}

const machine: Machine = { cores: availableParallelism(), node: process.version }
const versions = {
  holdfast: packageVersion(),
  Node: process.version,
  SQLite: process.versions['sqlite'] ?? 'none',
  ...(bench === 'authority' ? { PostgreSQL: await postgresVersion() } : {}),
  ...(bench === 'browser' || bench === 'device' ? { Browser: browserVersion() } : {}),
}
console.error(`\n${textTable(figures)}\n`)
if (wanted.length === names.length) {
  const date = new Date().toISOString().slice(0, 10)
  const page = new URL('./RESULTS.md', import.meta.url)
  const before = existsSync(page) ? readFileSync(page, 'utf8') : ''
  writeFileSync(page, resultsPage(before, bench, resultsSection(date, machine, versions, figures)))
}
if (values.json)
  console.log(JSON.stringify({ bench, machine, versions, figures, met: figures.every(({ met }) => met !== false) }))

async function measureApart(name: string): Promise<readonly Figure[]> {
  const script = fileURLToPath(new URL('./figure.ts', import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', script, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  const printed: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${name} could not be measured`)
  const last = Buffer.concat(printed).toString().trimEnd().split('\n').at(-1) ?? ''
  return JSON.parse(last) as Figure[]
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

async function postgresVersion(): Promise<string> {
  const server = await startPostgres()
  await server.stop()
  return /\d[\d.]*/.exec(server.title)?.[0] ?? 'unknown'
}

function browserVersion(): string {
  return execFileSync(chromiumPath(), ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}
