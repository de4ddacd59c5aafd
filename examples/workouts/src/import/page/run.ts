// One import in the page, from beginning to end: the built app and its authority on one port, a browser on a fresh profile, what a
// person does there, and then the judge. Starts and ends all of it, and puts the report together. What is done in the page is
// visit.ts.
import { join } from 'node:path'
import { startBrowser } from '../../../../../scripts/chromium/browser.ts'
import { chromiumPath } from '../../../../../scripts/chromium.ts'
import { askJudge, readingDifferences } from '../ask-judge.ts'
import type { AuthoritySaid, AuthoritySetup } from '../authority.ts'
import { startChild } from '../child.ts'
import { planFile } from '../file.ts'
import type { ImportOptions } from '../options.ts'
import type { Plan } from '../plan.ts'
import type { Progress } from '../progress.ts'
import { capDifferences } from '../report.ts'
import { createStallGuard } from '../stall.ts'
import { inWorkplace, type Workplace } from '../workplace.ts'
import type { PageReport } from './report.ts'
import { importInPage, type Visit } from './visit.ts'

/** What the page may take for one step of a person on a machine that is busy. */
const PATIENCE_MS = 60_000

/** Runs an import in the page. Rejects when it cannot be finished; what is wrong with the result is in the report. */
export async function runPageImport(options: ImportOptions, progress: Progress): Promise<PageReport> {
  // Before anything is started: a machine without a browser hears so at once, and what to do.
  chromiumPath()
  const plan = planFile(options)
  try {
    return await inWorkplace((place) => runIn(place, options, plan, progress))
  } finally {
    progress.end()
  }
}

async function runIn(
  { folder, atEnd }: Workplace,
  options: ImportOptions,
  plan: Plan,
  progress: Progress,
): Promise<PageReport> {
  const stall = createStallGuard()
  atEnd(async () => stall.stop())
  const database = options.database ?? join(folder, 'authority.db')

  progress.phase('Building and opening the page')
  const authority = startChild<AuthoritySaid>(new URL('../authority.ts', import.meta.url), {
    database,
    pages: true,
  } satisfies AuthoritySetup)
  atEnd(authority.kill)
  const { port } = await stall.guard(authority.hear((message): message is AuthoritySaid => message.is === 'listening'))
  const forget = stall.watch(authority.hear((message): message is never => message.is === undefined))
  const browser = await startBrowser(join(folder, 'profile'))
  atEnd(browser.kill)
  const page = await browser.open(`http://127.0.0.1:${port}`)
  page.setDefaultTimeout(PATIENCE_MS)

  progress.phase('Importing in the page, offline')
  let isOnline = false
  const visit = await stall.guard(
    importInPage(page, options, {
      onKept: see,
      onSynced: (done, all) => {
        if (!isOnline) progress.phase('Sending')
        isOnline = true
        see(done, all)
      },
    }),
  )
  function see(done: number, all: number): void {
    stall.sign()
    progress.at(done, all)
  }
  // A browser that is closed, unlike one that is killed, leaves nothing in the system's folder for what is temporary.
  await browser.close()
  forget()
  await authority.end()

  progress.phase('Judging what arrived')
  const unreadable = plan.unreadable.map(({ line }) => line)
  const verdict = await stall.guard(askJudge({ file: options.path, actor: options.actor, unreadable, database }))
  const { setsInFile: _setsInFile, ...judged } = verdict
  return {
    file: options.file,
    linesRead: plan.linesRead,
    unreadable: plan.unreadable,
    workouts: plan.workouts,
    setsRead: plan.sets,
    intents: visit.kept,
    known: visit.known,
    rejected: visit.rejected,
    ...judged,
    differences: capDifferences([
      ...browser.problems,
      ...visitDifferences(visit),
      ...readingDifferences(verdict, plan.sets),
      ...verdict.differences,
    ]),
    offlineMs: visit.offlineMs,
    syncMs: visit.syncMs,
    tasks: visit.tasks.count,
    longestTaskMs: round(visit.tasks.longestMs),
    longestTaskWallMs: round(visit.tasks.longestWallMs),
    tasksOver50Ms: visit.tasks.long,
    tasksOver50WallMs: visit.tasks.longByWall,
  }
}

/** Where what the page says does not agree with itself, and what the authority did not take. */
function visitDifferences({ workouts, sets, kept, refusals }: Visit): readonly string[] {
  const added = workouts + sets
  return [
    ...(added === kept ? [] : [`the page says that ${added} entries were added, and its pill that ${kept} are kept`]),
    ...refusals,
  ]
}

const round = (ms: number): number => Math.round(ms * 10) / 10
