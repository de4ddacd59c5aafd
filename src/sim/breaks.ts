// Breaks: each takes away what holds one invariant up, and the simulator must find it: a check that was never seen to fail proves
// nothing. A test keeps `find` standing exactly once in its file while the sources change.
import type { SourcePatch } from './patches.ts'

/** One way to break the product. */
export interface Break extends SourcePatch {
  readonly name: string
  /** What is taken away. */
  readonly why: string
}

/** All breaks. */
export const BREAKS: readonly Break[] = [
  {
    name: 'rebase',
    file: 'client/replica/rebase.ts',
    find: 'replayed.push({ run, record: result.record })',
    replace: 'void result',
    why: 'What intents write when they run again, because a frame changed what they read, is lost (I5).',
  },
  {
    name: 'ledger',
    file: 'server/sync/push.ts',
    find: 'const before = ledger.intent(actor, id)',
    replace: 'const before = undefined as LedgerRecord | undefined',
    why: 'The authority does not look into its ledger whether it knows an intent (I3).',
  },
  {
    name: 'order',
    file: 'server/sync/push.ts',
    find: 'if (first > decidedBefore + 1) {',
    replace: 'if (first > decidedBefore + 1_000_000) {',
    why: 'The authority decides what follows a gap (I2).',
  },
  {
    name: 'outbox',
    file: 'hosts/node/file.ts',
    find: 'outbox?.append(records, true)',
    replace: 'outbox?.append(records, false)',
    why: 'The outbox acknowledges what is written and not synced (I1).',
  },
  {
    name: 'seal',
    file: 'client/sync/push.ts',
    find: 'core.noticeHistory(decided, known)\n',
    replace: 'core.noticeHistory(decided, known)\n    outbox.retire(decided)\n',
    why: 'The answer to a push retires intents whose effects no frame has brought yet (I5).',
  },
  {
    name: 'adopt',
    file: 'server/state/adopt.ts',
    find: 'if (change.from !== change.to) moved.push(change.id)',
    replace: '',
    why: 'Rows do not follow a parent that moves to another scope or goes (I9, I10).',
  },
  {
    name: 'version',
    file: 'server/state/commits.ts',
    find: '(before.get(scope)?.version ?? 0) + 1',
    replace: '(before.get(scope)?.version ?? 0) + 2',
    why: 'Versions of a scope have gaps (I7).',
  },
  {
    name: 'mark',
    file: 'server/sync/writer.ts',
    find: 'randomHex(host.random, 8)',
    replace: "'00'",
    why: 'All commits bear the same mark, so another history cannot be told (I18).',
  },
  {
    name: 'fork',
    file: 'client/sync/core.ts',
    find: 'own.intent.id !== decidedId',
    replace: 'false',
    why: 'A copy of a store takes the outcomes of another copy for its own (I3, I18).',
  },
  {
    name: 'snapshot',
    file: 'server/sync/snapshot.ts',
    find: '(await hasMarks(sql)) ? WAITS : body(sql)',
    replace: 'body(sql)',
    why: 'Frames are read while the writes of others wait to be adopted (I10).',
  },
  {
    name: 'forget',
    file: 'client/sync/tuning.ts',
    find: 'keepDecidedMs: 7 * 86_400_000',
    replace: 'keepDecidedMs: 0',
    why: 'Decided intents are forgotten at once, and a restored authority cannot be told of them again (I4).',
  },
  {
    name: 'notify',
    file: 'client/query/live.ts',
    find: 'if (query.isOpen) query.listeners.emit(query.value)',
    replace: 'for (const _ of [1, 2]) if (query.isOpen) query.listeners.emit(query.value)',
    why: 'Listeners hear of every change twice (I14).',
  },
  {
    name: 'rights',
    file: 'server/sync/attempt.ts',
    find: "if (!rights.writable.has(scope)) throw new Rejection('forbidden', { table: table.name, id: row.id })",
    replace: '',
    why: 'Whoever may read a scope may write into it (I3, I9).',
  },
  {
    name: 'gone',
    file: 'client/replica/apply-frame.ts',
    find: 'for (const id of patch.gone[table] ?? []) removeRow(stage, state, id, patch.scope)',
    replace: '{}',
    why: 'Rows that left a scope stay on the device (I6).',
  },
  {
    name: 'decode',
    file: 'server/http/handler.ts',
    find: 'if (!decoded.ok) {',
    replace: 'if (!decoded.ok && text.length < 0) {',
    why: 'The authority goes on with what no decoder took (I12).',
  },
  {
    name: 'limits',
    file: 'client/sync/push.ts',
    find: 'outbox.undecided(batchLimit)',
    replace: 'outbox.undecided(1_000_000)',
    why: 'A device sends all it has in one batch (I13).',
  },
  {
    name: 'slow',
    file: 'server/sync/live.ts',
    find: 'if (subscriber.sink.write(text) > LIMITS.streamBufferBytes) end(subscriber)',
    replace: 'subscriber.sink.write(text)',
    why: 'A stream that its device does not read is written to without end (I13).',
  },
  {
    name: 'poll',
    file: 'server/sync/live.ts',
    find: 'createFanOut(host.clock, tuning, tick, poll, world.database.hints)',
    replace: 'createFanOut(host.clock, tuning, tick, async () => undefined)',
    why: 'Nobody looks whether somebody else has written, so it waits for the next commit (I17).',
  },
  {
    name: 'group',
    file: 'server/state/adopt.ts',
    find: 'changes.groups.get(aggregate.of.name) ?? new Set<string>()',
    replace: 'new Set<string>()',
    why: 'A group that a row has left is not computed again (I11).',
  },
  {
    name: 'greatest',
    file: 'schema/measure.ts',
    find: 'if (sign < 0) return value === total ? undefined : total',
    replace: 'if (sign < 0) return total',
    why: 'The greatest value of a group stays on the device when its row goes (I5, I11).',
  },
  {
    name: 'conflict',
    file: 'server/sync/conflicts.ts',
    find: 'if (entry.version <= version) return undefined',
    replace: 'if (entry.version >= version) return undefined',
    why: 'What others have changed since an intent was made is not seen (I3).',
  },
  {
    name: 'place',
    file: 'server/sync/flush.ts',
    find: ', ...moved.map((give) => give())',
    replace: '',
    why: 'Rows that came under a parent by a move are placed behind all new ones of their commit (I11).',
  },
  {
    name: 'retry',
    file: 'client/sync/engine.ts',
    find: 'half.fault?.retryAfterMs',
    replace: '1e9',
    why: 'After a fault a device waits for days before it asks again (I17).',
  },
  {
    name: 'badge',
    file: 'client/status.ts',
    find: "if (entry === undefined || entry.sequence === undefined) return 'saving'",
    replace: "if (entry === undefined) return 'saving'",
    why: 'A badge says that an intent is kept before the disk has (I15).',
  },
  {
    name: 'keep',
    file: 'client/session/sign-out.ts',
    find: "unsent === 'keep' ? undefined : empty",
    replace: 'empty',
    why: 'Who signs out and leaves what was not sent behind finds nothing of it again (I4, I16).',
  },
]
