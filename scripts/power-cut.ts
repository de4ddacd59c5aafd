// `npm run power-cut [-- --rounds 10] [--relaxed]`: cuts the power under a real Chromium that runs the real engine, and counts how
// many intents whose `saved` had resolved are gone afterwards. Must be none; with `--relaxed` intents are kept without waiting for the
// disk, and some must be gone, or the cut proves nothing. The disk is power-cut/disk.ts: it needs root and loop devices.
// The last line of stdout is one JSON object; exit code 1 when it is not as it must be, 2 where this machine cannot do it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Listener, serve } from 'holdfast/node'
import type { Page } from 'playwright-core'
import { type Browser, startBrowser } from './chromium/browser.ts'
import { bundlePages, pageAnswer } from './chromium/pages.ts'
import { findChromium } from './chromium.ts'
import { endWith } from './end.ts'
import { createDisk, type Disk, diskProblem } from './power-cut/disk.ts'
import type { PowerCutPage } from './power-cut/page.ts'

/** For how long a device writes before the cut: some moment between these. The system writes by itself after 30 s. */
const WRITING_MS = { from: 1_000, to: 2_500 }
/** What was acknowledged before the cut is on its way for so long at most. */
const ARRIVAL_MS = 200

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    relaxed: { type: 'boolean', default: false },
    // As everywhere: the last line is JSON, asked for or not.
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const durability = values.relaxed ? 'relaxed' : 'strict'
if (!Number.isSafeInteger(rounds) || rounds < 1) refuse('npm run power-cut -- [--rounds N] [--relaxed]')
const problem = diskProblem()
if (problem !== undefined) refuse(problem)
if (findChromium() === undefined)
  refuse('There is no Chromium on this machine. Run this first: node scripts/chromium.ts')

const folder = mkdtempSync(join(tmpdir(), 'holdfast-power-'))
/** What is to be undone, last first, however this ends. */
const undo: (() => void | Promise<void>)[] = [() => rmSync(folder, { recursive: true, force: true })]
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(1))

let acknowledged = 0
let lost = 0
try {
  const listener = await servePages()
  for (let round = 1; round <= rounds; round++) {
    const before = undo.length
    const counted = await playRound(round, listener.url)
    acknowledged += counted.acknowledged
    lost += counted.lost
    console.log(`round ${round}: ${counted.acknowledged} acknowledged, ${counted.lost} lost`)
    await clean(before)
  }
} catch (error) {
  console.error(error)
  await end(1)
}
const isRight = durability === 'strict' ? lost === 0 && acknowledged > 0 : lost > 0
if (!isRight) {
  console.error(
    durability === 'strict'
      ? 'What a device acknowledges must survive a power cut.'
      : 'Nothing was lost although nothing waited for the disk: on this machine the cut proves nothing.',
  )
}
await clean(0)
console.log(JSON.stringify({ rounds, acknowledged, lost, durability }))
await endWith(isRight ? 0 : 1)

async function servePages(): Promise<Listener> {
  await bundlePages({ page: fileURLToPath(new URL('./power-cut/page.ts', import.meta.url)) }, join(folder, 'pages'))
  const nothing = { status: 404, headers: {}, body: '' }
  const listener = await serve(
    { handle: async ({ path }) => pageAnswer(join(folder, 'pages'), path) ?? nothing },
    { port: 0, closeMs: 500 },
  )
  undo.push(() => listener.close())
  return listener
}

async function playRound(round: number, origin: string): Promise<{ acknowledged: number; lost: number }> {
  const told = new Set<number>()
  const disk = owned(createDisk(join(folder, `disk-${round}`)))
  const browser = await started(disk)
  const page = await browser.open(`${origin}/page.html`)
  await page.exposeFunction('acknowledged', (numbers: readonly number[]) => {
    for (const number of numbers) told.add(number)
  })
  await call(page, 'open', durability)
  await call(page, 'begin')
  disk.sync()
  // Ends with the browser and never by itself.
  call(page, 'write').catch(() => undefined)
  await setTimeout(WRITING_MS.from + Math.random() * (WRITING_MS.to - WRITING_MS.from))
  browser.freeze()
  await setTimeout(ARRIVAL_MS)
  const after = owned(disk.cutPower(join(folder, `after-${round}`)))
  await browser.kill()

  const again = await started(after)
  const pageAgain = await again.open(`${origin}/page.html`)
  await call(pageAgain, 'open', durability)
  const present = new Set(await call<readonly number[]>(pageAgain, 'numbers'))
  for (const problem of again.problems) console.error(problem)
  return { acknowledged: told.size, lost: [...told].filter((number) => !present.has(number)).length }
}

function owned(disk: Disk): Disk {
  undo.push(() => disk.remove())
  return disk
}

async function started(disk: Disk): Promise<Browser> {
  const browser = await startBrowser(join(disk.folder, 'profile'))
  undo.push(() => browser.kill())
  return browser
}

function call<Result>(page: Page, name: keyof PowerCutPage, ...args: readonly unknown[]): Promise<Result> {
  return page.evaluate(run, { name, args }) as Promise<Result>
}

/** Runs in the page. */
function run({ name, args }: { readonly name: string; readonly args: readonly unknown[] }): unknown {
  const { page } = globalThis as unknown as { readonly page: Record<string, (...args: readonly unknown[]) => unknown> }
  return page[name]?.(...args)
}

async function clean(from: number): Promise<void> {
  for (const step of undo.splice(from).reverse()) await step()
}

async function end(code: number): Promise<never> {
  await clean(0)
  process.exit(code)
}

function refuse(what: string): never {
  console.error(what)
  process.exit(2)
}
