// Where the browser bench measures: a real Chromium on a fresh profile, and a server of pages and authority in another process. Pages
// are driven by calls; a page's heap is looked at, and collected, from outside. Everything ends with the bench.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startBrowser } from '../../scripts/chromium/browser.ts'
import { bundlePages } from '../../scripts/chromium/pages.ts'
import { type Tasks, watchTasks } from '../../scripts/chromium/tasks.ts'
import { startChild } from '../engine/child.ts'
import { inFolder } from '../harness.ts'
import type { BenchPage } from './page/index.ts'

type ArgumentsOf<Fn> = Fn extends (...args: infer Args) => unknown ? Args : never
type ResultOf<Fn> = Fn extends (...args: never[]) => infer Result ? Promise<Awaited<Result>> : never

/** A page of the bench, in a process of its own. */
export interface BenchTab {
  /** Calls what page/index.ts offers. */
  call<Name extends keyof BenchPage>(name: Name, ...args: ArgumentsOf<BenchPage[Name]>): ResultOf<BenchPage[Name]>
  /** Collects garbage, so that a sample does not pay for the one before it. */
  collect(): Promise<void>
  /** The bytes of the live heap. */
  heap(): Promise<number>
  /** What tasks the page's main thread has while `run` is under way. */
  watch(run: () => Promise<unknown>): Promise<Tasks>
  close(): Promise<void>
}

/** The stage of one figure. */
export interface Stage {
  tab(): Promise<BenchTab>
}

/** Sets a stage, gives it to `run` and takes it down. Rejects when something went wrong in a page. */
export function onStage<Result>(run: (stage: Stage) => Promise<Result>): Promise<Result> {
  return inFolder(async (folder) => {
    const bundle = join(folder, 'pages')
    await bundlePages({ bench: fileURLToPath(new URL('./page/index.ts', import.meta.url)) }, bundle)
    const server = startChild('../browser/server', [bundle, join(folder, 'authority.db')])
    try {
      const url = `http://127.0.0.1:${await server.line()}/bench.html`
      const browser = await startBrowser(join(folder, 'profile'))
      try {
        const result = await run({ tab: () => openTab(browser, url) })
        if (browser.problems.length > 0) throw new Error(browser.problems.join('\n'))
        return result
      } finally {
        await browser.kill()
      }
    } finally {
      await server.stop()
    }
  })
}

async function openTab({ context, open }: Awaited<ReturnType<typeof startBrowser>>, url: string): Promise<BenchTab> {
  const page = await open(url)
  const session = await context.newCDPSession(page)
  await session.send('HeapProfiler.enable')
  const collect = async (): Promise<void> => {
    for (let pass = 0; pass < 2; pass++) await session.send('HeapProfiler.collectGarbage')
  }
  return {
    call: (name, ...args) => page.evaluate(call, { name, args: args as readonly unknown[] }) as never,
    collect,
    async heap() {
      await collect()
      return (await session.send('Runtime.getHeapUsage')).usedSize
    },
    async watch(run) {
      const stop = await watchTasks(page)
      await run()
      return stop()
    },
    close: () => page.close(),
  }
}

/** Runs in the page. */
function call({ name, args }: { readonly name: string; readonly args: readonly unknown[] }): unknown {
  const { page } = globalThis as unknown as { readonly page: Record<string, (...args: readonly unknown[]) => unknown> }
  return page[name]?.(...args)
}
