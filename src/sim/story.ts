// The story of one seed as a table for people: every call with the times at which it went from stage to stage and what became of it,
// in the order in which they were made, with the faults between them. Times are seconds of the world.
import type { Call } from './calls.ts'
import { FAULTS } from './faults.ts'
import type { SeedRun } from './run.ts'

const columns = ['made', 'device', 'intent', 'saved', 'sent', 'decided', 'sealed', 'outcome'] as const

/** Tells the story, one line a call or fault. */
export function tellStory({ result, calls, told }: SeedRun): string {
  const rows: { readonly time: number; readonly cells?: readonly string[]; readonly line?: string }[] = [
    ...calls.values(),
  ].map((call) => ({ time: call.madeAt, cells: cellsOf(call) }))
  for (const { time, kind, where } of told)
    rows.push({ time, line: `${seconds(time)}  · ${kind} (${where}): ${FAULTS[kind]}` })
  rows.sort((a, b) => a.time - b.time)
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map(({ cells }) => cells?.[index]?.length ?? 0)),
  )
  const pad = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  const head = `seed ${result.seed}: ${result.intents} intents, ${told.length} faults, ${result.agreedAfterMs < 0 ? 'no agreement' : `agreement ${result.agreedAfterMs / 1000} s after the last fault`}, digest ${result.digest}`
  const end = result.violations.map(({ invariant, message }) => `${invariant} does not hold: ${message}`)
  return [
    head,
    '',
    pad(columns),
    ...rows.map(({ cells, line }) => (cells === undefined ? (line ?? '') : pad(cells))),
    '',
    ...(end.length === 0 ? ['All invariants held.'] : end),
    '',
  ].join('\n')
}

function cellsOf(call: Call): string[] {
  const { device, name, args, id, told, refused, isLostWithDisk, discardedAt } = call
  const last = told.at(-1)
  const outcome =
    refused !== undefined
      ? `refused: ${refused}`
      : last === undefined
        ? ''
        : last.status === 'applied'
          ? `applied${last.repeated ? ', repeated' : ''}`
          : `${last.status}: ${last.code}`
  const more = [
    discardedAt === undefined ? '' : `discarded at ${seconds(discardedAt)}`,
    isLostWithDisk === true ? 'its disk went back' : '',
  ]
  return [
    seconds(call.madeAt),
    device,
    `${name} ${JSON.stringify(args).slice(0, 60)} ${id.slice(0, 8)}`,
    seconds(call.savedAt),
    seconds(call.sentAt),
    seconds(call.decidedAt),
    seconds(call.sealedAt),
    [outcome, ...more].filter((text) => text !== '').join(', '),
  ]
}

function seconds(time: number | undefined): string {
  return time === undefined ? '' : (time / 1000).toFixed(3).padStart(7)
}
