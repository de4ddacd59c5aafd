// The storage ladder: one storage over several modes, of which it uses the best that works. A move down is a new birth in the next
// mode: all that the outbox holds is written there under a new client id before anything else is, so it is complete by itself, and the
// store that was left stays as it is, for other tabs too, which give numbers there without asking anybody (I16, I18). At a start what a lower mode
// kept is carried up by intent id, and then erased there. Which mode and which fault is policy.ts; what is to be carried is carry.ts.
//
// A crash between two steps of a move down leaves the old store whole, and in the next one nothing, a birth alone or all; of a move up,
// intents in both, which the next start tells apart by their ids.
import type { Clock } from '../../base/clock.ts'
import { SyncError } from '../../base/errors.ts'
import type { OutboxEvent } from '../outbox/stored.ts'
import type { Cargo } from './carry.ts'
import { createLimit } from './limit.ts'
import { sessionIn } from './numbers.ts'
import { holds, mayMove, mayPassOver, type Rung, whyOf } from './policy.ts'
import type { MakeEvents, Mover, OthersListener, Refused, SharedStorage, Storage, Stored } from './storage.ts'

/** What a ladder stands on. */
export interface LadderParts {
  /** The best first. */
  readonly rungs: readonly Rung[]
  readonly clock: Clock
  /** How long one rung may take to open, and again to load. */
  readonly limitMs?: number
  report(error: unknown): void
}

type Born = OutboxEvent & { readonly kind: 'born' }

/** A large store on a slow disk takes some seconds; a database that another tab does not let go of takes for ever. */
const LIMIT_MS = 20_000

/** Opens the first rung that lets itself be opened. Rejects with the last error when none does. */
export async function openLadder({ rungs, clock, limitMs = LIMIT_MS, report }: LadderParts): Promise<Storage> {
  const refused: Refused[] = []
  let mover: Mover | undefined
  let listener: OthersListener | undefined
  let isLoaded = false
  /** What others kept before this client has all that was kept. */
  const early: ((others: OthersListener) => void)[] = []
  /** Rows were dropped to make room, or were left behind: no frame fits what is kept. */
  let keepsFrames = true
  let moving: Promise<boolean> | undefined
  /** So many intents, the next ones, were called before the last move, and nobody was asked about it. */
  let unasked = 0

  const within = createLimit(clock, limitMs)

  /** Has the pages for a move at hand; where that fails, the move itself will say so. */
  const prepare = (): void => {
    for (const page of [import('./carry.ts'), ...rungs.slice(at + 1).map((rung) => rung.prepare?.())])
      page?.catch(() => undefined)
  }

  const letGo = (storage: Storage): void => void storage.close().catch(report)

  const hear = (run: (others: OthersListener) => void): void => {
    if (listener === undefined || !isLoaded) early.push(run)
    else run(listener)
  }

  /** Opens the first from `from` on that may be opened. */
  const openFrom = async (
    from: number,
    cause?: unknown,
  ): Promise<{ readonly at: number; readonly storage: Storage }> => {
    let last = cause
    for (const [at, rung] of rungs.entries()) {
      if (at < from) continue
      try {
        const storage = await within(rung.open(), letGo)
        storage.shared?.listen({
          outbox: (events) => hear((others) => others.outbox(events)),
          frames: (frames, areAll) => hear((others) => others.frames(frames, areAll)),
        })
        return { at, storage }
      } catch (error) {
        if (!mayPassOver(error, at === 0)) throw error
        refused.push({ mode: rung.mode, why: whyOf(error) })
        last = error
      }
    }
    throw last
  }

  const opening = openFrom(0)
  // Asked for while the first one opens: a browser takes a moment to bring what a page has of this kind.
  const lower = rungs.filter((rung, at) => at > 0 && holds(rung))
  let { at, storage: current } = await opening

  const loadAt = (storage: Storage, birth: Born): Promise<Stored> => within(storage.load(birth), () => letGo(storage))

  /** What others kept meanwhile, in its place: behind what was known, before what this client keeps next. */
  function withOthers(known: Stored): Stored {
    let all = known
    for (const run of early.splice(0))
      run({
        outbox(events) {
          all = { ...all, outbox: events[0]?.kind === 'born' ? events : [...all.outbox, ...events] }
        },
        frames(frames, areAll) {
          all = { ...all, frames: areAll ? frames : [...all.frames, ...frames] }
        },
      })
    return all
  }

  /** What is kept below the present rung and not known there is taken over, and erased below. */
  async function carryUp(birth: Born, stored: Stored): Promise<Stored> {
    let all = stored
    for (const rung of lower) {
      if (rungs.indexOf(rung) <= at) continue
      let below: Storage | undefined
      try {
        below = await within(rung.open(), letGo)
        const kept = await loadAt(below, birth)
        const { cargoOf } = await import('./carry.ts')
        try {
          all = await takeOver(current, all, cargoOf(kept.outbox, all.outbox, 'from'))
        } catch (error) {
          if (!mayMove(error)) throw error
          // No room above: then all is below for now.
          all = await takeOver(below, kept, cargoOf(all.outbox, kept.outbox, 'to'))
          leave(error)
          ;[at, current, below] = [rungs.indexOf(rung), below, undefined]
          continue
        }
        await below.close()
        await rung.clear?.()
      } catch (error) {
        // Another tab has it open, or it cannot be read: it stays where it is, and the next start tries again.
        refused.push({ mode: rung.mode, why: whyOf(error) })
        report(error)
        if (below !== undefined) letGo(below)
      }
    }
    return all
  }

  /** The present rung is not used any more. */
  function leave(cause: unknown): void {
    refused.push({ mode: current.mode, why: whyOf(cause) })
    keepsFrames = false
    letGo(current)
  }

  /** Keeps a cargo; gives all that is kept then. */
  async function takeOver(storage: Storage, known: Stored, { intents, notes }: Cargo): Promise<Stored> {
    if (intents.length === 0 && notes(1).length === 0) return known
    const first = await withRoom(storage, () => storage.append(intents))
    if (first === undefined)
      throw new SyncError('storage_failed', 'The store was taken away behind a write', {
        details: { errno: 'InvalidStateError' },
      })
    let { outbox, frames } = withOthers(known)
    // Where another tab wrote the journal anew behind it, that tells of them already.
    if (first === 0) return { outbox, frames }
    if (intents.length > 0) outbox = [...outbox, { kind: 'made', first, intents }]
    const news = notes(first)
    await withRoom(storage, () => storage.note(() => news))
    ;({ outbox, frames } = withOthers({ outbox, frames }))
    return { outbox: [...outbox, ...news], frames }
  }

  /** Where there is no room, cached rows make some: they can be had again. */
  async function withRoom<Result>(storage: Storage, step: () => Promise<Result>): Promise<Result> {
    try {
      return await step()
    } catch (error) {
      if (whyOf(error) !== 'quota' || !keepsFrames) throw error
      keepsFrames = false
      // Who does not lead may not, and where there is no room at all this needs some too: then the step says so again.
      await storage.rewriteFrames([]).catch(() => undefined)
      return await step()
    }
  }

  const shared: SharedStorage = {
    listen(others) {
      listener = others
    },
    catchUp: async () => current.shared?.catchUp(),
    readFrames: async () => (await current.shared?.readFrames()) ?? [],
    lead: async () => current.shared?.lead(),
    resign: () => current.shared?.resign(),
  }

  /** Goes on one rung lower, or further; false when there is none that takes all that there is. */
  async function moveDown(cause: unknown): Promise<boolean> {
    if (mover === undefined) return false
    for (let from = at + 1; from < rungs.length; ) {
      let next: Storage | undefined
      try {
        const opened = await openFrom(from, cause)
        next = opened.storage
        from = opened.at + 1
        const events = mover.reborn()
        const there = await loadAt(next, events[0] as Born)
        const { cargoOf } = await import('./carry.ts')
        // What another tab left there is not to be lost.
        const { intents, notes } = cargoOf(there.outbox, events, 'to')
        const first =
          events.reduce((last, event) => (event.kind === 'made' ? last + event.intents.length : last), 0) + 1
        const all = [
          ...events,
          ...(intents.length > 0 ? [{ kind: 'made', first, intents } as OutboxEvent] : []),
          ...notes(first),
        ]
        await next.rewriteOutbox(() => all)
        leave(cause)
        ;[at, current] = [opened.at, next]
        unasked = current.isDurable || mover.acceptsNotDurable ? 0 : mover.countUnsaved()
        mover.moved(all)
        return true
      } catch (error) {
        if (next === undefined) return false
        refused.push({ mode: next.mode, why: whyOf(error) })
        letGo(next)
      }
    }
    return false
  }

  /** A write that must not be lost: made room for, and then made one rung lower. `count`: how many new intents it keeps. */
  async function keep<Result>(step: () => Promise<Result>, count = 0): Promise<Result> {
    const tried = current
    try {
      const result = await withRoom(tried, step)
      // A move that was under way did not know of it.
      await moving
      if (tried === current) return result
      unasked = Math.max(0, unasked - count)
    } catch (error) {
      if (!mayMove(error)) throw error
      if (tried === current) {
        moving ??= moveDown(error).finally(() => {
          moving = undefined
        })
        if (!(await moving)) throw error
      }
      mustBeAsked(count, error)
    }
    return await keep(step, count)
  }

  /** What was called while the mode was another is kept in one that is not durable when the app says so, and not before. */
  function mustBeAsked(count: number, cause?: unknown): void {
    if (count === 0 || unasked === 0) return
    unasked = Math.max(0, unasked - count)
    throw new SyncError('not_durable', `Nothing was kept: the storage mode is ${current.mode} now`, { cause })
  }

  /** Writes; when that is a person's signing out, the modes that were left are signed out of too, as far as they can be reached. */
  async function withSignOut(make: MakeEvents, write: (make: MakeEvents) => Promise<void>): Promise<void> {
    let known: readonly OutboxEvent[] | undefined
    let isEmptied = false
    await write(() => {
      const events = make()
      const session = sessionIn(events)
      // A journal that is written anew says it again.
      const before = at > 0 && session > 0 ? mover?.reborn() : undefined
      known = before !== undefined && session > sessionIn(before) ? before : undefined
      isEmptied = events[0]?.kind === 'born'
      return events
    })
    if (known === undefined) return
    const { signOutOf } = await import('./carry.ts')
    for (const rung of rungs.slice(0, at)) {
      let left: Storage | undefined
      try {
        left = await within(rung.open(), letGo)
        await within(signOutOf(left, known, isEmptied), () => undefined)
      } catch (error) {
        report(error)
      }
      await left?.close()
    }
  }

  return {
    get mode() {
      return current.mode
    },
    get isDurable() {
      return current.isDurable
    },
    get hasLost() {
      return current.hasLost
    },
    get writesElsewhere() {
      return current.writesElsewhere
    },
    get draft() {
      return current.draft
    },
    ladder: {
      refused,
      get why() {
        return refused.findLast(({ mode }) => rungs.findIndex((rung) => rung.mode === mode) < at)?.why
      },
      listen(next) {
        mover = next
      },
    },
    async load(birth) {
      for (;;) {
        try {
          const all = withOthers(await carryUp(birth, await loadAt(current, birth)))
          isLoaded = true
          // Whoever moves may be offline then.
          clock.turn(prepare)
          return keepsFrames ? all : { ...all, frames: [] }
        } catch (error) {
          if (isLoaded || !mayPassOver(error, at === 0)) throw error
          refused.push({ mode: current.mode, why: whyOf(error) })
          letGo(current)
          ;({ at, storage: current } = await openFrom(at + 1, error))
        }
      }
    },
    async append(intents, draft) {
      mustBeAsked(intents.length)
      return keep(
        () => current.append(intents, draft !== undefined && current.draft !== undefined ? draft : undefined),
        intents.length,
      )
    },
    note: (make) => withSignOut(make, (made) => keep(() => current.note(made))),
    rewriteOutbox: (make) => {
      const storage = current
      return withSignOut(make, (made) => withRoom(storage, () => storage.rewriteOutbox(made)))
    },
    async keepFrame(frame) {
      const storage = current
      if (keepsFrames)
        await storage.keepFrame(frame).catch((error) => (storage === current ? Promise.reject(error) : undefined))
    },
    async rewriteFrames(frames) {
      const storage = current
      if (keepsFrames)
        await storage.rewriteFrames(frames).catch((error) => (storage === current ? Promise.reject(error) : undefined))
    },
    folding: () => ({ ...current.folding(), ...(keepsFrames ? {} : { frames: false }) }),
    close: () => current.close(),
    get shared() {
      return current.shared === undefined ? undefined : shared
    },
  }
}
