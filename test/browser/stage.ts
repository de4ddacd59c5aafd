// The stage of a browser test: pages bundled from the sources, a real authority on SQLite, and our own listener that serves both from
// one origin on a free port; browsers on profiles of their own. Everything that is opened here ends with the test, and an error that
// a page meets and nobody catches fails it.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { serve } from 'holdfast/node'
import { type Authority, createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import type { Page } from 'playwright-core'
import { expect, inject, onTestFinished } from 'vitest'
import { type Browser, startBrowser } from '../../scripts/chromium/browser.ts'
import { pageAnswer } from '../../scripts/chromium/pages.ts'
import type { HttpAnswer } from '../../src/server/http/exchange.ts'
import { app } from './app.ts'

/** A page whose functions a test calls. `Functions` is what the page's script put at `globalThis.page`. */
export interface Tab<Functions> {
  readonly page: Page
  call<Name extends keyof Functions & string>(
    name: Name,
    ...args: ArgumentsOf<Functions[Name]>
  ): ResultOf<Functions[Name]>
}

type ArgumentsOf<Fn> = Fn extends (...args: infer Args) => unknown ? Args : never
type ResultOf<Fn> = Fn extends (...args: never[]) => infer Result ? Promise<Awaited<Result>> : never

/** A browser on the stage. */
export interface StageBrowser extends Browser {
  /** Opens a page by the name of its script. */
  tab<Functions>(script: string): Promise<Tab<Functions>>
}

/** One authority and whoever asks it. */
export interface Stage {
  readonly url: string
  readonly authority: Authority<typeof app>
  /** A folder of a device's own, for as long as the test lasts. */
  profile(name?: string): string
  /** Starts a browser on a profile. */
  browser(profile: string): Promise<StageBrowser>
  /** Ends the streams that are open, as a network does that goes: taking it from a browser leaves open ones alone. */
  dropStreams(): void
  /** Asks the authority's database, past all code of ours. */
  sql<Row>(text: string, ...values: (string | number)[]): readonly Row[]
}

/** Sets a stage; `atEnd` takes what ends it, last first. Usually that is the test that is running. */
export async function createStage(atEnd: (end: () => void | Promise<void>) => void = onTestFinished): Promise<Stage> {
  const browsers: Browser[] = []
  atEnd(() =>
    expect(
      browsers.flatMap(({ problems }) => problems),
      'what went wrong in the pages',
    ).toEqual([]),
  )
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-browser-'))
  atEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const database = join(folder, 'authority.db')
  const authority = createAuthority({
    app,
    database: sqlite(database),
    authenticate: ({ header }) => header('authorization')?.replace(/^Bearer /, ''),
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
  })
  atEnd(() => authority.close())
  await authority.ready
  const streams = new Set<() => void>()
  const bundle = inject('pages')
  const listener = await serve(
    {
      handle: async (request) => noted(pageAnswer(bundle, request.path) ?? (await authority.handle(request)), streams),
    },
    { port: 0, closeMs: 500 },
  )
  atEnd(() => listener.close())
  const asking = new DatabaseSync(database, { readOnly: true })
  atEnd(() => asking.close())

  return {
    url: listener.url,
    authority,
    profile(name = 'profile') {
      const path = join(folder, name)
      mkdirSync(path, { recursive: true })
      return path
    },
    async browser(profile) {
      const browser = await startBrowser(profile)
      browsers.push(browser)
      atEnd(() => browser.kill())
      return {
        ...browser,
        async tab(script) {
          const page = await browser.open(`${listener.url}/${script}.html`)
          return {
            page,
            call: (name, ...args) => page.evaluate(call, { name, args }) as never,
          }
        },
      }
    },
    dropStreams() {
      for (const drop of [...streams]) drop()
    },
    sql: (text, ...values) => asking.prepare(text).all(...values) as never,
  }
}

/** Runs in the page. */
function call({ name, args }: { readonly name: string; readonly args: readonly unknown[] }): unknown {
  const { page } = globalThis as unknown as { readonly page: Record<string, (...args: readonly unknown[]) => unknown> }
  return page[name]?.(...args)
}

/** The same answer; if it is a stream, its end is noted while it is open. */
function noted(answer: HttpAnswer, streams: Set<() => void>): HttpAnswer {
  if (!('open' in answer)) return answer
  const { open } = answer
  return {
    ...answer,
    open(sink) {
      const close = (): void => sink.close()
      streams.add(close)
      const leave = open(sink)
      return () => {
        streams.delete(close)
        leave()
      }
    },
  }
}
