// Which part a client plays among those that share its store: one leads, which means that it alone talks to the authority and writes
// what came of it; the others follow, hear from the store what was kept, and wait for their turn. A client whose store is its own is
// alone and leads from the start. A leader that gives no sign of life is deposed: a tab may be frozen with its lock. What leading means
// is client.ts; the fence that holds a deposed leader back is in the store (I8).
import type { Cancel, Clock } from '../../base/clock.ts'
import { hasCode } from '../../base/errors.ts'
import { fraction, type Random } from '../../base/random.ts'
import type { Tabs } from '../host.ts'
import type { MakeEvents, Storage } from '../storage/storage.ts'
import { parseWord, type Word } from './word.ts'

/** The parts that a client can play. */
export type Role = 'alone' | 'leading' | 'following'

/** What the role works with. */
export interface RoleParts {
  readonly storage: Storage
  readonly tabs: Tabs | undefined
  readonly clock: Clock
  readonly random: Random
  /** The lead is taken: all that was kept is known here. */
  onLead(): void
  /** The lead is lost. */
  onLost(): void
  /** Another client said something. `kept` is answered here. */
  onWord(word: Exclude<Word, { readonly kind: 'kept' }>): void
  report(error: unknown): void
}

/** The part that a client plays. */
export interface RolePlayer {
  readonly role: Role
  /** The storage, told of to the others, and watched for the loss of the lead. */
  readonly storage: Storage
  /** Begins to play: `onLead` comes at once where nobody else could lead. */
  start(): void
  say(word: Word): void
  /** The storage went on elsewhere: this client is alone from now on, and leads (again). The others go on with what it has left. */
  leave(): void
  /** Gives the lead, or the wait for it, up. */
  close(): void
}

/** How long to wait before a store that could not be led is tried again. */
const TRY_AGAIN_MS = 1_000

/** How often a client looks for what nobody lived to tell of: a tab may end between its write and its word. */
const LOOK_MS = 30_000

/**
 * A leader that was not heard for so long is asked for a sign of life, and has so long to give it: others have a new one within five
 * seconds. Words wake a tab in the background too, whose timers a browser may hold back for a minute.
 */
const ASK_MS = 1_000
const ANSWER_MS = 1_000
/** Those who wait do not all lose patience at once: the first takes the place, and says so to the others. */
const MORE_MS = 1_500

/** The same where nobody can tell, and how long who was deposed there leaves the lead to others. */
const LOOK_DEAF_MS = 2_000
const TAKE_BACK_MS = 10_000

/** Makes the player of one client. */
export function createRole({ storage, tabs, clock, random, onLead, onLost, onWord, report }: RoleParts): RolePlayer {
  const { shared } = storage
  let role: Role = shared === undefined ? 'alone' : 'following'
  let isClosed = false
  let isStarted = false
  let stopLeading: Cancel = () => undefined
  let stopLooking: Cancel = () => undefined
  let stopWatching: Cancel = () => undefined
  // The wish to lead that counts: of one that was given up it may still be heard that its turn was taken.
  let wish = 0
  let isTaking = false
  let isLeaderHeard = false
  // Until another client was heard, there is nobody to tell of a write, and telling costs a third of what the write does. Whoever
  // comes says so, and is told then that there may be something new.
  let isAlone = true
  let isCatchingUp = false
  let isDue = false

  const say = (word: Word): void => {
    if (!isClosed && role !== 'alone') tabs?.say(word)
  }

  /** The last word to the others. */
  const part = (): void => {
    // Somebody may have come of whom nothing was heard yet.
    tabs?.say({ kind: 'kept' })
    stopLooking()
    stopWatching()
    stopLeading()
    tabs?.close()
  }

  /** One look into the store at a time; a hint that comes meanwhile is good for one more. */
  const catchUp = async (): Promise<void> => {
    isDue = true
    if (isCatchingUp) return
    isCatchingUp = true
    try {
      while (isDue && !isClosed) {
        isDue = false
        await shared?.catchUp()
      }
    } catch (error) {
      if (!isClosed) report(error)
    } finally {
      isCatchingUp = false
    }
  }

  const waitForTurn = (isSeizing = false): void => {
    const own = ++wish
    // Where nobody says whose turn it is, the store's fence must do: whoever comes last leads, the others come again later.
    stopLeading =
      tabs?.lead(
        () => void takeLead(),
        () => taken(own),
        isSeizing,
      ) ?? clock.after(TAKE_BACK_MS, () => void takeLead())
  }

  const takeLead = async (): Promise<void> => {
    isTaking = true
    try {
      await shared?.lead()
    } catch (error) {
      if (isClosed) return
      report(error)
      stopLeading()
      stopLeading = clock.after(TRY_AGAIN_MS, () => waitForTurn())
      return
    } finally {
      isTaking = false
    }
    if (isClosed || role === 'alone') return
    role = 'leading'
    onLead()
  }

  /** Another client has taken the turn, because this one seemed to be gone. One that is about to lead leads until the store says no. */
  const taken = (own: number): void => {
    if (!isClosed && own === wish) lose()
  }

  /** Follows for as long as the leader lives, and takes its place when it does not. */
  const watch = (): void => {
    isLeaderHeard = false
    stopWatching = clock.after(ASK_MS, () => {
      if (role === 'leading' || isLeaderHeard) return watch()
      say({ kind: 'hello' })
      stopWatching = clock.after(ANSWER_MS + fraction(random) * MORE_MS, () => {
        if (role === 'following' && !isTaking && !isLeaderHeard) {
          stopLeading()
          waitForTurn(true)
        }
        watch()
      })
    })
  }

  const look = (): void => {
    stopLooking = clock.after(tabs === undefined ? LOOK_DEAF_MS : LOOK_MS, () => {
      look()
      void catchUp()
    })
  }

  /** The store says that another leads: whatever this one believed, it follows now. */
  const lose = (): void => {
    if (role !== 'leading') return
    role = 'following'
    shared?.resign()
    stopLeading()
    onLost()
    if (!isClosed) waitForTurn()
  }

  /** A write, of which the others hear once it is done. */
  const told = async <Result>(write: Promise<Result>): Promise<Result> => {
    try {
      const result = await write
      if (!isAlone) say({ kind: 'kept' })
      return result
    } catch (error) {
      if (hasCode(error, 'not_leading')) lose()
      throw error
    }
  }

  return {
    get role() {
      return role
    },
    storage:
      role === 'alone'
        ? storage
        : {
            ...storage,
            // A storage of several modes may be another one later.
            get mode() {
              return storage.mode
            },
            get isDurable() {
              return storage.isDurable
            },
            get shared() {
              return storage.shared
            },
            append: (intents, draft) => told(storage.append(intents, draft)),
            note: (make: MakeEvents) => told(storage.note(make)),
            rewriteOutbox: (make: MakeEvents) => told(storage.rewriteOutbox(make)),
            keepFrame: (frame) => told(storage.keepFrame(frame)),
            rewriteFrames: (frames) => told(storage.rewriteFrames(frames)),
          },
    start() {
      isStarted = true
      if (role === 'alone') return onLead()
      look()
      if (tabs === undefined) return void takeLead()
      tabs.hear((heard) => {
        const word = parseWord(heard)
        if (word === undefined || isClosed) return
        if (isAlone) {
          isAlone = false
          say({ kind: 'kept' })
        }
        if (word.kind === 'talk') isLeaderHeard = true
        if (word.kind === 'kept') void catchUp()
        else onWord(word)
      })
      say({ kind: 'hello' })
      // What others kept since this one had loaded, and before it could hear of it.
      void catchUp()
      waitForTurn()
      watch()
    },
    say,
    leave() {
      if (role !== 'alone') part()
      role = 'alone'
      isAlone = true
      if (isStarted && !isClosed) onLead()
    },
    close() {
      if (isClosed) return
      isClosed = true
      if (role !== 'alone') part()
    },
  }
}
