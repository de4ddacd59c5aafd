// What a client tells of itself: its status, at most once a turn, and that all is quiet, to whoever waits for it. Asks the parts and
// keeps nothing of theirs; what a status says is status.ts, whether the device talks to the authority tabs/talk.ts.
import type { Cancel, Clock } from '../base/clock.ts'
import { createEmitter } from '../base/emitter.ts'
import type { SyncError } from '../base/errors.ts'
import type { Calls } from './calls.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { Replica } from './replica/replica.ts'
import type { Lost } from './session/sentinel.ts'
import { countBadges, faultOf, type Status, standingOf } from './status.ts'
import type { Storage } from './storage/storage.ts'
import type { Role } from './tabs/role.ts'
import type { Talker } from './tabs/talk.ts'

/** The parts that are asked. */
export interface BulletinParts {
  readonly clock: Clock
  readonly replica: Replica
  readonly calls: Calls
  readonly talker: Talker
  storage(): Storage | undefined
  outbox(): Outbox | undefined
  role(): Role | undefined
  lost(): readonly Lost[]
  /** Whether the client has stopped for good. */
  isStopped(): boolean
  /** Why it has, where that is known. */
  stoppedBy(): SyncError | undefined
  report(error: unknown): void
}

/** The bulletin of one client. */
export interface Bulletin {
  status(): Status
  onStatus(listener: (status: Status) => void): Cancel
  /** Something may be otherwise. */
  changed(): void
  /** Resolves when every intent made so far is decided and its effects are here. */
  quiet(): Promise<void>
}

/** Makes it. */
export function createBulletin(parts: BulletinParts): Bulletin {
  const { replica, calls, talker } = parts
  const told = createEmitter<Status>(parts.report)
  let isDue = false
  let waiters: (() => void)[] = []

  function isQuiet(): boolean {
    const outbox = parts.outbox()
    if (outbox === undefined || calls.areRunning() || outbox.countUnsaved() > 0 || outbox.countUndecided() > 0)
      return false
    return outbox.last === 0 || (replica.client === outbox.client && replica.decided >= outbox.last)
  }

  function status(): Status {
    const outbox = parts.outbox()
    const storage = parts.storage()
    const fault = parts.stoppedBy()
    const entries = outbox?.entries() ?? []
    const waiting = (outbox?.countUndecided() ?? 0) + (outbox?.countUnsaved() ?? 0)
    const isDurable = storage?.isDurable ?? true
    return {
      ...talker.talk(),
      ...(parts.isStopped() ? { connection: 'broken' } : {}),
      ...(fault === undefined ? {} : { fault: faultOf(fault) }),
      counts: countBadges(entries, isDurable),
      waiting,
      oldestWaitingAt: waiting === 0 ? undefined : entries[entries.length - waiting]?.intent.madeAt,
      storage: storage === undefined ? undefined : standingOf(storage),
      tab: parts.role() ?? 'alone',
      lost: parts.lost(),
      asOf: replica.at,
    }
  }

  function changed(): void {
    if (isQuiet()) {
      const resolved = waiters
      waiters = []
      for (const resolve of resolved) resolve()
    }
    if (isDue || (told.size() === 0 && parts.role() !== 'leading')) return
    isDue = true
    parts.clock.turn(() => {
      isDue = false
      talker.tell()
      if (told.size() > 0) told.emit(status())
    })
  }

  return {
    status,
    onStatus: told.on,
    changed,
    quiet: () =>
      new Promise((resolve) => {
        waiters.push(resolve)
        changed()
      }),
  }
}
