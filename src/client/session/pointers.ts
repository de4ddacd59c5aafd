// Where the person is: names that the app gives («activeWorkout»), each with the id of a row. Durable, one set for each actor, the same in
// all tabs, kept through every rewrite of the journal (I16). A pointer whose row was there and is gone for good is cleared, and whoever
// listens hears so and may aim it anew. A function that an app imports, and not a member of every client. How a pointer stands on disk is outbox/stored.ts, how it gets there outbox/outbox.ts.
import type { Cancel } from '../../base/clock.ts'
import { createEmitter } from '../../base/emitter.ts'
import { createLane } from '../../base/lane.ts'
import type { Client } from '../api.ts'
import type { Between } from '../calls.ts'
import { isSettled } from '../outbox/entry.ts'
import type { Replica } from '../replica/replica.ts'

/** One pointer is aimed elsewhere now. */
export interface PointerChange {
  readonly name: string
  readonly id: string | undefined
  readonly before: string | undefined
  /** The row is gone for good, and so the pointer was cleared. */
  readonly isGone: boolean
}

/** The pointers of one actor on this device. */
export interface Pointers {
  /**
   * Aims a pointer at a row, or at nothing. Shows at once; resolves when it is durable, and rejects with a SyncError when it was not kept:
   * then it is aimed as before. Throws a TypeError for a name of more than 64 characters, an id of more than 256, or a 65th pointer.
   */
  set(name: string, id: string | undefined): Promise<void>
  /** Resolves when what was kept shows; rejects, as `ready` of the client does, when it cannot be read. */
  readonly ready: Promise<void>
  /** The id that it is aimed at. */
  get(name: string): string | undefined
  /** Calls `listener` after a pointer was aimed elsewhere, here or in another tab. */
  on(listener: (change: PointerChange) => void): Cancel
}

const MAX_NAME = 64
const MAX_ID = 256
const MAX_POINTERS = 64

const pointersByClient = new WeakMap<object, Pointers>()

/** The pointers of a client. */
export function pointersOf(client: Client): Pointers {
  const pointers = pointersByClient.get(client) ?? createPointers(client)
  pointersByClient.set(client, pointers)
  return pointers
}

function createPointers(client: Client): Pointers {
  const lane = createLane()
  const shown = new Map<string, string>()
  /** What is shown and not yet kept, the newest for each name. */
  const underWay = new Map<string, object>()
  /** Rows that were here while a pointer was aimed at them. */
  const seen = new Set<string>()
  let parts: Between | undefined
  const report = (error: unknown): void => parts?.report(error)
  const changes = createEmitter<PointerChange>(report)

  const show = (name: string, id: string | undefined, isGone = false): void => {
    const before = shown.get(name)
    if (before === id) return
    if (id === undefined) shown.delete(name)
    else shown.set(name, id)
    changes.emit({ name, id, before, isGone })
  }

  /** Shows what is kept, but for what is being set. */
  const refresh = (): void => {
    const kept = parts?.outbox.pointers
    for (const name of new Set([...shown.keys(), ...(kept?.keys() ?? [])])) {
      const event = kept?.get(name)
      if (!underWay.has(name)) show(name, event?.id, event?.isGone)
    }
  }

  const has = (replica: Replica, id: string): boolean =>
    Object.keys(client.app.tables).some(
      (table) => replica.get(table, id) !== undefined || replica.confirmedRows(table).has(id),
    )

  const keep = async (name: string, id: string | undefined, isGone = false): Promise<void> => {
    const token = {}
    underWay.set(name, token)
    // Its turn is taken before anybody hears of it: a listener who aims anew comes behind.
    const kept = lane.run(async () => {
      // Among the calls, so that a row which was inserted before is there; but they do not wait for the disk.
      const { done } = await client.between(async ({ replica, outbox }) => ({
        done: outbox.point(() => ({
          kind: 'pointer',
          name,
          ...(id !== undefined && { id }),
          ...(id !== undefined && has(replica, id) && { isSeen: true }),
          ...(isGone && { isGone }),
        })),
      }))
      await done
    })
    show(name, id, isGone)
    try {
      await kept
    } finally {
      if (underWay.get(name) === token) underWay.delete(name)
      refresh()
    }
  }

  /** After a whole frame: clears what is aimed at rows that are gone. */
  const tidy = ({ replica, outbox, refusal }: Between): void => {
    // The rows of a client that has ended are not gone.
    if (refusal(true) !== undefined) return
    const aimedAt = new Set(shown.values())
    for (const id of seen) if (!aimedAt.has(id)) seen.delete(id)
    for (const [name, { id = '', isSeen }] of [...outbox.pointers]) {
      if (has(replica, id)) seen.add(id)
      // What waits or was refused may bring its rows (back).
      else if ((isSeen || seen.has(id)) && !underWay.has(name) && outbox.entries().every(isSettled))
        keep(name, undefined, true).catch(report)
    }
  }

  const begin = async (between: Between): Promise<void> => {
    parts = between
    between.outbox.onPointers(refresh)
    between.replica.onCommit(({ frame }) => {
      // One clears for all, and only who hears the authority itself.
      if (frame !== undefined && client.status().tab !== 'following') tidy(between)
    })
    refresh()
  }
  const ready = client.between(begin, { accept: true })
  // Nobody has to listen.
  ready.catch(() => undefined)

  return {
    ready,
    async set(name, id) {
      const problem = problemOf(name, id, shown)
      if (problem !== undefined) throw new TypeError(`pointers.set: ${problem}`)
      await keep(name, id)
    },
    get: (name) => shown.get(name),
    on: changes.on,
  }
}

function problemOf(name: string, id: string | undefined, shown: ReadonlyMap<string, string>): string | undefined {
  if (typeof name !== 'string' || name.length < 1 || name.length > MAX_NAME)
    return `a name has 1 to ${MAX_NAME} characters`
  if (id === undefined) return undefined
  if (typeof id !== 'string' || id.length < 1 || id.length > MAX_ID) return `an id has 1 to ${MAX_ID} characters`
  return shown.has(name) || shown.size < MAX_POINTERS
    ? undefined
    : `there are ${MAX_POINTERS} pointers already; clear one with set(name, undefined)`
}
