// Somebody else in the database: plain SQL on a second connection, as a cron job or a person with a console would write it. Inserts,
// updates, deletes, rows and parents that move to other scopes, changed keys, changed grants. What was written is told to the oracle.
import type { DatabaseSync } from 'node:sqlite'
import type { AuthorityNode } from './authority.ts'
import type { PlainRow } from './model.ts'
import type { Dice } from './random.ts'
import type { ForeignChange, Truth } from './truth.ts'

/** Somebody else. Both give false when nothing was written: the authority held the lock, or there was nothing to write to. */
export interface Foreign {
  write(): boolean
  changeGrants(): boolean
  /** The rows with which a world begins. */
  begin(gyms: readonly string[], actors: readonly string[]): boolean
}

/** What somebody else needs. */
export interface ForeignParts {
  readonly authority: AuthorityNode
  readonly truth: Truth
  readonly dice: Dice
  readonly actors: readonly string[]
}

type Deed = (db: DatabaseSync) => readonly ForeignChange[]

/** Makes somebody else. */
export function createForeign({ authority, truth, dice, actors }: ForeignParts): Foreign {
  let made = 0
  const fresh = (kind: string): string => `${kind}-foreign-${++made}`
  const any = (table: string): PlainRow | undefined => dice.pick([...truth.model.rows(table).values()])
  const someone = (): string => dice.pick(actors) ?? ''
  const kg = (): number => dice.between(4, 400) / 4

  const update = (
    db: DatabaseSync,
    table: string,
    row: PlainRow,
    patch: { readonly [column: string]: string | number },
  ): ForeignChange => {
    const columns = Object.keys(patch)
    db.prepare(`UPDATE "${table}" SET ${columns.map((column) => `"${column}" = ?`).join(', ')} WHERE id = ?`).run(
      ...Object.values(patch),
      row.id,
    )
    return { table, id: row.id, row: { ...row, ...patch } }
  }
  const insert = (db: DatabaseSync, table: string, row: PlainRow): ForeignChange => {
    const columns = Object.keys(row)
    const values = Object.values(row).map((value) => (typeof value === 'boolean' ? Number(value) : value)) as (
      | string
      | number
      | null
    )[]
    db.prepare(
      `INSERT INTO "${table}" (${columns.map((column) => `"${column}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ).run(...values)
    return { table, id: row.id, row }
  }
  /** Moves a row that has a position; most who do so by hand know that the position has to be given anew. */
  const moveUnder = (
    db: DatabaseSync,
    table: string,
    row: PlainRow,
    column: string,
    to: string | undefined,
  ): readonly ForeignChange[] => {
    if (to === undefined) return []
    if (dice.chance(0.7)) db.prepare(`UPDATE "${table}" SET position = NULL WHERE id = ?`).run(row.id)
    return [update(db, table, row, { [column]: to })]
  }
  const remove = (db: DatabaseSync, table: string, row: PlainRow): ForeignChange => {
    db.prepare(`DELETE FROM "${table}" WHERE id = ?`).run(row.id)
    return { table, id: row.id, row: undefined }
  }
  const on =
    (table: string, deed: (db: DatabaseSync, row: PlainRow) => readonly ForeignChange[]): Deed =>
    (db) => {
      const row = any(table)
      return row === undefined ? [] : deed(db, row)
    }
  /** The id of another row than the one that is named. */
  const another = (table: string, than: unknown): string | undefined =>
    dice.pick([...truth.model.rows(table).keys()].filter((id) => id !== than))
  const newSet = (db: DatabaseSync, workoutId: string): ForeignChange =>
    insert(db, 'sets', { id: fresh('s'), workoutId, exercise: 'row', reps: dice.between(1, 12), kg: kg() })

  const deeds: { readonly [deed: string]: Deed } = {
    addSet: on('workouts', (db, { id }) => [newSet(db, id)]),
    changeSet: on('sets', (db, set) => [update(db, 'sets', set, { kg: kg() })]),
    dropSet: on('sets', (db, set) => [remove(db, 'sets', set)]),
    moveSet: on('sets', (db, set) => moveUnder(db, 'sets', set, 'workoutId', another('workouts', set['workoutId']))),
    renameSet: on('sets', (db, set) => {
      const id = fresh('s')
      db.prepare('UPDATE "sets" SET id = ? WHERE id = ?').run(id, set.id)
      return [
        { table: 'sets', id: set.id, row: undefined },
        { table: 'sets', id, row: { ...set, id } },
      ]
    }),
    giveWorkout: on('workouts', (db, workout) => [update(db, 'workouts', workout, { ownerId: someone() })]),
    // One that has sets, since they stay behind, in nobody's scope.
    dropWorkout: on('sets', (db, { workoutId }) => {
      const workout = truth.model.rows('workouts').get(String(workoutId))
      return workout === undefined ? [] : [remove(db, 'workouts', workout)]
    }),
    findWorkout(db) {
      const lost = [...truth.model.rows('sets').values()].find(
        ({ workoutId }) => !truth.model.rows('workouts').has(String(workoutId)),
      )
      const id = lost === undefined ? fresh('w') : String(lost['workoutId'])
      return [
        insert(db, 'workouts', { id, ownerId: someone(), name: 'found', isOpen: true, note: null }),
        newSet(db, id),
        newSet(db, id),
      ]
    },
    addSteps: on('tallies', (db, tally) => [
      update(db, 'tallies', tally, { steps: Number(tally['steps']) + dice.between(1, 9) }),
    ]),
    moveMachine: on('machines', (db, machine) => [update(db, 'machines', machine, { gymId: any('gyms')?.id ?? '' })]),
    dropMachine: on('machines', (db, machine) => [remove(db, 'machines', machine)]),
    visit: on('gyms', (db, { id }) => [insert(db, 'visits', { id: fresh('v'), gymId: id, actorId: someone() })]),
    moveVisit: on('visits', (db, visit) => moveUnder(db, 'visits', visit, 'gymId', another('gyms', visit['gymId']))),
  }
  const frequency = {
    addSet: 3,
    changeSet: 3,
    dropSet: 1,
    moveSet: 2,
    renameSet: 1,
    giveWorkout: 1,
    dropWorkout: 2.5,
    findWorkout: 0.7,
    addSteps: 2,
    moveMachine: 2,
    dropMachine: 1,
    visit: 2,
    moveVisit: 1,
  }

  /** Writes in one transaction; the oracle hears of it when it is committed. */
  const commit = (deed: Deed): boolean => {
    const changes = authority.foreign((db) => {
      db.exec('BEGIN IMMEDIATE')
      try {
        const made = deed(db)
        db.exec('COMMIT')
        return made
      } catch (error) {
        // A row that keeps its position on the way to another parent may meet one there: then nothing is written.
        db.exec('ROLLBACK')
        if (String(error).includes('UNIQUE constraint failed')) return []
        throw error
      }
    })
    if (changes === undefined || changes.length === 0) return false
    truth.wroteForeign(changes)
    return true
  }

  const changeMember: Deed = (db) => {
    const gym = any('gyms')?.id ?? ''
    const actor = someone()
    const id = `${gym}-${actor}`
    const member = truth.model.rows('members').get(id)
    if (member === undefined)
      return [
        insert(db, 'members', {
          id,
          gymId: gym,
          actorId: actor,
          role: dice.pick(['reader', 'member', 'member']) ?? '',
        }),
      ]
    if (dice.chance(0.5)) return [remove(db, 'members', member)]
    return [update(db, 'members', member, { role: member['role'] === 'member' ? 'reader' : 'member' })]
  }

  return {
    write: () => commit((db) => (deeds[dice.weighted(frequency)] as Deed)(db)),
    changeGrants: () => commit(changeMember),
    begin: (gyms, who) =>
      commit((db) => [
        ...gyms.map((id) => insert(db, 'gyms', { id, name: `gym ${id}` })),
        ...gyms.flatMap((gymId) =>
          [1, 2].map((number) =>
            insert(db, 'machines', { id: `m-${gymId}-${number}`, gymId, name: `machine ${number}`, uses: 0 }),
          ),
        ),
        ...who.flatMap((actorId) =>
          gyms
            .filter(() => dice.chance(0.8))
            .map((gymId) =>
              insert(db, 'members', {
                id: `${gymId}-${actorId}`,
                gymId,
                actorId,
                role: dice.chance(0.8) ? 'member' : 'reader',
              }),
            ),
        ),
      ]),
  }
}
