// The oracle of rights: that it agrees with the authority, that it has tried something of everything, and that it disagrees when a fault
// is planted.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

function oracle(...args: readonly string[]) {
  const script = fileURLToPath(new URL('../../scripts/oracle.ts', import.meta.url))
  return new Promise<{ readonly code: number; readonly out: string; readonly error: string }>((resolve) => {
    execFile(process.execPath, [script, '--json', ...args], (error, out, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, error: errors }),
    )
  })
}
const verdictOf = ({ out }: { readonly out: string }) => JSON.parse(out.trim().split('\n').at(-1) ?? '')

test('[I9] random requests of random actors are answered as the model of rights says', {
  timeout: 120_000,
}, async () => {
  const ended = await oracle('--requests', '2000', '--seed', 'test')
  expect(ended.error).toBe('')
  expect(ended.code).toBe(0)
  const { requests, disagreements, byVerb, byOutcome, rowsCompared } = verdictOf(ended)
  expect(requests).toBeGreaterThanOrEqual(2_000)
  expect(disagreements).toBe(0)
  for (const verb of [
    'insert',
    'update',
    'move',
    'delete',
    'several',
    'look',
    'pull',
    'pull fresh',
    'pull forged',
    'plain SQL',
  ])
    expect(byVerb[verb], verb).toBeGreaterThan(5)
  for (const outcome of ['applied', 'forbidden', 'row_gone', 'row_exists', 'seen'])
    expect(byOutcome[outcome], outcome).toBeGreaterThan(50)
  expect(rowsCompared).toBeGreaterThan(500)
})

test.each(['writable', 'visible', 'children'])(
  'the planted fault «%s» makes it disagree',
  { timeout: 120_000 },
  async (name) => {
    const ended = await oracle('--requests', '2000', '--break', name)
    expect(ended.code).toBe(1)
    expect(verdictOf(ended).disagreements).toBeGreaterThan(0)
    expect(ended.error.length).toBeGreaterThan(0)
  },
)

test('it refuses what makes no sense', { timeout: 60_000 }, async () => {
  for (const args of [['--requests', '0'], ['--database', 'paper'], ['--break', 'nothing'], ['--unknown']]) {
    const { code, error } = await oracle(...args)
    expect(code).toBe(2)
    expect(error).toContain('npm run oracle -- --requests')
  }
})
