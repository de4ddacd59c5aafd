// What people try in the oracle: any verb on any row of anybody, more often than not on ids that exist, are taken, or were never told to
// them. Chooses by dice alone and knows no rights.
import type { Json } from '../../../../base/json.ts'
import type { Dice } from '../../../random.ts'
import type { Deed, RightsModel } from './model.ts'

/** Who there is. */
export const ACTORS: readonly string[] = ['anna', 'ben', 'cem', 'dora', 'eve', 'finn', 'gil', 'hana']
const TEAMS: readonly string[] = ['oak', 'elm', 'ash', 'fir']
/** How many ids each table has: few, so that they are taken, go, and come back under somebody else. */
const IDS = { lists: 32, tasks: 64, steps: 48, members: 24, boards: 16, cards: 48 } as const
type Name = keyof typeof IDS

/** Who tries, with dice, in a world that has some rows. */
export interface Trier {
  readonly dice: Dice
  readonly actor: string
  readonly model: RightsModel
}

/** An id of a table: one that the actor may know of, one that is there, or any. */
function anyId({ dice, actor, model }: Trier, table: Name): string {
  const how = dice.weighted({ known: 5, there: 4, any: 3 })
  const ids =
    how === 'known' ? model.seen(actor, table) : how === 'there' ? [...(model.tables.get(table)?.keys() ?? [])] : []
  return dice.pick(ids) ?? newId(dice, table)
}
const newId = (dice: Dice, table: Name): string => `${table.slice(0, 1)}${dice.below(IDS[table])}`
const anyTable = (dice: Dice): Name => dice.weighted({ lists: 4, tasks: 5, steps: 4, members: 1, boards: 3, cards: 4 })

/** A whole row. `actor` is who it may be of, most of the time. */
function rowOf(trier: Trier, table: Name) {
  const { dice, actor } = trier
  const id = newId(dice, table)
  const someone = dice.chance(0.7) ? actor : (dice.pick(ACTORS) ?? actor)
  switch (table) {
    case 'lists':
      return { id, ownerId: someone, title: `of ${someone}`, note: null, done: dice.chance(0.5), extra: null, at: null }
    case 'tasks':
      return { id, listId: anyId(trier, 'lists'), label: 'a task', points: dice.below(9), hours: dice.below(8) / 4 }
    case 'steps':
      return { id, taskId: anyId(trier, 'tasks'), label: 'a step' }
    case 'members':
      return {
        id,
        teamId: dice.pick(TEAMS) ?? '',
        userId: someone,
        role: dice.pick(['reader', 'writer', 'writer']) ?? '',
      }
    case 'boards':
      return { id, teamId: dice.pick(TEAMS) ?? '', title: 'a board' }
    case 'cards':
      return { id, boardId: anyId(trier, 'boards'), label: 'a card', effort: dice.below(9) }
  }
}

/** The columns by which a row lies where it lies, with another value. */
function elsewhere(trier: Trier, table: Name): { readonly [column: string]: Json } {
  const { dice } = trier
  switch (table) {
    case 'lists':
      return { ownerId: dice.pick(ACTORS) ?? '' }
    case 'tasks':
      return { listId: anyId(trier, 'lists') }
    case 'steps':
      return { taskId: anyId(trier, 'tasks') }
    case 'cards':
      return { boardId: anyId(trier, 'boards') }
    case 'members':
    case 'boards':
      return { teamId: dice.pick(TEAMS) ?? '' }
  }
}

/** Other columns. */
function changed(dice: Dice, table: Name): { readonly [column: string]: Json } {
  switch (table) {
    case 'lists':
    case 'boards':
      return { title: `changed ${dice.below(100)}` }
    case 'tasks':
      return { points: dice.below(9), hours: dice.below(8) / 4 }
    case 'steps':
      return { label: `changed ${dice.below(100)}` }
    case 'members':
      return { role: dice.pick(['reader', 'writer']) ?? '' }
    case 'cards':
      return { effort: dice.below(9) }
  }
}

/** One deed. */
export function anyDeed(trier: Trier): Deed {
  const { dice } = trier
  const table = anyTable(dice)
  const verb = dice.weighted({ insert: 8, update: 4, move: 4, delete: 2 })
  if (verb === 'insert') return { verb, table, row: rowOf(trier, table) }
  const id = anyId(trier, table)
  if (verb === 'delete') return { verb, table, id }
  return { verb, table, id, patch: verb === 'move' ? elsewhere(trier, table) : changed(dice, table) }
}

/** A table to look into. */
export function anyPlace(trier: Trier): { readonly table: string; readonly id: string } {
  const table = anyTable(trier.dice)
  return { table, id: anyId(trier, table) }
}

/** What another program does with plain SQL: it moves or takes rows, and makes or ends memberships. */
export function foreignDeed({ dice, model }: Omit<Trier, 'actor'>): Deed {
  const trier = { dice, model, actor: dice.pick(ACTORS) ?? '' }
  const deed = anyDeed(trier)
  if (deed.verb !== 'insert' || dice.chance(0.3)) return deed
  return { verb: 'insert', table: 'members', row: rowOf(trier, 'members') }
}
