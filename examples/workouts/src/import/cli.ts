// `npm run import`: reads the words, runs the import, prints the report. The last line of stdout is the JSON object when --json
// was given; progress and complaints go to stderr. Exit code 0: everything arrived; 1: something is wrong; 2: bad usage.
import { readOptions, USAGE, UsageError } from './options.ts'
import { createProgress } from './progress.ts'
import { describeReport, isWell } from './report.ts'
import { runImport } from './run.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Prints its last words and ends; whatever process is still running is ended with it. */
function finish(code: number, stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${text}\n`, () => process.exit(code))
}

const words = process.argv.slice(2)
if (words.includes('--help') || words.includes('-h')) finish(0, process.stdout, USAGE)
else {
  try {
    const options = readOptions(words)
    const progress = createProgress(process.stderr)
    const { report, how } = await runImport(options, progress)
    if (options.json) {
      for (const { line, reason } of report.unreadable.slice(0, 50)) progress.note(`line ${line}: ${reason}`)
      progress.note(`Judged ${how}.`)
    }
    finish(isWell(report) ? 0 : 1, process.stdout, options.json ? JSON.stringify(report) : describeReport(report, how))
  } catch (error) {
    const code = error instanceof UsageError ? 2 : 1
    finish(code, process.stderr, error instanceof Error ? error.message.trim() : String(error))
  }
}
