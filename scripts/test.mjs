// `npm test`: every lane, one after the other, each to its end whatever became of the others.
// The last line is always `N passed, N failed`: single tests of the runner, plus one for each other lane. A lane that
// crashes, and a runner that ran no test, count as failed. `npm test -- rebase` runs only the test files so named, and
// `npm run test:engines` (`--engines`) only those that need browsers of other engines.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const count = { passed: 0, failed: 0 }
const failures = []

// Whatever ends this process, the count is its last word.
process.on('exit', (code) => {
  if (code !== 0 && count.failed === 0) count.failed = 1
  if (failures.length > 0) console.log(`\nfailed: ${failures.join('; ')}`)
  console.log(`${count.passed} passed, ${count.failed} failed`)
})
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stop.abort()
    process.exit(1)
  })
}

await import('./need-node.mjs')
const { root, runNode, tools } = await import('./tools.mjs')

// A lane that hangs is stopped and has failed.
const limits = { timeout: 15 * 60_000, signal: stop.signal }

const filters = process.argv.slice(2).filter((word) => word !== '--engines')
const isOfEngines = process.argv.includes('--engines')
// Firefox and WebKitGTK are not to be had everywhere, so their tests are no part of `npm test`.
const projects = isOfEngines ? ['engines'] : ['rooms', 'postgres', 'browser']

// A lane is a title and a command: a script with its arguments, run by this Node. A script that is missing has failed.
const lanes = [
  { title: 'build', command: ['scripts/build.mjs'] },
  {
    title: 'types of tests, examples and scripts',
    command: [tools.tsc, '-b', 'tsconfig.check.json', 'examples/workouts/tsconfig.json'],
  },
  { title: 'format and lint', command: [tools.biome, 'check', '--error-on-warnings'] },
  { title: 'a browser for the tests', command: ['scripts/chromium.ts'] },
  { title: 'tests', run: runTests },
  { title: 'simulator, seeds 1 to 600', command: ['scripts/sim.ts', '--seeds', '1..600', '--json'] },
  { title: 'kill loop, 10 rounds', command: ['scripts/crash.ts', '--rounds', '10', '--json'] },
  { title: 'package', command: ['scripts/check-package.mjs'] },
]

console.log(
  `Node ${process.version} on ${process.platform} ${process.arch}; needs what \`npm install\` brought, and a Chromium`,
)
if (!existsSync(tools.vitest)) {
  console.error('The dependencies are not installed: run `npm install` first.')
  process.exit(1)
}

for (const lane of lanes) {
  if ((filters.length > 0 || isOfEngines) && lane.run !== runTests) continue
  console.log(`\n── ${lane.title}`)
  const started = performance.now()
  const { passed, failed } = lane.run ? await lane.run() : await runCommand(lane)
  count.passed += passed
  count.failed += failed
  if (failed > 0) failures.push(lane.title)
  console.log(
    `── ${lane.title}: ${failed > 0 ? 'FAILED' : 'ok'}, ${((performance.now() - started) / 1000).toFixed(1)} s`,
  )
}
process.exit(count.failed === 0 ? 0 : 1)

async function runCommand({ command: [script, ...args] }) {
  const path = join(root, script.replace(root, ''))
  if (!existsSync(path)) {
    console.error(`${script} is not there`)
    return { passed: 0, failed: 1 }
  }
  const { code } = await runNode(path, args, limits)
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  const report = join(folder, 'report.json')
  try {
    const args = ['run', '--allowOnly=false', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const of = projects.map((name) => `--project=${name}`)
    const { code } = await runNode(tools.vitest, [...args, ...of, ...filters], limits)
    return readCount(report, code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// The runner's exit code knows of more than failed tests (a file that does not load, an error outside a test), and its
// report may be missing: either counts as one failure where no test does.
function readCount(report, code) {
  if (!existsSync(report)) {
    console.error('The test runner left no report.')
    return { passed: 0, failed: 1 }
  }
  const {
    numPassedTests: passed,
    numFailedTests,
    numPendingTests,
    numTodoTests,
  } = JSON.parse(readFileSync(report, 'utf8'))
  const skipped = numPendingTests + numTodoTests
  if (skipped > 0) console.log(`${skipped} tests skipped`)
  if (passed + numFailedTests === 0) console.error('No test ran.')
  const broken = code !== 0 || passed + numFailedTests === 0
  return { passed, failed: numFailedTests === 0 && broken ? 1 : numFailedTests }
}
