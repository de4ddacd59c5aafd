// The client: wires replica, outbox, calls, queries, engine and storage together, and decides nothing of its own.
// What the parts do stands in their rooms; the order in which they hear of things stands here.
import { InvariantError } from '../base/assert.ts'
import { createEmitter } from '../base/emitter.ts'
import { SyncError } from '../base/errors.ts'
import { parseActor, parseIntentId } from '../protocol/ids.ts'
import type { App } from '../schema/app.ts'
import type { Query } from '../schema/query.ts'
import type { Client, ClientOptions, Shown } from './api.ts'
import { type CallOptions, createCalls, type IntentHandle } from './calls.ts'
import type { OutboxEntry } from './outbox/entry.ts'
import { outboxItem } from './outbox/item.ts'
import { createOutbox, type Outbox } from './outbox/outbox.ts'
import { createLiveQueries, type LiveQuery } from './query/live.ts'
import { createReplica, type PendingIntent } from './replica/replica.ts'
import { firstBirth } from './session/identity.ts'
import { type Badge, badgeOf, connectionOf, countBadges, rowBadge, type Status, type SyncInfo } from './status.ts'
import { createFrameKeeper, type FrameKeeper } from './storage/frame-keeper.ts'
import type { Storage, StoredFrame } from './storage/storage.ts'
import { createEngine, type Engine } from './sync/engine.ts'
import { DEFAULT_TUNING, type Tuning } from './sync/tuning.ts'

/** Makes a client. Nothing throws for reasons of storage or network: see `ready` and `status()`. */
export function createClient<A extends App>(options: ClientOptions<A>): Client<A> {
  const { app, host, session } = options
  const actor = parseActor(session.actor)
  const tuning: Tuning = { ...DEFAULT_TUNING, ...options.tuning }
  const replica = createReplica(app, host.report)
  const calls = createCalls(app, host.random)
  const statusChanged = createEmitter<Status>(host.report)
  let storage: Storage | undefined
  let outbox: Outbox | undefined
  let engine: Engine | undefined
  let keeper: FrameKeeper | undefined
  /** The frame that is being applied. */
  let arriving: StoredFrame | undefined
  let isBroken = false
  let isClosed = false
  let isPaused = options.startPaused === true
  let isWatching = false
  let isStatusDue = false
  let quietWaiters: (() => void)[] = []

  const isDurable = (): boolean => storage?.isDurable ?? true
  const badge = (id: PendingIntent['id']): Badge => badgeOf(outbox?.get(id), isDurable())

  // Retiring must come before the queries look, so that rows turn `synced` in the same notification as their values; and a frame
  // is handed to the keeper in the moment in which it counts, so that what is kept is always what was shown.
  replica.onCommit(({ frame }) => {
    if (frame === undefined) return
    if (outbox?.client === frame.client) outbox.retire(frame.decided)
    if (arriving !== undefined) keeper?.keep(arriving)
  })
  const syncOf = (table: string, id: string): SyncInfo => {
    const intents = replica.writers(table, id)
    return { state: rowBadge(intents, badge), intents, provisional: replica.provisionalOf(table, id) }
  }
  const queries = createLiveQueries<SyncInfo>(replica, syncOf, host.report)

  const ready = open()
  ready.catch(() => undefined)

  async function open(): Promise<void> {
    try {
      storage = await host.openStorage(actor)
      const stored = await storage.load(firstBirth(host.random, host.clock.now()))
      outbox = createOutbox(storage, stored.outbox, (run) => void host.clock.turn(run), {
        changed: onEntries,
        refused: onRefused,
      })
      const areWhole = await showStored(stored.frames)
      const sealed = replica.client === outbox.client ? replica.decided : 0
      watchRuns()
      await Promise.all(pendingIntents().map((intent) => replica.run(intent, 'stored')))
      keeper = createFrameKeeper({
        storage,
        clock: host.clock,
        foldAfterMs: tuning.foldAfterMs,
        frames: () => replica.frames(),
        tidyOutbox,
        report: host.report,
        areWhole,
      })
      engine = createEngine({
        host,
        outbox,
        actor,
        tuning,
        sealed,
        token,
        takeFrame,
        fingerprint: app.fingerprint,
        url: options.url.replace(/\/+$/, ''),
        wantsStream: options.live !== false,
        cursors: () => replica.cursors(),
        park: (entry, reason, detail) => giveUp(entry, { as: 'parked', reason, detail }),
        onChange,
        onBroken: breakDown,
      })
      calls.open({
        app,
        actor,
        replica,
        outbox,
        random: host.random,
        refusal,
        now: () => host.clock.now(),
        onRun: watchRuns,
      })
      queries.loaded()
      talk()
    } catch (error) {
      calls.refuseAll(
        error instanceof SyncError
          ? error
          : new SyncError('storage_failed', 'The storage could not be opened', { cause: error }),
      )
      host.report(error)
      throw error
    } finally {
      onChange()
    }
  }

  /** Applies what was kept of the rows; false when a frame does not fit, after which only pulling leads on. */
  async function showStored(frames: readonly StoredFrame[]): Promise<boolean> {
    for (const frame of frames) {
      try {
        await replica.confirm(frame, () => false)
      } catch (error) {
        if (!(error instanceof SyncError)) throw error
        host.report(error)
        return false
      }
    }
    return true
  }

  /** Begins to talk to the authority, unless somebody wants otherwise. */
  function talk(): void {
    if (!isPaused && !isClosed && !isBroken) engine?.start()
  }

  async function token(): Promise<string | undefined> {
    return typeof session.token === 'function' ? session.token() : session.token
  }

  /** What the overlay shows: everything that is neither in the confirmed rows nor given up. Of an earlier history: all above `decided`. */
  function pendingIntents(decided?: number): PendingIntent[] {
    const pending: PendingIntent[] = []
    for (const { intent, sequence, isRetired, givenUp } of outbox?.entries() ?? []) {
      const isPending = decided === undefined ? !isRetired : (sequence ?? Number.POSITIVE_INFINITY) > decided
      if (isPending && givenUp === undefined) pending.push({ ...intent, rootId: intent.root ?? intent.id, actor })
    }
    return pending
  }

  async function takeFrame(frame: StoredFrame): Promise<void> {
    const box = outbox as Outbox
    const isSealed = (id: PendingIntent['id']): boolean =>
      (box.get(id)?.sequence ?? Number.POSITIVE_INFINITY) <= frame.decided
    // Rows that only turn from sending to synced change in nothing but their badge.
    const sealed = box.entries().filter(({ intent, isRetired }) => !isRetired && isSealed(intent.id))
    queries.touchSync(sealed.map(({ intent }) => intent.id))
    watchRuns()
    // Of an earlier history than what is shown: what stood between the two is pending again.
    const wentBack = replica.client === frame.client && frame.decided < replica.decided
    arriving = frame
    try {
      await replica.confirm(frame, isSealed, wentBack ? pendingIntents(frame.decided) : undefined)
    } finally {
      arriving = undefined
    }
  }

  async function tidyOutbox(): Promise<void> {
    const now = host.clock.now()
    if (!isBroken) await outbox?.tidy(now - tuning.keepDecidedMs, now)
  }

  /** Takes intents off the screen; what was built on them runs again. */
  function takeBack(entries: readonly OutboxEntry[]): void {
    void replica.drop(new Set(entries.map(({ intent }) => intent.id)))
    watchRuns()
  }

  function giveUp(entry: OutboxEntry, how: NonNullable<OutboxEntry['givenUp']>): void {
    takeBack([entry])
    outbox?.giveUp(entry.intent.id, how).catch(host.report)
    engine?.work()
  }

  function refusal(accept: boolean): SyncError | undefined {
    if (isClosed) return new SyncError('client_closed', 'A mutator was called')
    if (isBroken) return new SyncError('client_broken', 'A mutator was called')
    if (isDurable() || accept || options.whenNotDurable === 'accept') return undefined
    return new SyncError('not_durable', `The storage mode is ${storage?.mode ?? 'unknown'}`)
  }

  function onEntries(entries: readonly OutboxEntry[]): void {
    calls.settle(entries)
    queries.touchSync(entries.map(({ intent }) => intent.id))
    queries.flush()
    if ((outbox?.countUndecided() ?? 0) > 0) engine?.work()
    onChange()
  }

  function onRefused(entries: readonly OutboxEntry[], error: unknown): void {
    takeBack(entries)
    calls.refuse(entries, error)
    if (error instanceof InvariantError) breakDown(error)
    onChange()
  }

  /** A run that is not over when its microtasks are waits for something else than its transaction, and is ended. */
  function watchRuns(): void {
    if (isWatching) return
    isWatching = true
    host.clock.turn(() => {
      isWatching = false
      if (replica.expireRun()) watchRuns()
    })
  }

  function breakDown(error: unknown): void {
    if (isBroken) return
    isBroken = true
    engine?.stop()
    host.report(error)
    onChange()
  }

  function onChange(): void {
    if (isQuiet()) {
      const waiters = quietWaiters
      quietWaiters = []
      for (const resolve of waiters) resolve()
    }
    if (statusChanged.size() === 0 || isStatusDue) return
    isStatusDue = true
    host.clock.turn(() => {
      isStatusDue = false
      statusChanged.emit(status())
    })
  }

  function isQuiet(): boolean {
    if (outbox === undefined || calls.areRunning() || outbox.countUnsaved() > 0 || outbox.countUndecided() > 0)
      return false
    return outbox.last === 0 || (replica.client === outbox.client && replica.decided >= outbox.last)
  }

  function status(): Status {
    const entries = outbox?.entries() ?? []
    const waiting = (outbox?.countUndecided() ?? 0) + (outbox?.countUnsaved() ?? 0)
    const health = engine?.health()
    const fault = health?.fault
    return {
      connection: isBroken
        ? 'broken'
        : isClosed
          ? 'paused'
          : health === undefined
            ? 'connecting'
            : connectionOf(health),
      fault:
        fault === undefined
          ? undefined
          : { code: fault.code, phase: fault.phase, message: fault.message, requestId: fault.requestId },
      attempts: health?.attempts ?? 0,
      counts: countBadges(entries, isDurable()),
      waiting,
      oldestWaitingAt: waiting === 0 ? undefined : entries[entries.length - waiting]?.intent.madeAt,
      storage: storage === undefined ? undefined : { mode: storage.mode, isDurable: storage.isDurable },
      heardAt: health === undefined || health.heardAt === 0 ? undefined : health.heardAt,
      asOf: replica.at,
    }
  }

  const mutate: { [name: string]: (args: unknown, callOptions?: CallOptions) => IntentHandle } = {}
  for (const name of Object.keys(app.mutators))
    mutate[name] = (args, callOptions = {}) => calls.call(name, args, callOptions)

  return {
    ready,
    mutate: Object.freeze(mutate) as Client<A>['mutate'],
    live: <R>(query: Query<R>) => queries.live(query.spec) as unknown as LiveQuery<Shown<R>>,
    status,
    onStatus: (listener) => statusChanged.on(listener),
    outbox: () =>
      (outbox?.entries() ?? [])
        .filter((entry) => badgeOf(entry, isDurable()) !== 'synced')
        .map((entry) => outboxItem(app, entry, isDurable())),
    async discard(id) {
      await ready
      if (isClosed) throw new SyncError('client_closed', 'discard was called')
      const box = outbox as Outbox
      const intentId = parseIntentId(id)
      await calls.handedOver()
      const entry = box.get(intentId)
      if (entry === undefined) throw new SyncError('row_gone', `The outbox holds no intent ${id}`)
      if (entry.outcome === undefined && entry.givenUp === undefined)
        giveUp(entry, { as: 'discarded', reason: undefined, detail: undefined })
      return calls.decisionOf(intentId)
    },
    pause() {
      isPaused = true
      engine?.stop()
    },
    resume() {
      isPaused = false
      talk()
    },
    quiet: () =>
      new Promise((resolve) => {
        quietWaiters.push(resolve)
        onChange()
      }),
    inspect: () => {
      const box = outbox
      if (box === undefined) throw new SyncError('client_closed', 'inspect was called before ready')
      return {
        actor,
        replica,
        client: box.client,
        last: box.last,
        stored: box.stored,
        decided: replica.decided,
        isComplete: replica.isComplete,
        cursors: replica.cursors(),
        entries: box.entries(),
        rebirths: engine?.health().rebirths ?? 0,
      }
    },
    async close() {
      if (isClosed) return
      isClosed = true
      await ready.catch(() => undefined)
      engine?.stop()
      calls.refuseAll(new SyncError('client_closed', 'The client was closed'))
      await calls.handedOver()
      await outbox?.settled()
      await keeper?.close()
      queries.close()
      await storage?.close()
      onChange()
    },
  }
}
