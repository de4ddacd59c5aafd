// Foresight: on a database where each statement is a way there and back, the rows that the mutators of a commit will ask for by their ids
// are read together before any of them runs. The bodies are run once over what is known so far, with nothing kept of it, only to hear which
// ids they name; what they would have found out next is asked for in another round. A wrong guess costs a row read in vain or one read
// later, and never an outcome: deciding asks the buffer for every row all the same.
// Only bodies that devices run too are run for that: they wait for nothing. Whatever such a run throws is nobody's affair.
import type { NumberedIntent } from '../../protocol/intent.ts'
import type { Row } from '../../schema/table.ts'
import { createTx, type TxSource } from '../../schema/tx.ts'
import { upgradeArguments } from '../../schema/upgrade.ts'
import type { TableLayout } from '../db/layout.ts'
import { together } from '../db/together.ts'
import type { Rights } from '../rights/grants.ts'
import { scopeOf } from '../rights/scopes.ts'
import type { OpenLog } from '../state/change-log.ts'
import type { World } from '../world.ts'
import type { Buffer, Wanted } from './buffer.ts'

/** How often it looks again: rows, their parents, and one more of each. */
const ROUNDS = 4

/** A body that asks without end would never give the turn back. */
const MAX_ASKED = 100_000

const STOP = new Error('Nothing more can be foreseen')
const refuse = (): never => {
  throw STOP
}

/** An intent that is going to run, and for whom. */
export interface Foreseen {
  readonly actor: string
  readonly rights: Rights
  readonly intent: NumberedIntent
}

/** A row that was asked for and not known; `matters` where finding it may lead on to others. */
interface Asked {
  readonly table: TableLayout
  readonly id: string
  readonly matters: boolean
}

/** Reads what these intents will probably ask for into the buffer, and what their adoption will ask of the change log into `log`. */
export async function foresee(
  { app, layout, bodies, host }: World,
  buffer: Buffer,
  intents: readonly Foreseen[],
  log: OpenLog | undefined,
): Promise<void> {
  let open = intents
  for (let round = 0; round < ROUNDS && open.length > 0; round++) {
    const wanted: Wanted = { rows: new Map(), childless: new Map(), positions: new Map() }
    const logged: [table: string, id: string][] = []
    const asked = open.map(() => [] as Asked[])
    const runs = open.map((foreseen, index) =>
      run(foreseen, sourceOver(wanted, logged, foreseen.rights, asked[index] ?? [])).catch(() => undefined),
    )
    // They are done when their microtasks are; who waits for anything else is not waited for.
    await Promise.race([Promise.all(runs), new Promise<void>((resolve) => void host.clock.turn(resolve))])
    if (wanted.rows.size === 0 && wanted.childless.size === 0) return
    for (const [{ name }, ids] of wanted.rows) for (const id of ids) logged.push([name, id])
    await together([buffer.preload(wanted), log?.read(logged) ?? Promise.resolve()])
    // The run took for absent what it did not know: only who was wrong in that would ask for more now.
    const isFound = ({ table, id, matters }: Asked) => matters && buffer.peek(table, id)?.now !== undefined
    open = open.filter((_, index) => asked[index]?.some(isFound))
  }

  async function run({ actor, intent }: Foreseen, source: TxSource): Promise<void> {
    const { name, version, args, madeAt, root = intent.id } = intent
    const mutator = Object.hasOwn(app.mutators, name) && bodies[name] === undefined ? app.mutators[name] : undefined
    if (mutator === undefined) return
    const upgraded = upgradeArguments(name, mutator, version, args)
    if (upgraded.kind === 'unfit' || upgraded.kind === 'invalid') return
    await mutator.body(createTx(app, source, { actor, madeAt, rootId: root }), upgraded.input)
  }

  function sourceOver(
    { rows, childless, positions }: Wanted,
    logged: [table: string, id: string][],
    rights: Rights,
    asked: Asked[],
  ): TxSource {
    let count = 0
    const want = (table: TableLayout, id: string, matters: boolean): Row | undefined => {
      if (++count > MAX_ASKED) refuse()
      const held = buffer.peek(table, id)
      if (held === undefined) {
        add(rows, table, id)
        asked.push({ table, id, matters })
      }
      return held?.now
    }
    const ask = (table: TableLayout, id: string) => want(table, id, true)
    /** Only read ahead: of a row that was found its own parent comes next. */
    const pass = (table: TableLayout, id: string) => want(table, id, table.parent !== undefined)
    return {
      async get(name, id) {
        const table = layout.table(name)
        const row = typeof id === 'string' ? ask(table, id) : undefined
        const scope = row === undefined ? undefined : await scopeOf(table, row, ask)
        return scope !== undefined && rights.visible.has(scope) ? row : undefined
      },
      taken: (name, id) => ask(layout.table(name), id) !== undefined,
      async insert(name, row) {
        const table = layout.table(name)
        await scopeOf(table, row, pass)
        for (const aggregate of table.aggregates) logged.push([aggregate.name, String(row[table.under])])
        for (const child of table.children) if (!buffer.isChildless(child, row.id)) add(childless, child, row.id)
        for (const position of table.positions) {
          const parents = positions.get(position)?.parents ?? new Set()
          positions.set(position, { table, parents: parents.add(String(row[position.parent])) })
        }
      },
      update: async (name, _before, after) => void (await scopeOf(layout.table(name), after, pass)),
      delete: () => undefined,
      find: refuse,
      sql: refuse,
      began: (verb) => void verb.catch(() => undefined),
    }
  }
}

function add(lists: Map<TableLayout, Set<string>>, table: TableLayout, id: string): void {
  const list = lists.get(table)
  if (list === undefined) lists.set(table, new Set([id]))
  else list.add(id)
}
