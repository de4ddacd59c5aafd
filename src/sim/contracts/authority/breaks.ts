// Faults that are planted into the sources to see the contract fail: at least one for each of its items. A case that was never seen to
// fail proves nothing. A test keeps `find` standing exactly once in its file while the sources change.
import type { SourcePatch } from '../../patches.ts'

/** One planted fault. */
export interface ContractBreak extends SourcePatch {
  readonly name: string
  /** The item whose cases must find it. */
  readonly item: number
  /** What is taken away. */
  readonly why: string
}

/** All planted faults. */
export const CONTRACT_BREAKS: readonly ContractBreak[] = [
  {
    name: 'children',
    item: 3,
    file: 'server/state/adopt.ts',
    find: 'if (change.from !== change.to) moved.push(change.id)',
    replace: '',
    why: 'Rows do not follow a parent that moves to another scope or goes (I9, I10).',
  },
  {
    name: 'writable',
    item: 4,
    file: 'server/sync/attempt.ts',
    find: "if (!rights.writable.has(scope)) throw new Rejection('forbidden', { table: table.name, id: row.id })",
    replace: '',
    why: 'Whoever may read a scope may write into it (I9).',
  },
  {
    name: 'ledger',
    item: 5,
    file: 'server/sync/push.ts',
    find: 'const ledger = await lookUp(sql, actor, fresh)',
    replace: 'const ledger = new Map<string, LedgerRecord>()',
    why: 'The authority does not look into its ledger whether it knows an intent (I3).',
  },
]
