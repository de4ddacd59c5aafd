// The live streams: after each commit one tick, in one snapshot. What moved in a scope is read and encoded once for each place at
// which subscribers stand, and its text is shared among them; each subscriber's seal ends its frame. Whatever a stream cannot bring
// (too much, other grants, a place that is not known) becomes the event «pull» and the stream's end. I9, I13.

import type { Cancel } from '../../base/clock.ts'
import { SyncError } from '../../base/errors.ts'
import { type Cursor, NOWHERE, type Place } from '../../protocol/frame.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { encodeEvent, HEARTBEAT, type LiveRequest } from '../../protocol/live.ts'
import type { Sql } from '../db/db.ts'
import type { StreamSink } from '../http/exchange.ts'
import type { Rights } from '../rights/grants.ts'
import { readAll } from '../rights/read-all.ts'
import { placesOf } from '../state/commits.ts'
import { readClient, readClients } from '../state/ledger.ts'
import { readWatched } from '../state/watched.ts'
import type { World } from '../world.ts'
import { createFanOut, type Hints } from './fan-out.ts'
import { encodePatch, startFrom } from './patches.ts'
import { makeSeal, refuseForked } from './seal.ts'
import type { TakeSnapshot } from './snapshot.ts'
import type { Committed } from './writer.ts'

/** The live streams of one authority. */
export interface Live {
  /** Answers a request for a stream: a function that begins it, once its sink is there. Rejects with a SyncError. */
  open(request: LiveRequest): Promise<(sink: StreamSink) => () => void>
  /** Something was committed here. */
  tell(committed: Committed): void
  /** How many streams are open. */
  size(): number
  /** Ends all streams. */
  close(): void
}

/** One stream: where its device stands, as far as this stream has told it. */
interface Subscriber {
  readonly request: LiveRequest
  readonly sink: StreamSink
  readonly places: Map<string, Place>
  standing: Standing
  /** The number up to which its last seal gave outcomes. */
  sealed: number
  /** Whether something was written since the last heartbeat. */
  isFresh: boolean
}

/** Rights, and the numbers that the watched tables had in the snapshot in which they were read. */
interface Standing {
  readonly rights: Rights
  readonly watched: ReadonlyMap<string, number>
}

/** What a tick has for one subscriber. */
interface Frame {
  /** Texts of events, shared with others. */
  readonly texts: string[]
  readonly places: Map<string, Place>
  bytes: number
  /** The stream cannot go on. */
  isOver: boolean
}

const PULL = encodeEvent('pull', {})

/** Makes the live streams. */
export function createLive(world: World, snapshot: TakeSnapshot): Live {
  const { layout, host, tuning } = world
  const subscribers = new Set<Subscriber>()
  const byScope = new Map<string, Set<Subscriber>>()
  const byClient = new Map<string, Set<Subscriber>>()
  let isClosed = false
  let stamp = ''
  let cancelHeartbeat: Cancel | undefined

  const fanOut = createFanOut(host.clock, tuning, tick, poll, world.database.hints)

  /** An actor's rights, with the numbers of the tables that they depend on. */
  async function rightsOf(sql: Sql, actor: string): Promise<Standing> {
    const rights = await world.rights.read(actor, readAll(sql, layout))
    return { rights, watched: await readWatched(sql) }
  }

  async function open(request: LiveRequest): Promise<(sink: StreamSink) => () => void> {
    refuseWhenFull()
    const first = await snapshot(async (sql) => {
      const known = await readClient(sql, request.client)
      refuseForked(known, request.actor, request.last)
      const standing = await rightsOf(sql, request.actor)
      const { rights } = standing
      const cursors = new Map<string, Cursor>(request.cursors.map((cursor) => [cursor.scope, cursor]))
      // A device that does not hold exactly what it may read has a pull to make first.
      const isOver =
        cursors.size !== rights.read.length ||
        rights.read.some((scope) => cursors.get(scope) === undefined || cursors.get(scope)?.within !== undefined)
      const frame: Frame = { texts: [], places: new Map(), bytes: 0, isOver }
      const places = isOver ? new Map<string, Place>() : await placesOf(sql, rights.read)
      for (const [scope, { version, mark }] of isOver ? [] : cursors)
        await add(sql, frame, scope, { version, mark }, places.get(scope) ?? NOWHERE, new Map())
      const seal = encodeEvent(
        'seal',
        await makeSeal(sql, request.client, known, request.stored, rights.read, host.clock.now()),
      )
      return { frame, standing, seal, decided: known?.decided ?? 0 }
    })
    return (sink) => {
      if (isClosed || first.frame.isOver) {
        if (!isClosed) sink.write(PULL)
        sink.close()
        return () => undefined
      }
      const subscriber: Subscriber = {
        request,
        sink,
        places: first.frame.places,
        standing: first.standing,
        sealed: first.decided,
        isFresh: true,
      }
      enter(subscriber)
      for (const text of [...first.frame.texts, first.seal]) write(subscriber, text)
      // Something may have been committed since the snapshot.
      fanOut.hint({ scopes: subscriber.places.keys(), clients: [request.client] })
      return () => leave(subscriber)
    }
  }

  function refuseWhenFull(): void {
    if (isClosed) throw new SyncError('unavailable', 'The authority is closing', { retryAfterMs: 1_000 })
    if (subscribers.size >= tuning.streams)
      throw new SyncError('unavailable', 'There are too many live streams', { retryAfterMs: 10_000 })
  }

  function enter(subscriber: Subscriber): void {
    subscribers.add(subscriber)
    for (const scope of subscriber.places.keys()) addTo(byScope, scope, subscriber)
    addTo(byClient, subscriber.request.client, subscriber)
    fanOut.setActive(true)
    cancelHeartbeat ??= host.clock.after(tuning.heartbeatMs, beat)
  }

  function leave(subscriber: Subscriber): void {
    if (!subscribers.delete(subscriber)) return
    for (const scope of subscriber.places.keys()) removeFrom(byScope, scope, subscriber)
    removeFrom(byClient, subscriber.request.client, subscriber)
    if (subscribers.size > 0) return
    fanOut.setActive(false)
    cancelHeartbeat?.()
    cancelHeartbeat = undefined
  }

  function end(subscriber: Subscriber): void {
    leave(subscriber)
    subscriber.sink.close()
  }

  function write(subscriber: Subscriber, text: string): void {
    if (!subscribers.has(subscriber)) return
    subscriber.isFresh = true
    // A device that does not read is let go: it pulls when it is back.
    if (subscriber.sink.write(text) > LIMITS.streamBufferBytes) end(subscriber)
  }

  function beat(): void {
    cancelHeartbeat = host.clock.after(tuning.heartbeatMs, beat)
    for (const subscriber of [...subscribers]) {
      if (!subscriber.isFresh) write(subscriber, HEARTBEAT)
      subscriber.isFresh = false
    }
  }

  /** Looks whether anything was committed of which no hint came. Taking the snapshot adopts what is only marked. */
  async function poll(): Promise<void> {
    try {
      const seen = await snapshot(async (sql) => JSON.stringify(await sql.all(layout.dialect.stamp)))
      if (seen === stamp) return
      stamp = seen
      fanOut.hint({ isFull: true })
    } catch (error) {
      host.log({ level: 'error', message: 'looking for commits failed' }, error)
    }
  }

  async function tick(hints: Hints): Promise<void> {
    try {
      const { frames, standings } = await snapshot((sql) => readTick(sql, hints))
      // Only a tick that was read to its end has told anybody: one that failed must find the same again.
      for (const [subscriber, standing] of standings) subscriber.standing = standing
      for (const [subscriber, { frame, seal, decided }] of frames) {
        if (frame.isOver) {
          write(subscriber, PULL)
          if (subscribers.has(subscriber)) end(subscriber)
          continue
        }
        for (const text of frame.texts) write(subscriber, text)
        write(subscriber, seal)
        for (const [scope, place] of frame.places) subscriber.places.set(scope, place)
        subscriber.sealed = decided
      }
    } catch (error) {
      host.log({ level: 'error', message: 'a tick of the live streams failed' }, error)
      throw error
    }
  }

  /** The frames of all subscribers for whom something changed. */
  async function readTick(
    sql: Sql,
    hints: Hints,
  ): Promise<{
    readonly frames: ReadonlyMap<Subscriber, { readonly frame: Frame; readonly seal: string; readonly decided: number }>
    readonly standings: ReadonlyMap<Subscriber, Standing>
  }> {
    const { regranted, standings } = await withOtherGrants(sql)
    const affected = hints.isFull ? new Set(subscribers) : new Set(regranted)
    for (const scope of hints.scopes) for (const subscriber of byScope.get(scope) ?? []) affected.add(subscriber)
    for (const client of hints.clients) for (const subscriber of byClient.get(client) ?? []) affected.add(subscriber)
    // All scopes of those, hinted or not: a frame is what one snapshot said, so it must not hold a part of a commit.
    const scopes = new Set<string>()
    for (const subscriber of affected) for (const scope of subscriber.places.keys()) scopes.add(scope)
    const places = await placesOf(sql, [...scopes].sort())
    const shared = new Map<string, Map<string, string | undefined>>()
    for (const scope of scopes) shared.set(scope, new Map())
    const frames = new Map<Subscriber, Frame>()
    for (const subscriber of affected) {
      const frame: Frame = { texts: [], places: new Map(), bytes: 0, isOver: regranted.has(subscriber) }
      for (const [scope, place] of frame.isOver ? [] : subscriber.places)
        await add(sql, frame, scope, place, places.get(scope) ?? NOWHERE, shared.get(scope) ?? new Map())
      if (frame.isOver || frame.texts.length > 0 || hints.clients.has(subscriber.request.client))
        frames.set(subscriber, frame)
    }
    const clients = await readClients(sql, [...new Set([...frames.keys()].map(({ request }) => request.client))])
    const sealed = new Map<Subscriber, { readonly frame: Frame; readonly seal: string; readonly decided: number }>()
    for (const [subscriber, frame] of frames) {
      const { request, standing } = subscriber
      const known = clients.get(request.client)
      const decided = known?.decided ?? 0
      if (!frame.isOver && frame.texts.length === 0 && decided === subscriber.sealed) continue
      const seal = frame.isOver
        ? ''
        : encodeEvent(
            'seal',
            await makeSeal(sql, request.client, known, subscriber.sealed, standing.rights.read, host.clock.now()),
          )
      sealed.set(subscriber, { frame, seal, decided })
    }
    return { frames: sealed, standings }
  }

  /** Adds what is new in one scope to a frame. `shared` keeps texts by the place from which they lead; undefined where none can. */
  async function add(
    sql: Sql,
    frame: Frame,
    scope: string,
    place: Place,
    current: Place,
    shared: Map<string, string | undefined>,
  ): Promise<void> {
    frame.places.set(scope, current)
    if (frame.isOver || (place.version === current.version && place.mark === current.mark)) return
    const key = `${place.version} ${place.mark}`
    if (!shared.has(key)) shared.set(key, await encodeWhole(sql, scope, place, current))
    const text = shared.get(key)
    frame.bytes += text?.length ?? 0
    if (text === undefined || frame.bytes > LIMITS.streamBufferBytes / 2) frame.isOver = true
    else frame.texts.push(text)
  }

  async function encodeWhole(sql: Sql, scope: string, place: Place, current: Place): Promise<string | undefined> {
    const start = await startFrom(sql, scope, place, current)
    if (start.reset !== undefined) return undefined
    const patch = await encodePatch(sql, layout, scope, start, current, {
      entries: LIMITS.liveEntries,
      bytes: LIMITS.streamBufferBytes / 2,
    })
    return patch.isWhole ? `event: patch\ndata: ${patch.text}\n\n` : undefined
  }

  /** Whose actors may read other scopes in this snapshot than when they were last asked, and the rights of all who were asked now. */
  async function withOtherGrants(
    sql: Sql,
  ): Promise<{ readonly regranted: ReadonlySet<Subscriber>; readonly standings: ReadonlyMap<Subscriber, Standing> }> {
    const watched = await readWatched(sql)
    const regranted = new Set<Subscriber>()
    const standings = new Map<Subscriber, Standing>()
    const readNow = new Map<string, Rights | undefined>()
    for (const subscriber of subscribers) {
      const { standing, request } = subscriber
      const { read, tables } = standing.rights
      if (![...tables].some((table) => watched.get(table) !== standing.watched.get(table))) continue
      const { actor } = request
      if (!readNow.has(actor)) readNow.set(actor, await rightsOrNone(sql, actor))
      const rights = readNow.get(actor)
      if (rights !== undefined) standings.set(subscriber, { rights, watched })
      if (rights?.read.length !== read.length || rights.read.some((scope, index) => scope !== read[index]))
        regranted.add(subscriber)
    }
    return { regranted, standings }
  }

  /** An actor whose rights cannot be found is told to pull, and hears there what is wrong; the others go on. */
  async function rightsOrNone(sql: Sql, actor: string): Promise<Rights | undefined> {
    try {
      return await world.rights.read(actor, readAll(sql, layout))
    } catch (error) {
      host.log({ level: 'error', message: 'the rights of an actor could not be found', actor }, error)
      return undefined
    }
  }

  return {
    open,
    tell: fanOut.tell,
    size: () => subscribers.size,
    close() {
      isClosed = true
      for (const subscriber of [...subscribers]) end(subscriber)
    },
  }
}

function addTo<Value>(sets: Map<string, Set<Value>>, key: string, value: Value): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([value]))
  else set.add(value)
}

function removeFrom<Value>(sets: Map<string, Set<Value>>, key: string, value: Value): void {
  const set = sets.get(key)
  set?.delete(value)
  if (set?.size === 0) sets.delete(key)
}
