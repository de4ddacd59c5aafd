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
    name: 'nullable',
    item: 2,
    file: 'server/db/existing.ts',
    find: 'if (problem !== undefined) return say(problem)',
    replace: '',
    why: 'Nobody looks whether a column of an existing table may be null where the app says never.',
  },
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
    name: 'visible',
    item: 4,
    file: 'server/sync/attempt.ts',
    find: 'return scope !== undefined && rights.visible.has(scope) ? row : undefined',
    replace: 'return row',
    why: 'A mutator is shown rows of every scope (I9).',
  },
  {
    name: 'ledger',
    item: 5,
    file: 'server/sync/push.ts',
    find: 'const before = ledger.intent(actor, id)',
    replace: 'const before = undefined as LedgerRecord | undefined',
    why: 'The authority does not look into its ledger whether it knows an intent (I3).',
  },
  {
    name: 'order',
    item: 5,
    file: 'server/sync/push.ts',
    find: 'if (first > decidedBefore + 1) {',
    replace: 'if (first > decidedBefore + 1_000_000) {',
    why: 'The authority decides what follows a gap (I2).',
  },
  {
    name: 'window',
    item: 6,
    file: 'server/state/dedupe.ts',
    find: 'if (taken > 0) return undefined',
    replace: 'if (taken >= 0) return undefined',
    why: 'Every call without a key is the first one.',
  },
  {
    name: 'place',
    item: 7,
    file: 'server/sync/flush.ts',
    find: ', ...moved.map((give) => give())',
    replace: '',
    why: 'Rows that came under a parent by a move are placed behind all new ones of their commit (I11).',
  },
  {
    name: 'group',
    item: 7,
    file: 'server/state/adopt.ts',
    find: 'changes.groups.get(aggregate.of.name) ?? new Set<string>()',
    replace: 'new Set<string>()',
    why: 'A group that a row has left is not computed again (I11).',
  },
  {
    name: 'gone',
    item: 8,
    file: 'schema/tx.ts',
    find: "(await source.get(name, id)) ?? refuse('row_gone', named(id))",
    replace: '(await source.get(name, id)) ?? ({ id } as Row)',
    why: 'A change of a row that another has deleted is taken for one of a row that is there.',
  },
  {
    name: 'policy',
    item: 8,
    file: 'server/sync/conflicts.ts',
    find: 'if (entry.version <= version) return undefined',
    replace: 'return undefined',
    why: 'Nobody looks whether others have changed what an intent was based on.',
  },
  {
    name: 'upgrade',
    item: 9,
    file: 'schema/upgrade.ts',
    find: 'if (version > mutator.version)',
    replace: 'if (version > 1_000_000)',
    why: 'An intent of a newer version is run by an older mutator.',
  },
  {
    name: 'slow',
    item: 10,
    file: 'server/sync/live.ts',
    find: 'if (subscriber.sink.write(text) > LIMITS.streamBufferBytes) end(subscriber)',
    replace: 'subscriber.sink.write(text)',
    why: 'A stream that its device does not read is written to without end (I13).',
  },
  {
    name: 'poll',
    item: 10,
    file: 'server/sync/live.ts',
    find: 'createFanOut(host.clock, tuning, tick, poll, world.database.hints)',
    replace: 'createFanOut(host.clock, tuning, tick, async () => undefined)',
    why: 'Nobody looks whether another process has written (I17).',
  },
  {
    name: 'decode',
    item: 11,
    file: 'server/http/handler.ts',
    find: 'if (!decoded.ok) {',
    replace: 'if (!decoded.ok && text.length < 0) {',
    why: 'The authority goes on with what no decoder took (I12).',
  },
  {
    name: 'mark',
    item: 12,
    file: 'server/sync/writer.ts',
    find: 'randomHex(host.random, 8)',
    replace: "'00'",
    why: 'All commits bear the same mark, so another history cannot be told (I18).',
  },
  {
    name: 'births',
    item: 12,
    file: 'server/sync/push.ts',
    find: 'return known !== undefined && known.actor === actor && sequence <= known.pruned',
    replace: 'return false',
    why: 'What the ledger has forgotten is run again under a new birth (I3).',
  },
]
