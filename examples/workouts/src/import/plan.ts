// What was read from a file → the intents that bring it in: one for each workout and one for each set, in the order of the file,
// which is the order in which positions are given. Ids come from content and actor; equal lines are different sets, so the id
// takes the line's count among its equals. Units are not part of an id: reading a file again in other units must not double it.
// Every line is in the plan or among the unreadable; nothing is made or sent here.
import { app } from '../app.ts'
import { contentId } from './content-id.ts'
import type { Export, SetLine, UnreadableLine, WorkoutPart } from './parse.ts'
import { finish, type Steps } from './steps.ts'

/** One intent to make. */
export interface PlannedIntent {
  readonly id: string
  readonly mutator: 'logWorkout' | 'logSet'
  readonly args: Arguments
  /** The line that it comes from; a workout's is that of its first set. */
  readonly line: number
}
type Arguments = { readonly [name: string]: string | number | { readonly [column: string]: string } }

/** All that an import will do. */
export interface Plan {
  readonly linesRead: number
  readonly workouts: number
  readonly sets: number
  readonly intents: readonly PlannedIntent[]
  readonly unreadable: readonly UnreadableLine[]
}

/** A workout with what all of its lines say of it. */
interface Group {
  readonly id: string
  part: WorkoutPart
  isPlanned: boolean
}

/** Lines that are planned between two steps: less than a millisecond. */
const LINES_PER_STEP = 10

/** Plans the import of a file for an actor. The same file and actor give the same plan. */
export function planImport(file: Export, actor: string): Plan {
  return finish(planImportInSteps(file, actor))
}

/** Plans an import in steps. */
export function* planImportInSteps(
  { source, linesRead, sets, unreadable: unread }: Export,
  actor: string,
): Steps<Plan> {
  const unreadable = [...unread]
  const groupsByKey = new Map<string, Group[]>()
  const accepted: { readonly setLine: SetLine; readonly group: Group }[] = []
  for (const [index, setLine] of sets.entries()) {
    if (index % LINES_PER_STEP === 0) yield { done: index, all: 2 * sets.length }
    const problem =
      problemOf('logWorkout', { id: 'x', source, ...compact(setLine.workout) }) ??
      problemOf('logSet', { id: 'x', workoutId: 'x', ...compact(setLine.set) })
    if (problem !== undefined) {
      unreadable.push({ line: setLine.line, reason: problem })
      continue
    }
    const { name, startedAt } = setLine.workout
    const key = JSON.stringify([startedAt, name])
    const groups = groupsByKey.get(key) ?? []
    let group = groups.find(({ part }) => agree(part, setLine.workout))
    if (group === undefined) {
      group = {
        id: contentId([actor, source, 'workout', startedAt, name, groups.length]),
        part: setLine.workout,
        isPlanned: false,
      }
      groups.push(group)
      groupsByKey.set(key, groups)
    } else
      group.part = {
        ...group.part,
        endedAt: group.part.endedAt ?? setLine.workout.endedAt,
        notes: group.part.notes || setLine.workout.notes,
      }
    accepted.push({ setLine, group })
  }

  // Only now is known all that the lines of a workout say of it: a file may repeat its notes on some of them.
  const intents: PlannedIntent[] = []
  const counts = new Map<string, number>()
  for (const [index, { setLine, group }] of accepted.entries()) {
    if (index % LINES_PER_STEP === 0) yield { done: sets.length + index, all: 2 * sets.length }
    const { line, set } = setLine
    if (!group.isPlanned) {
      intents.push({
        id: group.id,
        mutator: 'logWorkout',
        args: { id: group.id, source, ...compact(group.part) },
        line,
      })
      group.isPlanned = true
    }
    const { exercise, kind, number, reps, weight, distance, seconds, rpe, superset, notes, more } = set
    const content = [
      group.id,
      exercise,
      kind,
      number,
      reps,
      weight,
      distance,
      seconds,
      rpe,
      superset,
      notes,
      JSON.stringify(more),
    ]
    const equals = JSON.stringify(content)
    const count = counts.get(equals) ?? 0
    counts.set(equals, count + 1)
    const id = contentId(['set', ...content, count])
    intents.push({ id, mutator: 'logSet', args: { id, workoutId: group.id, ...compact(set) }, line })
  }
  return {
    linesRead,
    workouts: intents.length - accepted.length,
    sets: accepted.length,
    intents,
    unreadable: unreadable.sort((a, b) => a.line - b.line),
  }
}

/** Whether two lines with one name and time can speak of one workout: what one leaves out, the other may say. */
function agree(a: WorkoutPart, b: WorkoutPart): boolean {
  return (
    (a.endedAt === null || b.endedAt === null || a.endedAt === b.endedAt) &&
    (a.notes === '' || b.notes === '' || a.notes === b.notes)
  )
}

/** The values without those that the schema fills in by itself. Units stay: leaving one out means kilograms or kilometres. */
function compact(part: object): Arguments {
  return Object.fromEntries(
    Object.entries(part).filter(
      ([name, value]) =>
        name.endsWith('Unit') ||
        name === 'name' ||
        !(value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)),
    ),
  )
}

/** Why the app would not take these arguments, or undefined. */
function problemOf(mutator: PlannedIntent['mutator'], args: Arguments): string | undefined {
  const result = app.mutators[mutator].schema['~standard'].validate(args)
  if (result instanceof Promise || result.issues === undefined) return undefined
  const [issue] = result.issues
  const path = issue?.path?.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
  return `${path ?? 'the line'}: ${issue?.message ?? 'is not accepted'}`
}
