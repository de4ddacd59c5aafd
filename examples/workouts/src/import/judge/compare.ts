// What the file says against what the database holds, workout by workout: which sets are missing, doubled or different, and
// whether they stand in the file's order. Works on texts that both sides were brought to; loads nothing of Holdfast and nothing of the importer.
import type { FileLine, Said } from './file.ts'

/** A workout as the database holds it; its sets in the order of their positions. */
export interface HeldWorkout {
  readonly startedAt: string
  readonly name: string
  readonly endedAt: string
  readonly notes: string
  readonly sets: readonly { readonly id: string; readonly position: number; readonly set: Said }[]
}

/** What the comparison found. */
export interface Found {
  /** Sets that equal a line of the file which is there already. */
  readonly duplicates: number
  readonly orderKept: boolean
  readonly valuesEqual: boolean
  readonly differences: readonly string[]
}

/** Compares all lines with all workouts. Workouts that the file does not name are not looked at. */
export function compare(lines: readonly FileLine[], held: readonly HeldWorkout[]): Found {
  const found = { duplicates: 0, orderKept: true, valuesEqual: true, differences: [] as string[] }
  const heldByKey = groupBy(held, keyOf)
  for (const [key, linesOfKey] of groupBy(lines, keyOf)) {
    const workouts = heldByKey.get(key) ?? []
    const linesByWorkout = new Map<HeldWorkout, FileLine[]>(workouts.map((workout) => [workout, []]))
    for (const line of linesOfKey) {
      const workout = workouts.find((candidate) => agrees(candidate, line))
      if (workout !== undefined) linesByWorkout.get(workout)?.push(line)
      else {
        found.valuesEqual = false
        found.differences.push(
          workouts.length === 0
            ? `line ${line.line}: its workout is not in the database`
            : `line ${line.line}: its workout has another end or other notes in the database`,
        )
      }
    }
    for (const [workout, linesOfWorkout] of linesByWorkout) {
      if (linesOfWorkout.length === 0)
        found.differences.push(`${workout.name}, ${workout.startedAt}: the workout is there once more than in the file`)
      compareWorkout(linesOfWorkout, workout, linesOfKey, found)
    }
  }
  return found
}

/** The items by key, in their order. */
export function groupBy<Item, Key>(items: readonly Item[], keyOfItem: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOfItem(item))
    if (group === undefined) groups.set(keyOfItem(item), [item])
    else group.push(item)
  }
  return groups
}

function keyOf({ startedAt, name }: { readonly startedAt: string; readonly name: string }): string {
  return JSON.stringify([startedAt, name])
}

function agrees(workout: HeldWorkout, line: FileLine): boolean {
  return (
    (line.endedAt === '' || line.endedAt === workout.endedAt) &&
    (line.workoutNotes === '' || line.workoutNotes === workout.notes)
  )
}

type Finding = { duplicates: number; orderKept: boolean; valuesEqual: boolean; differences: string[] }

function compareWorkout(
  lines: readonly FileLine[],
  workout: HeldWorkout,
  allLines: readonly FileLine[],
  found: Finding,
): void {
  const columns = Object.keys(allLines[0]?.set ?? {})
  const keyOfSet = (said: Said): string => JSON.stringify(columns.map((column) => said[column] ?? ''))
  const known = new Set(allLines.map(({ set }) => keyOfSet(set)))
  const wanted = groupBy(lines, ({ set }) => keyOfSet(set))

  const present: { readonly line: number }[] = []
  const unknown: (typeof workout.sets)[number][] = []
  for (const held of workout.sets) {
    const key = keyOfSet(held.set)
    const line = wanted.get(key)?.shift()
    if (line !== undefined) present.push(line)
    else if (known.has(key)) {
      found.duplicates++
      found.differences.push(
        `${workout.name}, ${workout.startedAt}: the set at position ${held.position} is a duplicate`,
      )
    } else unknown.push(held)
  }
  // Equal sets cannot be told apart, so each was given the first free line; in order they must rise.
  const outOfOrder = present.find(({ line }, index) => index > 0 && line < (present[index - 1]?.line ?? 0))
  if (outOfOrder !== undefined) {
    found.orderKept = false
    found.differences.push(`line ${outOfOrder.line}: its set stands after that of a later line`)
  }
  const missing = [...wanted.values()].flat().sort((a, b) => a.line - b.line)
  if (missing.length > 0 || unknown.length > 0) found.valuesEqual = false
  for (const [index, line] of missing.entries()) {
    const other = unknown[index]
    const unlike = other === undefined ? [] : columns.filter((column) => line.set[column] !== other.set[column])
    found.differences.push(
      other === undefined
        ? `line ${line.line}: its set is not in the database`
        : `line ${line.line}: ${unlike.map((column) => `${column} is ${JSON.stringify(line.set[column])} in the file and ${JSON.stringify(other.set[column])} in the database`).join('; ')}`,
    )
  }
  for (const held of unknown.slice(missing.length))
    found.differences.push(
      `${workout.name}, ${workout.startedAt}: the set at position ${held.position} is in no line of the file`,
    )
}
