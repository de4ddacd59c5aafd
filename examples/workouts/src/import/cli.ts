// `npm run import`: reads the words, runs the import, prints the report. The last line of stdout is the JSON object when --json
// was given; progress and complaints go to stderr. Exit code 0: everything arrived; 1: something is wrong; 2: bad usage.
import { readOptions, USAGE, UsageError } from './options.ts'
import { createProgress } from './progress.ts'
import { describeReport, isWell } from './report.ts'
import { runImport } from './run.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

try {
  const words = process.argv.slice(2)
  if (words.includes('--help') || words.includes('-h')) {
    console.log(USAGE)
    process.exit(0)
  }
  const options = readOptions(words)
  const progress = createProgress(process.stderr)
  const { report, how } = await runImport(options, progress)
  if (options.json) {
    for (const { line, reason } of report.unreadable.slice(0, 50)) progress.note(`line ${line}: ${reason}`)
    progress.note(`Judged ${how}.`)
  }
  console.log(options.json ? JSON.stringify(report) : describeReport(report, how))
  process.exitCode = isWell(report) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message.trim() : String(error))
  process.exitCode = error instanceof UsageError ? 2 : 1
}
