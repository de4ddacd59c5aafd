// What the screen of a device shows: live queries that stay open, of every form that a query can have. Each listener is held to I14: it
// hears of a change once, and only after the query can be read; and what it hears equals the query answered anew.
import type { Client, LiveQuery, Shown } from '../client/index.ts'
import { comparatorOf, matches, type Query } from '../schema/query.ts'
import type { Row } from '../schema/table.ts'
import { app, type SimApp } from './app.ts'
import type { Checks } from './checks.ts'
import { textOf as rowText } from './rows.ts'

/** The queries of one screen; people act on what these show. */
export type Screen = ReturnType<typeof openScreen>

/** Opens the screen of a device whose client is loaded. */
export function openScreen(device: string, client: Client<SimApp>, { check }: Checks) {
  const { query } = app
  const watch = <R>(asking: Query<R>): LiveQuery<Shown<R>> => {
    const { spec } = asking
    const live = client.live(asking)
    let told = live.rows
    let wasKnown = knowledgeOf(live)
    let times = 0
    live.subscribe((rows) => {
      check('I14', live.rows === rows, () => `${device} is told of rows of ${spec.table} that its query does not show`)
      const known = knowledgeOf(live)
      check(
        'I14',
        known !== wasKnown || !isSame(told, rows),
        () => `${device} is told twice of ${spec.table}: ${JSON.stringify(rows).slice(0, 400)}`,
      )
      told = rows
      wasKnown = known
      // Asking anew costs more than all the rest, and a query that has gone wrong stays so: every fourth time is enough.
      if (times++ % 4 !== 0) return
      const fresh = [...client.inspect().replica.rows(spec.table)]
        .filter((row) => matches(spec.where, row))
        .sort(comparatorOf(spec.orderBy))
        .slice(0, spec.limit)
      const shown = (rows as readonly unknown[] as readonly Row[]).map((row) => rowText(spec.table, row)).join('\n')
      const asked = fresh.map((row) => rowText(spec.table, row)).join('\n')
      check(
        'I14',
        shown === asked,
        () => `${device} is told of ${spec.table} as\n${shown}\nand asked anew it is\n${asked}`,
      )
    })
    return live
  }
  watch(
    query.workoutTotals
      .where({ sets: { gt: 1 } })
      .orderBy('volume', 'desc')
      .limit(3),
  )
  watch(
    query.machines
      .where({ uses: { gte: 3 } })
      .orderBy('uses', 'desc')
      .orderBy('name'),
  )
  watch(query.visits.orderBy('position').limit(4))
  watch(query.repairTotals)
  return {
    workouts: watch(query.workouts.orderBy('name')),
    sets: watch(query.sets.orderBy('workoutId').orderBy('position')),
    machines: watch(query.machines),
    gyms: watch(query.gyms),
    members: watch(query.members.where({ role: { in: ['reader', 'member'] } })),
    conflicts: watch(app.conflicts.orderBy('at')),
    tallies: watch(query.tallies.where({ steps: { ne: 0 } })),
  }
}

/** Whether more is known now of what an empty answer means: that is news too. */
function knowledgeOf({ isLoaded, isComplete }: LiveQuery<unknown>): string {
  return `${isLoaded} ${isComplete}`
}

/** Whether two lists of rows, each with its `sync`, say the same. */
function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return (
    a.length === b.length &&
    a.every((row, index) => row === b[index] || JSON.stringify(row) === JSON.stringify(b[index]))
  )
}
