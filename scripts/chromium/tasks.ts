// The tasks of a page's main thread while something happens in it, as the browser's own trace tells them: while one of them runs, the
// page answers nobody. Each has two times. What it cost is its time on the processor; how long it lasted by the clock also says what
// else the machine was doing meanwhile. What is long, and what follows from that, is for the caller.
import type { Page } from 'playwright-core'

/** A task that lasts longer is felt: the next key stroke or frame comes late. The limit is that of the Long Tasks API of browsers. */
export const LONG_TASK_MS = 50

/** What there was on the main thread. */
export interface Tasks {
  readonly count: number
  /** Processor time of the task that worked longest. */
  readonly longestMs: number
  /** Tasks with more than LONG_TASK_MS of processor time. */
  readonly long: number
  /** The same two by the clock. */
  readonly longestWallMs: number
  readonly longByWall: number
}

interface Event {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** Microseconds: when, for how long, and how much of that on the processor. */
  readonly ts: number
  readonly dur?: number
  readonly tdur?: number
}

const categories = ['toplevel', 'blink.user_timing']
const FROM = 'watch begins'
const TO = 'watch ends'

/** Watches a page from now on; the returned function ends that, and says what there was. One watch at a time in a browser. */
export async function watchTasks(page: Page): Promise<() => Promise<Tasks>> {
  const session = await page.context().newCDPSession(page)
  const events: Event[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as Event[])))
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: categories, excludedCategories: ['*'] },
  })
  await mark(page, FROM)
  return async () => {
    await mark(page, TO)
    const complete = new Promise<{ readonly dataLossOccurred: boolean }>((resolve) =>
      session.once('Tracing.tracingComplete', resolve),
    )
    await session.send('Tracing.end')
    const { dataLossOccurred } = await complete
    await session.detach()
    return countTasks(events, dataLossOccurred)
  }
}

/** Leaves a mark in the trace: it tells which of the browser's many threads is this page's. */
function mark(page: Page, name: string): Promise<unknown> {
  return page.evaluate(`void performance.mark(${JSON.stringify(name)})`)
}

/** What a trace tells of the thread that carries the marks, between them. A trace that is not whole is refused. */
export function countTasks(events: readonly Event[], isLossy: boolean): Tasks {
  const from = events.find(({ name }) => name === FROM)
  const to = events.find(({ name }) => name === TO)
  if (from === undefined || to === undefined || isLossy)
    throw new Error(
      'The trace of the page is not whole, so nothing can be said of its tasks. Watch for a shorter time.',
    )
  const times = events.flatMap(({ name, pid, tid, ts, dur, tdur }) =>
    name === 'ThreadControllerImpl::RunTask' && pid === from.pid && tid === from.tid && ts >= from.ts && ts <= to.ts
      ? [{ wallMs: (dur ?? 0) / 1000, processorMs: tdur === undefined ? undefined : tdur / 1000 }]
      : [],
  )
  const onProcessor = times.flatMap(({ processorMs }) => processorMs ?? [])
  if (onProcessor.length === 0)
    throw new Error('This browser does not tell what its tasks cost. Take a newer Chromium.')
  const byWall = times.map(({ wallMs }) => wallMs)
  return {
    count: times.length,
    longestMs: longest(onProcessor),
    long: longOnes(onProcessor),
    longestWallMs: longest(byWall),
    longByWall: longOnes(byWall),
  }
}

// A trace may hold more tasks than a call takes arguments.
const longest = (times: readonly number[]): number => times.reduce((most, time) => Math.max(most, time), 0)
const longOnes = (times: readonly number[]): number => times.filter((time) => time > LONG_TASK_MS).length
