// The watch over a page's main thread sees a task that works for long, and refuses a trace of which something is missing. Nothing here
// asserts that a task is short: how long one takes is the machine's business.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startBrowser } from '../../scripts/chromium/browser.ts'
import { countTasks, watchTasks } from '../../scripts/chromium/tasks.ts'

// Work that waits for each step's result: 400 million steps of three cycles or more are more than 50 ms on any processor, however busy.
const WORK = `new Promise((resolve) => setTimeout(() => {
  let state = 1
  for (let step = 0; step < 400_000_000; step++) state = (Math.imul(state, 1664525) + 1013904223) | 0
  resolve(state)
}))`

test('a task that works for long is seen, by the processor and by the clock, and each watch tells of its own time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-tasks-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const browser = await startBrowser(join(folder, 'profile'))
  onTestFinished(() => browser.kill())
  const page = await browser.open('data:text/html,<title>working</title>')
  for (const works of [1, 2]) {
    const stop = await watchTasks(page)
    for (let work = 0; work < works; work++) await page.evaluate(WORK)
    const seen = await stop()
    expect(seen.count).toBeGreaterThan(works)
    expect(seen.long).toBeGreaterThanOrEqual(works)
    expect(seen.longByWall).toBeGreaterThanOrEqual(works)
    expect(Math.min(seen.longestMs, seen.longestWallMs)).toBeGreaterThan(50)
  }
})

const begin = { name: 'watch begins', pid: 1, tid: 1, ts: 10 }
const end = { name: 'watch ends', pid: 1, tid: 1, ts: 1_000_000 }
const task = { name: 'ThreadControllerImpl::RunTask', pid: 1, tid: 1, ts: 20, dur: 90_000, tdur: 60_000 }

test('only the tasks of the marked thread between the marks count', () => {
  const events = [
    { ...task, ts: 5 },
    begin,
    task,
    { ...task, ts: 200_000, dur: 51_000, tdur: 2_000 },
    { ...task, tid: 2 },
    { ...task, pid: 2 },
    { ...task, name: 'another event' },
    end,
    { ...task, ts: 1_000_001 },
  ]
  expect(countTasks(events, false)).toEqual({ count: 2, longestMs: 60, long: 1, longestWallMs: 90, longByWall: 2 })
})

test('a trace that lost something, has no end, or tells no times is refused', () => {
  expect(() => countTasks([begin, task, end], true)).toThrow(/not whole/)
  expect(() => countTasks([begin, task], false)).toThrow(/not whole/)
  expect(() => countTasks([task, end], false)).toThrow(/not whole/)
  expect(() => countTasks([begin, end], false)).toThrow(/does not tell/)
})
