// What an import in the page reports: the fields of its JSON object, each with its meaning, whether all is well, and the same for
// people. The import of `npm run import` without `--page` has a report of its own: import/report.ts.
import type { UnreadableLine } from '../parse.ts'
import { BY_SQL, describeJudged, describeUnreadable, isJudgedWell, type Judged } from '../report.ts'

/** The report. */
export interface PageReport extends Judged {
  /** The path as it was given. */
  readonly file: string
  /** Records after the header, readable or not; a record with line ends in quotes is one. */
  readonly linesRead: number
  /** Lines that did not go in, with the reason. */
  readonly unreadable: readonly UnreadableLine[]
  /** Workouts in the file. */
  readonly workouts: number
  /** Lines that are sets. */
  readonly setsRead: number
  /** Intents that the page made: what its pill said was on this device before it went online. */
  readonly intents: number
  /** Workouts and sets that were in the database before. */
  readonly known: number
  /** Intents that the authority did not apply. */
  readonly rejected: number
  /** From the choice of the file, offline, until all of it was kept. */
  readonly offlineMs: number
  /** From the switch to online until the page said that all was synced. */
  readonly syncMs: number
  /** Tasks of the page's main thread from the choice of the file until all was synced. */
  readonly tasks: number
  /** Processor time of the longest of them. */
  readonly longestTaskMs: number
  /** The longest of them by the clock: on a machine that does other things too, most of that is waiting. */
  readonly longestTaskWallMs: number
  /** Those with more than 50 ms of processor time, and by the clock. */
  readonly tasksOver50Ms: number
  readonly tasksOver50WallMs: number
}

/** Whether everything that was read arrived, once, whole and in order, and the page could be used all the time. */
export function isPageWell(report: PageReport): boolean {
  return isJudgedWell(report) && report.intents + report.known === report.workouts + report.setsRead && isUsable(report)
}

/** Whether the page could be used all the time, as far as it is the page's doing: no task worked for more than 50 ms. */
function isUsable({ tasks, tasksOver50Ms }: PageReport): boolean {
  return tasks > 0 && tasksOver50Ms === 0
}

/** The report for people. */
export function describePageReport(report: PageReport): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const lines = [
    report.file,
    `  read          ${report.linesRead} lines: ${report.workouts} workouts, ${report.setsRead} sets, ${report.unreadable.length} unreadable`,
    ...describeUnreadable(report.unreadable),
    `  offline       ${report.intents} intents made, ${report.known} known from before, ${seconds(report.offlineMs)}`,
    `  online        all decided, ${report.rejected} not applied, ${seconds(report.syncMs)}`,
    `  main thread   ${report.tasks} tasks; the longest worked ${report.longestTaskMs} ms and took ${report.longestTaskWallMs} ms by the clock`,
    `                ${report.tasksOver50Ms} worked more than 50 ms, ${report.tasksOver50WallMs} took more by the clock`,
    `  judge         ${BY_SQL}`,
    ...describeJudged(report),
    isPageWell(report)
      ? 'Everything arrived, once, whole and in order, and the page could be used meanwhile.'
      : isUsable(report)
        ? 'SOMETHING IS WRONG: see above.'
        : 'THE PAGE STOOD STILL for more than 50 ms: see above.',
  ]
  return lines.join('\n')
}
