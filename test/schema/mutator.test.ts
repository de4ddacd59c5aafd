// Arguments: validated by any Standard Schema, brought up by upgrades, and never changed by whoever looks at them.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineApp, type Json } from 'holdfast'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { jsonProblem } from '../../src/base/json.ts'
import { fingerprintIntent } from '../../src/protocol/intent.ts'
import { type Mutator, type MutatorOptions, makeMutator, validateArguments } from '../../src/schema/mutator.ts'
import { upgradeArguments } from '../../src/schema/upgrade.ts'
import { app, tables } from './workouts.ts'

const nothing = async () => undefined
const make = (schema: StandardSchemaV1, options: MutatorOptions<never> = {}): Mutator =>
  makeMutator(schema, nothing, options)

/** A hand-written schema of a second vendor. */
const handWritten = (validate: (value: unknown) => unknown): StandardSchemaV1 => ({
  '~standard': { version: 1, vendor: 'by hand', validate: validate as StandardSchemaV1['~standard']['validate'] },
})

describe('validation', () => {
  const squat = make(v.object({ reps: v.pipe(v.number(), v.minValue(1)), note: v.optional(v.string(), 'none') }))

  test('gives the body what the schema makes of the arguments', () => {
    expect(validateArguments('logSet', squat, { reps: 5 })).toEqual({ ok: true, input: { reps: 5, note: 'none' } })
  })

  test('says what is wrong, field by field', () => {
    expect(validateArguments('logSet', squat, { reps: 0 })).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/^reps: /)],
    })
    expect(validateArguments('logSet', squat, 'x')).toMatchObject({ ok: false })
  })

  test('takes any vendor, also one whose path has keys as objects', () => {
    const other = make(handWritten(() => ({ issues: [{ message: 'is wrong', path: [{ key: 'a' }, 0, Symbol('s')] }] })))
    expect(validateArguments('x', other, {})).toEqual({ ok: false, problems: ['a.0.Symbol(s): is wrong'] })
  })

  test('refuses a schema that would have the screen wait', () => {
    const slow = make(handWritten(async (value) => ({ value })))
    expect(() => validateArguments('logSet', slow, {})).toThrow(/The schema of logSet validates asynchronously\./)
  })

  test('refuses what is no JSON before any schema sees it', () => {
    let seen = 0
    const counting = make(handWritten((value) => ({ value: [value, seen++] })))
    expect(validateArguments('x', counting, { a: Number.NaN })).toEqual({
      ok: false,
      problems: ['a is not a finite number'],
    })
    expect(seen).toBe(0)
  })

  test('[I12] what it says fits an outcome on the wire, however the message was made', () => {
    const cutHere = `${'x'.repeat(199)}😀`
    const hostile = make(
      handWritten(() => ({
        issues: Array.from({ length: 100 }, (_, index) => ({ message: `${cutHere}\u0000\ud83d`, path: [index] })),
      })),
    )
    const validated = validateArguments('x', hostile, {})
    if (validated.ok) throw new Error('it should have been refused')
    expect(validated.problems).toHaveLength(20)
    expect(jsonProblem(validated.problems)).toBeUndefined()
    const echo = make(
      v.pipe(
        v.string(),
        v.maxLength(3, (issue) => `${'x'.repeat(199)}${issue.input}`),
      ),
    )
    const echoed = validateArguments('x', echo, '😀😀😀')
    expect(echoed.ok).toBe(false)
    expect(jsonProblem(echoed.ok ? '' : echoed.problems)).toBeUndefined()
  })
})

describe('upgrades', () => {
  const schema = v.object({ kg: v.number(), unit: v.literal('kg') })
  const chain: MutatorOptions<never> = {
    version: 3,
    upgrades: {
      1: (args) => ({ kg: (args as { weight: number }).weight }),
      2: (args) => ({ ...(args as { kg: number }), unit: 'kg' }),
    },
  }
  const current = make(schema, chain)

  test('are composed, step by step, from the version that the intent was made by', () => {
    const ready = { kind: 'ready', input: { kg: 80, unit: 'kg' } }
    expect(upgradeArguments('lift', current, 1, { weight: 80 })).toEqual(ready)
    expect(upgradeArguments('lift', current, 2, { kg: 80 })).toEqual(ready)
    expect(upgradeArguments('lift', current, 3, { kg: 80, unit: 'kg' })).toEqual(ready)
  })

  test('that are missing leave the intent unfit, with the step that is missing', () => {
    const torn = make(schema, { version: 3, upgrades: { 1: (args) => args } })
    expect(upgradeArguments('lift', torn, 1, { weight: 80 })).toEqual({
      kind: 'unfit',
      reason: 'lift was called at version 1 and is at version 3 here: no upgrade leads on from version 2',
    })
  })

  test('that throw, or give no JSON, leave it unfit and never throw on', () => {
    const throwing = make(schema, {
      version: 2,
      upgrades: {
        1: () => {
          throw new Error('no weight')
        },
      },
    })
    expect(upgradeArguments('lift', throwing, 1, {})).toMatchObject({
      kind: 'unfit',
      reason: expect.stringContaining('the upgrade from version 1 threw no weight'),
    })
    const strange = make(schema, { version: 2, upgrades: { 1: () => ({ at: new Date(0) }) as unknown as Json } })
    expect(upgradeArguments('lift', strange, 1, {})).toMatchObject({
      kind: 'unfit',
      reason: expect.stringContaining('at is not a plain object'),
    })
  })

  test('whose result does not fit leave it unfit, but arguments of this very version that do not fit are invalid', () => {
    const wrong = make(schema, { version: 2, upgrades: { 1: () => ({ kg: 'eighty' }) } })
    expect(upgradeArguments('lift', wrong, 1, {})).toMatchObject({
      kind: 'unfit',
      reason: expect.stringMatching(/version 1 and is at version 2 here: kg: /),
    })
    expect(upgradeArguments('lift', wrong, 2, {})).toMatchObject({ kind: 'invalid' })
  })

  test('never bring a newer intent down', () => {
    expect(upgradeArguments('lift', current, 4, {})).toEqual({
      kind: 'unfit',
      reason: 'lift was called at version 4 and is at version 3 here: this app is older',
    })
  })

  test('[I3] leave what was made as it was, even a step, a schema or a body that writes into its arguments', () => {
    const args = { weight: 80, tags: ['a'] }
    const before = fingerprintIntent({ name: 'lift', version: 1, args })
    const scribbler = make(
      handWritten((value) => {
        const seen = value as { kg?: number; tags: string[] }
        seen.tags.push('seen by the schema')
        return { value: seen }
      }),
      {
        version: 2,
        upgrades: {
          1: (old) => {
            const taken = old as unknown as { kg: number; weight?: number; tags: string[] }
            taken.kg = taken.weight ?? 0
            delete taken.weight
            taken.tags.push('upgraded')
            return taken as unknown as Json
          },
        },
      },
    )
    const first = upgradeArguments('lift', scribbler, 1, args)
    if (first.kind === 'ready') (first.input as { tags: string[] }).tags.push('seen by the body')
    expect(fingerprintIntent({ name: 'lift', version: 1, args })).toBe(before)
    expect(upgradeArguments('lift', scribbler, 1, args)).toEqual({
      kind: 'ready',
      input: { kg: 80, tags: ['a', 'upgraded', 'seen by the schema'] },
    })
  })
})

describe('generated mutators', () => {
  const { insertWorkouts, updateWorkouts, deleteWorkouts } = app.mutators
  const row = { id: 'w1', ownerId: '42', name: 'Legs', startedAt: 0, isDone: false }

  test('take whole rows, patches with an id, and an id', () => {
    expect(validateArguments('insertWorkouts', insertWorkouts, row).ok).toBe(true)
    expect(validateArguments('updateWorkouts', updateWorkouts, { id: 'w1', name: 'Arms' }).ok).toBe(true)
    expect(validateArguments('updateWorkouts', updateWorkouts, { id: 'w1' }).ok).toBe(true)
    expect(validateArguments('deleteWorkouts', deleteWorkouts, { id: 'w1' }).ok).toBe(true)
  })

  test('refuse what does not fit, and say why', () => {
    const problems = (mutator: Mutator, args: Json): readonly string[] => {
      const validated = validateArguments('x', mutator, args)
      return validated.ok ? [] : validated.problems
    }
    expect(problems(insertWorkouts, { ...row, name: 5 })).toEqual(['name must be a text'])
    expect(problems(insertWorkouts, { name: 'x' })).toEqual(['id: id is missing'])
    expect(problems(insertWorkouts, [])).toEqual(['must be an object'])
    expect(problems(updateWorkouts, { id: 'w1', weight: 1 })).toEqual(['weight is not a column of this table'])
    expect(problems(updateWorkouts, { name: 'x' })).toEqual(['id: id is missing'])
    expect(problems(deleteWorkouts, { id: 'w1', name: 'x' })).toEqual(['name is not a column of this table'])
  })

  test('never take a position', () => {
    const { insertSets } = defineApp({ tables, mutators: ({ generated }) => generated('sets') }).mutators
    const validated = validateArguments('insertSets', insertSets, {
      id: 's',
      workoutId: 'w',
      exercise: 'x',
      reps: 1,
      kg: 1,
      position: 3,
    })
    expect(validated).toEqual({ ok: false, problems: ['position is given by the authority and cannot be written'] })
  })
})
