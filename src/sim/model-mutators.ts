// What each mutator of app.ts means, in plain code over plain rows: the second writing of the app, against which the first is held.
// Where rows are and who may write them is model.ts.

import type { Json } from '../base/json.ts'
import { derivedUuid } from '../base/random.ts'
import type { IntentBase } from '../protocol/base.ts'
import { CONFLICTS } from '../schema/conflict.ts'
import { WORN_AT } from './app.ts'

/** A row without positions. */
export type PlainRow = { readonly id: string; readonly [column: string]: Json }

/** All that decides what an intent does. */
export interface PlainIntent {
  readonly id: string
  readonly root: string
  readonly actor: string
  readonly name: string
  readonly args: { readonly [name: string]: Json }
  readonly madeAt: number
  readonly needs: readonly string[]
  readonly base?: IntentBase
}

/** What an intent can do to the rows that its actor sees; each refuses as the engine does. */
export interface PlainTransaction {
  get(table: string, id: string): PlainRow | undefined
  /** The visible rows of a table whose column has this value. */
  withValue(table: string, column: string, value: string): PlainRow[]
  insert(table: string, row: PlainRow): void
  update(table: string, id: string, patch: { readonly [column: string]: Json }): void
  remove(table: string, id: string): void
  refuse(code: string): never
}

/** Runs the meaning of one intent. */
export function runPlainly(intent: PlainIntent, tx: PlainTransaction): void {
  const text = (name: string): string => String(intent.args[name])
  const number = (name: string): number => Number(intent.args[name])
  switch (intent.name) {
    case 'startWorkout':
      return tx.insert('workouts', {
        id: text('id'),
        ownerId: intent.actor,
        name: text('name'),
        isOpen: true,
        note: { madeAt: intent.madeAt },
      })
    case 'logSet': {
      const workout = tx.get('workouts', text('workoutId')) ?? tx.refuse('no_workout')
      if (workout['isOpen'] !== true) tx.refuse('workout_closed')
      // Sets of version 1 had no exercise.
      return tx.insert('sets', { exercise: 'squat', ...intent.args } as unknown as PlainRow)
    }
    case 'editSet':
      return tx.update('sets', text('id'), { reps: number('reps'), kg: number('kg') })
    case 'moveSet':
      if (tx.get('workouts', text('workoutId')) === undefined) tx.refuse('no_workout')
      return tx.update('sets', text('id'), { workoutId: text('workoutId') })
    case 'finishWorkout':
      if (tx.withValue('sets', 'workoutId', text('id')).length === 0) tx.refuse('workout_empty')
      return tx.update('workouts', text('id'), { isOpen: false })
    case 'dropLightest': {
      const light = tx
        .withValue('sets', 'workoutId', text('workoutId'))
        .filter((set) => Number(set['kg']) < number('below'))
      light.sort((a, b) => Number(a['kg']) - Number(b['kg']) || (a.id < b.id ? -1 : 1))
      for (const set of light.slice(0, 2)) tx.remove('sets', set.id)
      return
    }
    case 'dropWorkout':
      for (const set of tx.withValue('sets', 'workoutId', text('id'))) tx.remove('sets', set.id)
      return tx.remove('workouts', text('id'))
    case 'step': {
      const tally = tx.get('tallies', text('id'))
      if (tally === undefined)
        return tx.insert('tallies', { id: text('id'), ownerId: intent.actor, steps: number('by') })
      return tx.update('tallies', tally.id, { steps: Number(tally['steps']) + number('by') })
    }
    case 'useMachine': {
      const machine = tx.get('machines', text('id')) ?? tx.refuse('no_machine')
      if (Number(machine['uses']) >= WORN_AT) tx.refuse('machine_worn')
      return tx.update('machines', machine.id, { uses: Number(machine['uses']) + 1 })
    }
    case 'repairMachine':
      tx.update('machines', text('machineId'), { uses: 0 })
      return tx.insert('repairs', {
        id: derivedUuid(intent.root, 'repair'),
        machineId: text('machineId'),
        cost: number('cost'),
      })
    case 'nameMachine':
      return tx.update('machines', text('id'), { name: text('name'), uses: number('uses') })
    case 'inspectMachine': {
      const machine = tx.get('machines', text('id')) ?? tx.refuse('no_machine')
      return tx.update('machines', machine.id, { name: `${text('name')} after ${Number(machine['uses'])}` })
    }
    case 'restoreConflict': {
      const record = tx.get(CONFLICTS, text('id')) ?? tx.refuse('row_gone')
      const restored = String(intent.args['values'] ?? record['lost'])
      const side = record[restored] as { readonly [column: string]: Json } | null
      const [table, id] = [String(record['tableName']), String(record['rowId'])]
      const isThere = tx.get(table, id) !== undefined
      if (side === null && isThere) tx.remove(table, id)
      else if (side !== null && (isThere || ['name', 'uses', 'gymId'].some((name) => !Object.hasOwn(side, name))))
        tx.update(table, id, side)
      else if (side !== null) tx.insert(table, { ...side, id })
      return tx.update(CONFLICTS, record.id, { restored, restoredBy: intent.actor, restoredAt: intent.madeAt })
    }
    case 'dismissConflict':
      return tx.remove(CONFLICTS, text('id'))
    case 'moveMachine':
      if (tx.get('gyms', text('gymId')) === undefined) tx.refuse('no_gym')
      return tx.update('machines', text('id'), { gymId: text('gymId') })
    case 'visit':
      return tx.insert('visits', { id: text('id'), gymId: text('gymId'), actorId: intent.actor })
    case 'setRole':
      return text('role') === 'none'
        ? tx.remove('members', text('id'))
        : tx.update('members', text('id'), { role: text('role') })
    case 'insertMachines':
      return tx.insert('machines', intent.args as PlainRow)
    case 'updateMachines':
      return tx.update('machines', text('id'), patchOf(intent.args))
    case 'deleteMachines':
      return tx.remove('machines', text('id'))
    case 'deleteSets':
      return tx.remove('sets', text('id'))
    case 'updateWorkouts':
      return tx.update('workouts', text('id'), patchOf(intent.args))
    default:
      throw new TypeError(`The model knows no mutator ${intent.name}`)
  }
}

function patchOf(args: PlainIntent['args']): { readonly [column: string]: Json } {
  const { id: _id, ...patch } = args
  return patch
}
