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
]
