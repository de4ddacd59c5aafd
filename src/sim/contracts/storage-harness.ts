// What the cases of the storage contract work with: how a storage is opened, stopped, refused and spoiled, and a few intents, events
// and frames to keep. Holds no case; those are storage.ts, storage-refusals.ts and storage-faults.ts.
import type { Json } from '../../base/json.ts'
import type { OutboxEvent } from '../../client/outbox/stored.ts'
import type { Storage, StoredFrame } from '../../client/storage/storage.ts'
import type { ClientId, IntentId, Sequence } from '../../protocol/ids.ts'
import type { IntentContent } from '../../protocol/intent.ts'
import type { ContractCase } from './contract.ts'

/** How a suite gets at one storage. What an implementation cannot have done to it is left out. */
export interface StorageHarness {
  /** Opens what is kept, as a process that starts now. */
  open(): Promise<Storage>
  /** Ends the process that has it open: at once, or before the step `afterSteps` from now. Resolves when it has ended. */
  readonly stop?: ((how: 'kill' | 'power', afterSteps?: number) => Promise<void>) | undefined
  /** Makes writes fail, each with this probability and this error code, until called with 0. */
  readonly refuse?: ((probability: number, errno: string, steps?: readonly string[]) => void) | undefined
  /** Spoils what is kept while nobody has it open: bytes in the middle, half a record at the end, or a newer format. */
  readonly spoil?: ((journal: 'outbox' | 'frames', how: Spoiling) => Promise<void>) | undefined
  /** Frames are accepted and none is kept: a start loads no rows. */
  readonly keepsNoFrames?: true
  /** All that is kept, as text; for comparison. */
  readonly fingerprint?: (() => Promise<string>) | undefined
  dispose(): Promise<void>
}

/** How what is kept can be spoiled. */
export type Spoiling = 'middle' | 'torn' | 'newer'

/** What a start finds of these frames in this mode. */
export const keptOf = ({ keepsNoFrames }: StorageHarness, ...frames: readonly StoredFrame[]): readonly StoredFrame[] =>
  keepsNoFrames === true ? [] : frames

/** What a harness can do, and what the mode promises. */
export interface StorageAbilities {
  readonly stops: readonly ('kill' | 'power')[]
  readonly refuses: boolean
  readonly spoils: readonly Spoiling[]
  /** There is no journal of frames that could be spoiled, or of which a write could be refused. */
  readonly keepsNoFrames?: true
  /** Several clients may have it open at once. */
  readonly isShared?: true
  /** How many lives are played in each case of random ends; less where a step costs a real sync. */
  readonly lives: number
}

/** A birth for tests. */
export const birth = (client = 'a', last = 0): OutboxEvent & { readonly kind: 'born' } => ({
  kind: 'born',
  format: 1,
  client: uuid(client) as ClientId,
  last,
  retired: last,
  at: 1,
})

/** An intent for tests; `label` makes it different from others. */
export const intent = (label: number, args: Json = { text: `line ${label}` }): IntentContent => ({
  id: uuid(label.toString(16)) as IntentId,
  name: 'add',
  version: 1,
  args,
  madeAt: label,
})

/** A frame for tests. */
export const frame = (label: number, rows = 1): StoredFrame => ({
  client: uuid('a') as ClientId,
  decided: label,
  patches: [
    {
      scope: 'user:1' as StoredFrame['patches'][number]['scope'],
      from: { version: label - 1, mark: '' },
      to: { version: label, mark: 'ab' },
      rows: {
        notes: Array.from({ length: rows }, (_, index) => ({
          id: `${label}.${index}`,
          text: 'a row of the length that notes have',
        })),
      },
      gone: {},
    },
  ],
  scopes: ['user:1'],
  at: label,
})

function uuid(label: string): string {
  return `00000000-0000-4000-8000-${label.padStart(12, '0')}`
}

/** What a case does with a storage that has been loaded. */
export type Run = (harness: StorageHarness, storage: Storage, seed: number) => Promise<void>

/** A case that begins with an empty storage, opened and loaded; where dice play a part, once for each of some seeds. */
export function onOne(title: string, run: Run, seeds = 1): ContractCase<StorageHarness> {
  return {
    title,
    async run(makeHarness) {
      for (let seed = 1; seed <= seeds; seed++) {
        const harness = await makeHarness(`${title} ${seed}`)
        try {
          const storage = await harness.open()
          await storage.load(birth())
          await run(harness, storage, seed)
        } finally {
          await harness.dispose()
        }
      }
    },
  }
}

/** Closes a storage and loads it again, as the next start would. */
export async function reopened(harness: StorageHarness, storage: Storage) {
  await storage.close()
  const next = await harness.open()
  return { next, stored: await next.load(birth('b')) }
}

/** The event of an append. */
export const made = (first: number, ...intents: IntentContent[]): OutboxEvent => ({
  kind: 'made',
  first: first as Sequence,
  intents,
})
/** The event of an outcome. */
export const decided = (from: number, to: number): OutboxEvent => ({
  kind: 'decided',
  outcomes: [{ from, to, status: 'applied' }],
  at: 5,
})
