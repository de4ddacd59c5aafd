// Browsers under a power cut: IndexedDB of a real engine, used by the device in a page that drives itself (page.ts).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDeferred } from '../../src/base/deferred.ts'
import { type EngineName, engineProblem, startEngine, titleOf } from '../browsers/engines.ts'
import { type Mailbox, openMailbox } from '../browsers/mailbox.ts'
import { bundlePages } from '../chromium/pages.ts'
import type { Subject } from './subject.ts'

/** A page that has not begun, or not answered, by then never will. */
const PATIENCE_MS = 60_000

/** The device in a browser of this engine. */
export function browserSubject(name: EngineName): Subject {
  let mailbox: Mailbox | undefined
  let runs = 0

  /** Opens the page and resolves with what it tells as `awaited`; `heard` hears the other words. */
  async function open(
    folder: string,
    query: Readonly<Record<string, string>>,
    awaited: string,
    heard: (word: string, value: unknown) => void | Promise<void>,
  ) {
    if (mailbox === undefined) throw new Error(`${name} was not prepared`)
    const run = `run-${++runs}`
    const told = createDeferred<unknown>()
    const going = createDeferred<void>()
    mailbox.listen(run, async (word, value) => {
      if (word === 'failed') return told.reject(new Error(`The page in ${titleOf(name)} failed: ${String(value)}`))
      if (word !== awaited) return heard(word, value)
      told.resolve(value)
      await going.promise
    })
    const engine = startEngine(name, join(folder, 'profile'), mailbox.address('page', run, query))
    const timer = setTimeout(
      () => told.reject(new Error(`The page in ${titleOf(name)} has not told «${awaited}» within ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    )
    try {
      return { engine, mayGo: () => going.resolve(), value: await told.promise }
    } catch (error) {
      await engine.kill()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    name,
    problem: () => engineProblem(name),
    async prepare() {
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-pages-'))
      await bundlePages({ page: fileURLToPath(new URL('./page.ts', import.meta.url)) }, folder)
      const opened = await openMailbox(folder)
      mailbox = opened
      return async () => {
        await opened.close()
        rmSync(folder, { recursive: true, force: true })
      }
    },
    async write(folder, durability, acknowledged) {
      const { engine, mayGo } = await open(folder, { act: 'write', durability }, 'prepared', (word, value) => {
        if (word === 'acknowledged') acknowledged(value as readonly number[])
      })
      return { go: mayGo, freeze: () => engine.freeze(), kill: () => engine.kill() }
    },
    async read(folder) {
      const { engine, mayGo, value } = await open(folder, { act: 'read' }, 'present', () => undefined)
      mayGo()
      await engine.kill()
      return new Set(value as readonly number[])
    },
  }
}
