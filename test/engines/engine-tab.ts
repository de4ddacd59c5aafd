// A page of test/browser/pages in a browser of any engine, whose functions a test calls. The page drives itself (pages/self.ts): it
// asks for the next call over HTTP and tells what came of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type EngineName, engineProblem, startEngine } from '../../scripts/browsers/engines.ts'
import { openMailbox } from '../../scripts/browsers/mailbox.ts'
import { createDeferred, type Deferred } from '../../src/base/deferred.ts'

/** A page under way. */
export interface EngineTab {
  /** Calls a function of the page; resolves with what it returns, rejects with what it throws. */
  call(name: string, ...args: readonly unknown[]): Promise<unknown>
  close(): Promise<void>
}

/** Starts an engine with a page. Throws with the one command to run where the engine is missing and may not be installed. */
export async function openEngineTab(engine: EngineName, page: string): Promise<EngineTab> {
  const problem = engineProblem(engine)
  if (problem !== undefined) throw new Error(problem)
  const profile = mkdtempSync(join(tmpdir(), `holdfast-${engine}-`))
  const mailbox = await openMailbox(inject('pages'))
  const calls: { readonly name: string; readonly args: readonly unknown[] }[] = []
  const answers: Deferred<unknown>[] = []
  let asking: Deferred<void> | undefined
  mailbox.listen('tab', async (word, value) => {
    if (word === 'returned') answers.shift()?.resolve(value)
    if (word === 'threw') answers.shift()?.reject(new Error(String(value)))
    if (word !== 'next') return undefined
    while (calls.length === 0) {
      asking = createDeferred()
      await asking.promise
    }
    return calls.shift()
  })
  const running = startEngine(engine, profile, mailbox.address('self', 'tab', { page }))
  return {
    call(name, ...args) {
      const answer = createDeferred<unknown>()
      answers.push(answer)
      calls.push({ name, args })
      asking?.resolve()
      return answer.promise
    },
    async close() {
      await running.kill()
      await mailbox.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
