// `npm run import`: reads the words, runs the import, prints the report. The last line of stdout is the JSON object when --json
// was given; progress and complaints go to stderr. Exit code 0: everything arrived; 1: something is wrong; 2: bad usage.
import { type ImportOptions, readOptions, USAGE, UsageError } from './options.ts'
import { describePageReport, isPageWell, type PageReport } from './page/report.ts'
import { createProgress, type Progress } from './progress.ts'
import { BY_SQL, describeReport, isWell, type Report } from './report.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Prints its last words and ends; whatever process is still running is ended with it. */
function finish(code: number, stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${text}\n`, () => process.exit(code))
}

interface Result {
  readonly report: Report | PageReport
  /** By what the judge looked. */
  readonly how: string
  /** The report for people. */
  readonly text: string
  readonly isFine: boolean
}

// What each kind needs is loaded for that kind only: a browser's driver is not there for whoever imports without one.

async function importOnDevices(options: ImportOptions, progress: Progress): Promise<Result> {
  const { runImport } = await import('./run.ts')
  const { report, how } = await runImport(options, progress)
  return { report, how, text: describeReport(report, how), isFine: isWell(report) }
}

async function importInPage(options: ImportOptions, progress: Progress): Promise<Result> {
  const { runPageImport } = await import('./page/run.ts')
  const report = await runPageImport(options, progress)
  return { report, how: BY_SQL, text: describePageReport(report), isFine: isPageWell(report) }
}

const words = process.argv.slice(2)
if (words.includes('--help') || words.includes('-h')) finish(0, process.stdout, USAGE)
else {
  try {
    const options = readOptions(words)
    const progress = createProgress(process.stderr)
    const { report, how, text, isFine } = await (options.page ? importInPage : importOnDevices)(options, progress)
    if (options.json) {
      for (const { line, reason } of report.unreadable.slice(0, 50)) progress.note(`line ${line}: ${reason}`)
      progress.note(`Judged ${how}.`)
    }
    finish(isFine ? 0 : 1, process.stdout, options.json ? JSON.stringify(report) : text)
  } catch (error) {
    const code = error instanceof UsageError ? 2 : 1
    finish(code, process.stderr, error instanceof Error ? error.message.trim() : String(error))
  }
}
