// Ids come from content: the same file gives the same intents whoever reads it and in whatever form, equal lines stay different
// sets, and the order of the file is the order of the intents.
import { v5 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { contentId } from '../../examples/workouts/src/import/content-id.ts'
import { readExport } from '../../examples/workouts/src/import/parse.ts'
import { type Plan, planImport } from '../../examples/workouts/src/import/plan.ts'
import { bytes, hevy, history, meant, say, strongLater, strongOld, write } from './exports.ts'

const planOf = (text: string, actor = 'ada'): Plan => planImport(readExport(bytes(text)), actor)
const ids = ({ intents }: Plan): string[] => intents.map(({ id }) => id)

describe('the plan of an import', () => {
  const sets = history(60)
  const plan = planOf(write(sets, strongOld))

  it('makes one intent for each workout and one for each set, in the order of the file', () => {
    expect(plan).toMatchObject({ linesRead: 60, workouts: 5, sets: 60, unreadable: [] })
    expect(plan.intents.filter(({ mutator }) => mutator === 'logSet').map(({ line }) => line)).toEqual(
      [...plan.intents.filter(({ mutator }) => mutator === 'logSet').map(({ line }) => line)].sort((a, b) => a - b),
    )
    const made = new Set<unknown>()
    for (const { id, mutator, args } of plan.intents) {
      if (mutator === 'logWorkout') made.add(id)
      else expect(made.has(args['workoutId'])).toBe(true)
    }
  })

  it('gives ids that are UUIDs, all different, though the file has equal lines', () => {
    const equal = planOf(write([meant(), meant(), meant()], strongOld))
    expect(equal).toMatchObject({ workouts: 1, sets: 3 })
    expect(new Set(ids(equal)).size).toBe(4)
    for (const id of [...ids(equal), ...ids(plan)])
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(new Set(ids(plan)).size).toBe(65)
  })

  it('gives the same ids in every run and form of one file, and other ids to other actors', () => {
    expect(planOf(write(sets, strongOld))).toEqual(plan)
    expect(ids(planOf(write(sets, strongOld, { delimiter: ';', lineEnd: '\r\n', bom: true })))).toEqual(ids(plan))
    expect(ids(planImport(readExport(bytes(write(sets, strongOld)), { weight: 'lb', distance: 'mi' }), 'ada'))).toEqual(
      ids(plan),
    )
    expect(ids(planOf(write(sets, strongOld), 'eve')).filter((id) => ids(plan).includes(id))).toEqual([])
    expect(ids(planOf(write(sets, hevy))).filter((id) => ids(plan).includes(id))).toEqual([])
  })

  it('keeps the ids of old lines when a later export has more workouts and more equal lines', () => {
    const longer = planOf(write([...sets, meant({ startedAt: '2025-01-01 10:00:00' }), sets[0] ?? meant()], strongOld))
    expect(ids(longer).slice(0, 65)).toEqual(ids(plan))
    expect(longer.intents).toHaveLength(68)
  })

  it('has ids that never change from one version of this code to the next', () => {
    expect(contentId(['a', 1, null])).toBe(v5('["a",1,null]', '8f2b8b0e-5c5d-4f0c-9a55-1f8f6f0b7f4d'))
    expect(ids(planOf(write([meant()], strongOld)))).toEqual([
      'c354ca08-f31b-5f82-b3d5-d23c110ff2e3',
      'ec39c557-e756-5b02-963f-3c7ccc0c603f',
    ])
  })

  it('takes what any line of a workout says of it, and tells workouts of one name and time apart', () => {
    const scattered = [meant({ workoutNotes: '' }), meant({ workoutNotes: 'tired' }), meant({ workoutNotes: '' })]
    const one = planOf(write(scattered, strongOld))
    expect(one.intents.filter(({ mutator }) => mutator === 'logWorkout').map(({ args }) => args['notes'])).toEqual([
      'tired',
    ])
    const two = planOf(
      write(
        [meant({ notes: '1h' }), meant({ notes: '2h' })],
        say(strongLater, 'Duration', ({ notes }) => notes),
      ),
    )
    expect(two).toMatchObject({ workouts: 2, sets: 2 })
  })

  it('reports lines that the app would not take, with their number', () => {
    const refused = planOf(
      write(
        [
          meant({ rpe: '11' }),
          meant({ reps: '-1' }),
          meant({ workout: 'x'.repeat(301) }),
          meant({ notes: 'a\u0000b' }),
          meant(),
        ],
        strongLater,
      ),
    )
    expect(refused.unreadable.map(({ line, reason }) => [line, reason.split(':')[0]])).toEqual([
      [2, 'rpe'],
      [3, 'reps'],
      [4, 'name'],
      [5, 'notes'],
    ])
    expect(refused).toMatchObject({ workouts: 1, sets: 1, linesRead: 5 })
  })

  it('leaves a workout out whose every line is unreadable', () => {
    const plan = planOf(write([meant({ startedAt: '2024-05-05 10:00:00', weight: 'x' }), meant()], strongOld))
    expect(plan).toMatchObject({ workouts: 1, sets: 1, unreadable: [{ line: 2 }] })
  })
})
