// The client: wires replica, outbox, calls, queries, engine and storage together, and decides nothing of its own.
// What the parts do stands in their rooms; the order in which they hear of things stands here.
import { InvariantError } from '../base/assert.ts'
import { createBreath } from '../base/breath.ts'
import { asSyncError, SyncError } from '../base/errors.ts'
import { parseActor, parseIntentId } from '../protocol/ids.ts'
import type { App } from '../schema/app.ts'
import type { Client, ClientOptions } from './api.ts'
import { createBulletin } from './bulletin.ts'
import { type CallOptions, createCalls, type IntentHandle } from './calls.ts'
import { createEnding, signedOut } from './ending.ts'
import type { OutboxEntry } from './outbox/entry.ts'
import { createOutboxItems } from './outbox/item.ts'
import { createOutbox, type Outbox } from './outbox/outbox.ts'
import type { OutboxEvent } from './outbox/stored.ts'
import { createPending, type Pending } from './pending.ts'
import { createLiveQueries } from './query/live.ts'
import { createReplica, type PendingIntent } from './replica/replica.ts'
import { firstBirth, newClientId } from './session/identity.ts'
import { createSentinel, type Lost, type Sentinel } from './session/sentinel.ts'
import { type Badge, badgeOf, rowBadge, type SyncInfo } from './status.ts'
import { createFrameKeeper, type FrameKeeper } from './storage/frame-keeper.ts'
import type { Storage } from './storage/storage.ts'
import { createEngine } from './sync/engine.ts'
import { DEFAULT_TUNING, type Tuning } from './sync/tuning.ts'
import { createRole, type RolePlayer } from './tabs/role.ts'
import { createTalker } from './tabs/talk.ts'

/** Makes a client. Nothing throws for reasons of storage or network: see `ready` and `status()`. */
export function createClient<A extends App>(options: ClientOptions<A>): Client<A> {
  const { app, host, session } = options
  const actor = parseActor(session.actor)
  // Asked for first: what is set up here meanwhile takes as long as a browser does to open a database.
  const opening = (async () => host.openStorage(actor))()
  opening.catch(() => undefined)
  const tuning: Tuning = { ...DEFAULT_TUNING, ...options.tuning }
  const replica = createReplica(app, actor, host.report, createBreath(host.clock))
  const calls = createCalls(app, host)
  const outboxItems = createOutboxItems(app)
  let storage: Storage | undefined
  let outbox: Outbox | undefined
  let pending: Pending | undefined
  let keeper: FrameKeeper | undefined
  let player: RolePlayer | undefined
  let sentinel: Sentinel | undefined
  const talker = createTalker(() => player, options.startPaused === true)
  let openingFault: SyncError | undefined
  let isBroken = false
  let isWatching = false

  const bulletin = createBulletin({
    clock: host.clock,
    replica,
    calls,
    talker,
    storage: () => storage,
    outbox: () => outbox,
    role: () => player?.role,
    lost: () => sentinel?.lost ?? nothingLost,
    isStopped: () => isBroken || openingFault !== undefined,
    stoppedBy: () => openingFault ?? (ending.by?.code === 'signed_out' ? ending.by : undefined),
    report: host.report,
  })
  const onChange = (): void => {
    bulletin.changed()
    sentinel?.look()
  }
  const isDurable = (): boolean => storage?.isDurable ?? true
  const badge = (id: PendingIntent['id']): Badge => badgeOf(outbox?.get(id), isDurable())

  // Before the queries look, so that rows turn `synced` in the same notification as their values.
  replica.onCommit(({ frame }) => {
    if (frame !== undefined) pending?.committed(frame)
  })
  const syncOf = (table: string, id: string): SyncInfo => {
    const intents = replica.writers(table, id)
    return { state: rowBadge(intents, badge), intents, provisional: replica.provisionalOf(table, id) }
  }
  const queries = createLiveQueries<SyncInfo>(replica, syncOf, host.report)
  // A frame that another client brought may be what somebody waits for.
  replica.onCommit(({ frame }) => {
    if (frame !== undefined) onChange()
  })

  const ready = open()
  ready.catch(() => undefined)
  const ending = createEnding({
    host,
    calls,
    talker,
    opened: () => ({ storage, player, outbox, pending, keeper, sentinel }),
    ready,
    closeQueries: queries.close,
    onChange,
  })

  async function open(): Promise<void> {
    try {
      const opened = await opening
      player = createRole({
        storage: opened,
        tabs: opened.shared === undefined ? undefined : host.openTabs?.(actor),
        clock: host.clock,
        random: host.random,
        onLead: () => void lead(),
        onLost: follow,
        onWord(word) {
          talker.hear(word)
          onChange()
        },
        report: host.report,
      })
      storage = player.storage
      storage.shared?.listen({
        outbox: (events) => pending?.others.outbox(events),
        frames(frames, areAll) {
          if (ending.by === undefined) pending?.others.frames(frames, areAll)
        },
      })
      const stored = await storage.load(firstBirth(host.random, host.clock.now()))
      if (storage.shared === undefined) player.leave()
      const begin = (run: () => void): void =>
        storage?.writesElsewhere ? void calls.handedOver().then(run) : void host.clock.turn(run)
      outbox = createOutbox(storage, stored.outbox, begin, {
        changed: onEntries,
        refused: onRefused,
        left: () => void ending.end(signedOut()).catch(host.report),
      })
      const canary = storage.isDurable ? host.openCanary?.(actor) : undefined
      if (canary !== undefined)
        sentinel = createSentinel({
          canary,
          storage: opened,
          outbox,
          clock: host.clock,
          // What is kept in another mode is not in the store of which the note speaks.
          isFollowing: () => player?.role === 'following' || !isDurable(),
          onChange: bulletin.changed,
          report: host.report,
        })
      pending = createPending({
        replica,
        outbox,
        onRuns: watchRuns,
        touchSync: (entries) => queries.touchSync(idsOf(entries)),
        keep: (frame) => keeper?.keep(frame),
        readFrames: async () => (await storage?.shared?.readFrames()) ?? [],
        report: host.report,
      })
      const areWhole = await pending.show(stored.frames)
      keeper = createFrameKeeper({
        storage,
        clock: host.clock,
        foldAfterMs: tuning.foldAfterMs,
        frames: () => replica.frames(),
        tidyOutbox,
        report: host.report,
        areWhole,
      })
      storage.ladder?.listen({
        reborn: () => (outbox as Outbox).reborn(newClientId(host.random), host.clock.now()),
        moved,
        countUnsaved: () => outbox?.countUnsaved() ?? 0,
        acceptsNotDurable: options.whenNotDurable === 'accept',
      })
      calls.open({ replica, outbox, refusal, onRun: watchRuns, report: host.report })
      queries.loaded()
      if (ending.by === undefined) player.start()
    } catch (error) {
      openingFault = asSyncError(error, 'storage_failed', 'The storage could not be opened')
      calls.refuseAll(openingFault)
      player?.close()
      host.report(error)
      throw error
    } finally {
      onChange()
    }
  }

  /** This client talks to the authority, for all that share its store. */
  async function lead(): Promise<void> {
    await pending?.settled()
    const box = outbox
    if (ending.by !== undefined || box === undefined || player?.role === 'following') return
    talker.lead(() =>
      createEngine({
        host,
        outbox: box,
        actor,
        tuning,
        sealed: replica.client === box.client ? replica.decided : 0,
        token,
        takeFrame: async (frame) => pending?.takeFrame(frame),
        fingerprint: app.fingerprint,
        url: options.url.replace(/\/+$/, ''),
        wantsStream: options.live !== false,
        cursors: () => replica.asksFrom(),
        park: (entry, reason, detail) => giveUp(entry, { as: 'parked', reason, detail }),
        onForked: () => sentinel?.forked(),
        onChange,
        onBroken: breakDown,
      }),
    )
    onChange()
  }

  /** What is kept lies in another place now, under a new birth; what was under way in the old one is let be. */
  function moved(events: readonly OutboxEvent[]): void {
    talker.follow()
    pending?.others.outbox(events)
    player?.leave()
    onChange()
  }

  /** Another client leads now; what this one had seen beyond the store is not built upon. */
  function follow(): void {
    talker.follow()
    if (ending.by === undefined) pending?.reread()
    onChange()
  }

  async function token(): Promise<string | undefined> {
    return typeof session.token === 'function' ? session.token() : session.token
  }

  async function tidyOutbox(): Promise<void> {
    const now = host.clock.now()
    if (!isBroken) await outbox?.tidy(now - tuning.keepDecidedMs, now, now - tuning.keepDiscardedMs)
  }

  function giveUp(entry: OutboxEntry, how: Parameters<Outbox['giveUp']>[1]): void {
    pending?.takeBack([entry])
    outbox?.giveUp(entry.intent.id, how).catch(host.report)
    talker.engine?.work()
  }

  function refusal(accept: boolean): SyncError | undefined {
    const ended = ending.refusal()
    if (ended !== undefined) return ended
    if (isBroken) return new SyncError('client_broken', 'The client is broken')
    if (isDurable() || accept || options.whenNotDurable === 'accept') return undefined
    return new SyncError('not_durable', `Nothing was kept: the storage mode is ${storage?.mode ?? 'unknown'}`)
  }

  function onEntries(entries: readonly OutboxEntry[]): void {
    calls.settle(entries)
    queries.touchSync(idsOf(entries))
    queries.flush()
    if ((outbox?.countUndecided() ?? 0) > 0) talker.engine?.work()
    onChange()
  }

  function onRefused(entries: readonly OutboxEntry[], error: unknown): void {
    pending?.refused(entries)
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
    talker.end()
    host.report(error)
    onChange()
  }

  const mutate: { [name: string]: (args: unknown, callOptions?: CallOptions) => IntentHandle } = {}
  for (const name of Object.keys(app.mutators))
    mutate[name] = (args, callOptions = {}) => calls.call(name, args, callOptions)

  return {
    app,
    host,
    ready,
    mutate: Object.freeze(mutate) as Client<A>['mutate'],
    live: queries.live as Client['live'],
    async between(job, callOptions = {}) {
      await ready
      return calls.between(job, callOptions)
    },
    status: bulletin.status,
    onStatus: bulletin.onStatus,
    outbox: () => outboxItems(outbox?.entries() ?? [], isDurable()),
    async discard(id) {
      await ready
      const ended = ending.refusal()
      if (ended !== undefined) throw ended
      const box = outbox as Outbox
      const intentId = parseIntentId(id)
      await calls.handedOver()
      const entry = box.get(intentId)
      if (entry === undefined) throw new SyncError('row_gone', `The outbox holds no intent ${id}`)
      if (entry.outcome?.status !== 'applied' && (entry.givenUp === undefined || entry.givenUp.as === 'parked'))
        giveUp(entry, { as: 'discarded', reason: undefined, detail: undefined })
      return calls.decisionOf(intentId)
    },
    pause() {
      talker.pause()
      onChange()
    },
    resume() {
      talker.resume()
      onChange()
    },
    async acknowledgeLoss() {
      await ready
      await sentinel?.acknowledge()
    },
    quiet: bulletin.quiet,
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
        rebirths: talker.engine?.health().rebirths ?? 0,
      }
    },
    leave: ending.leave,
    close: () => ending.end(new SyncError('client_closed', 'The client was closed')),
  }
}

const nothingLost: readonly Lost[] = Object.freeze([])

/** Their ids, as far as somebody asks. */
function* idsOf(entries: readonly OutboxEntry[]): Iterable<PendingIntent['id']> {
  for (const { intent } of entries) yield intent.id
}
