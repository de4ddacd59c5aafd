// Faults that are planted into the sources, one at a time, to see that the walk of every-turn.ts finds them.
import type { SourcePatch } from '../../../src/sim/patches.ts'
import type { Leave } from './every-turn.ts'

/** One fault, and the way to leave in which it shows. */
export interface PlantedFault extends SourcePatch {
  readonly name: string
  readonly leave: Leave
}

export const FAULTS: readonly PlantedFault[] = [
  {
    name: 'an answer counts whatever has happened since it was asked for',
    file: 'client/sync/core.ts',
    find: 'return isCurrent() ? answered : undefined',
    replace: 'return answered',
    leave: 'switch',
  },
  {
    name: 'a request goes out whatever has happened while its token was asked for',
    file: 'client/sync/core.ts',
    find: 'if (!isCurrent()) return undefined\n',
    replace: '\n',
    leave: 'switch',
  },
  {
    name: 'what is under way is not waited for',
    file: 'client/ending.ts',
    find: 'await talker.settled()\n    await pending?.settled()\n    await outbox?.settled()',
    replace: '',
    leave: 'switch',
  },
  {
    name: 'frames are kept after the rows have left',
    file: 'client/storage/frame-keeper.ts',
    find: 'isOver = true',
    replace: '',
    leave: 'keep',
  },
  {
    name: 'calls are taken until the end',
    file: 'client/ending.ts',
    find: 'isLeaving = true',
    replace: 'isLeaving = false',
    leave: 'discard',
  },
  {
    name: 'what is shown stays',
    file: 'client/ending.ts',
    find: "if (reason.code === 'signed_out') await pending?.clear()",
    replace: '',
    leave: 'keep',
  },
]
