// What an import reports: the fields of its JSON object, each with its meaning, whether all is well, and the same for people.
import type { UnreadableLine } from './parse.ts'

/** What the judge says of an import, wherever it was made, and what the authority did not take. */
export interface Judged {
  /** Lines of the file that are sets; what is neither a set nor unreadable is a rest timer. */
  readonly setsRead: number
  /** Intents that ended in anything else than applied. */
  readonly rejected: number
  /** Sets of this actor in the database, counted by the judge. */
  readonly setsInDatabase: number
  /** Sets that equal a line of the file which is there already. */
  readonly duplicates: number
  /** No two sets of a workout have one position. */
  readonly positionsUnique: boolean
  /** The sets of each workout stand in the order of the file. */
  readonly orderKept: boolean
  /** Each column of each set is in the database as the file says it. */
  readonly valuesEqual: boolean
  /** What is wrong, in sentences; at most MAX_DIFFERENCES. */
  readonly differences: readonly string[]
}

/** The report. Two devices count twice in what devices do, once in what the database holds. */
export interface Report extends Judged {
  /** The path as it was given. */
  readonly file: string
  /** Records after the header, readable or not; a record with line ends in quotes is one. */
  readonly linesRead: number
  /** Lines that did not go in, with the reason. */
  readonly unreadable: readonly UnreadableLine[]
  /** Workouts in the file. */
  readonly workouts: number
  /** Intents that the devices made: one for each workout and set, on each device. */
  readonly intents: number
  /** Intents that the authority applied in this run. */
  readonly applied: number
  /** Intents that the ledger had already when they first came: from an earlier run or another device. */
  readonly repeated: number
  /** Times that a device process was killed with SIGKILL in the middle of its work. */
  readonly kills: number
  /** Answers of the authority that never arrived whole. */
  readonly answersLost: number
  /** Requests that reached the authority once more than they were sent. */
  readonly requestsRepeated: number
  /** Requests that devices sent once there was a network. */
  readonly requests: number
  /** Bytes of the bodies of those requests. */
  readonly bytesUp: number
  /** Bytes of bodies that arrived at devices. */
  readonly bytesDown: number
  /** From the start until there was a network. */
  readonly offlineMs: number
  /** From then until every device was quiet. */
  readonly syncMs: number
}

/** By what the judge looks where it can. */
export const BY_SQL = 'by SQL, in a process that does not load Holdfast'

/** How many differences a report lists. */
export const MAX_DIFFERENCES = 20

/** The first differences, and how many there are beyond. */
export function capDifferences(all: readonly string[]): readonly string[] {
  return all.length <= MAX_DIFFERENCES
    ? all
    : [...all.slice(0, MAX_DIFFERENCES - 1), `and ${all.length - MAX_DIFFERENCES + 1} more`]
}

/** Whether everything that was read arrived, once, whole and in order. Unreadable lines are the file's fault and no failure. */
export function isWell(report: Report): boolean {
  return isJudgedWell(report) && report.applied + report.repeated === report.intents
}

/** The judge's part of that. */
export function isJudgedWell(report: Judged): boolean {
  return (
    report.rejected === 0 &&
    report.duplicates === 0 &&
    report.positionsUnique &&
    report.orderKept &&
    report.valuesEqual &&
    report.differences.length === 0 &&
    report.setsInDatabase >= report.setsRead
  )
}

/** The report for people. `how` says by what the judge looked. */
export function describeReport(report: Report, how: string): string {
  const lines = [
    report.file,
    `  read          ${report.linesRead} lines: ${report.workouts} workouts, ${report.setsRead} sets, ${report.unreadable.length} unreadable`,
    ...describeUnreadable(report.unreadable),
    `  offline       ${report.intents} intents made, ${report.kills} times killed, ${(report.offlineMs / 1000).toFixed(1)} s`,
    `  bad network   ${report.requests} requests, ${report.answersLost} answers lost, ${report.requestsRepeated} requests repeated, ${kilobytes(report.bytesUp)} up, ${kilobytes(report.bytesDown)} down, ${(report.syncMs / 1000).toFixed(1)} s`,
    `  decided       ${report.applied} applied, ${report.repeated} known from before, ${report.rejected} not applied`,
    `  judge         ${how}`,
    ...describeJudged(report),
    isWell(report) ? 'Everything arrived, once, whole and in order.' : 'SOMETHING IS WRONG: see above.',
  ]
  return lines.join('\n')
}

/** The lines that could not be read, the first of them. */
export function describeUnreadable(unreadable: readonly UnreadableLine[]): readonly string[] {
  const lines = unreadable.map(({ line, reason }) => `    line ${line}: ${reason}`)
  return lines.length > 50 ? [...lines.slice(0, 50), `    and ${lines.length - 50} more; --json lists them all`] : lines
}

/** What the judge found. */
export function describeJudged(report: Judged): readonly string[] {
  const yes = (is: boolean): string => (is ? 'yes' : 'NO')
  return [
    `    sets in the database   ${report.setsInDatabase}`,
    `    duplicates             ${report.duplicates}`,
    `    positions unique       ${yes(report.positionsUnique)}`,
    `    order of the file kept ${yes(report.orderKept)}`,
    `    every column equal     ${yes(report.valuesEqual)}`,
    ...report.differences.map((difference) => `    ${difference}`),
  ]
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1024)} kB`
}
