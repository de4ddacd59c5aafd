// Whether and through whom this device talks to the authority: through a loop of its own while this client leads, else through the
// leader's, of which it knows what the leader said last. Pausing and resuming hold for all clients of the store. What the loop does is
// sync/; who leads is role.ts.
import { type Talk, talkOf, UNKNOWN_TALK } from '../status.ts'
import type { Engine } from '../sync/engine.ts'
import type { RolePlayer } from './role.ts'
import type { Word } from './word.ts'

/** The talk of one client. */
export interface Talker {
  /** The loop, while this client leads. */
  readonly engine: Engine | undefined
  /** How the loop is doing, wherever it runs. */
  talk(): Talk
  /** This client leads from here on, with a loop that `make` makes. */
  lead(make: () => Engine): void
  /** Another client leads now. */
  follow(): void
  /** Stops talking, here and in all other clients of the store. */
  pause(): void
  /** Talks (again), or tries at once. */
  resume(): void
  /** Stops in all clients of the store, and does not begin here before `release`, whoever wants it. */
  hold(): void
  /** Goes on as before. */
  release(): void
  /** Resolves when nothing of what this client’s loop had begun is under way; only after it was stopped. */
  settled(): Promise<void>
  /** Stops for good. */
  end(): void
  /** Something another client said. */
  hear(word: Exclude<Word, { readonly kind: 'kept' }>): void
  /** Tells the others how the loop is doing, where that is new and this client leads. */
  tell(): void
}

/** Makes it; `player` is asked for at each use, for it comes with the storage. */
export function createTalker(player: () => RolePlayer | undefined, startPaused: boolean): Talker {
  let engine: Engine | undefined
  let heard = UNKNOWN_TALK
  let said = ''
  let isPaused = startPaused
  let isOver = false
  let isHeld = false

  const rest = (): void => {
    isPaused = true
    engine?.stop()
  }
  const wake = (): void => {
    isPaused = false
    begin()
  }
  const begin = (): void => {
    if (!isPaused && !isHeld && !isOver) engine?.start()
  }

  return {
    get engine() {
      return engine
    },
    talk() {
      const talk = engine === undefined ? heard : talkOf(engine.health())
      return isPaused || isOver ? { ...talk, connection: 'paused' } : talk
    },
    lead(make) {
      engine?.stop()
      engine = make()
      begin()
    },
    follow() {
      engine?.stop()
      engine = undefined
      heard = UNKNOWN_TALK
    },
    pause() {
      rest()
      player()?.say({ kind: 'pause' })
    },
    resume() {
      wake()
      player()?.say({ kind: 'resume' })
    },
    hold() {
      isHeld = true
      engine?.stop()
      player()?.say({ kind: 'pause' })
    },
    release() {
      isHeld = false
      begin()
      if (!isPaused) player()?.say({ kind: 'resume' })
    },
    settled: async () => engine?.settled(),
    end() {
      isOver = true
      engine?.stop()
    },
    hear(word) {
      if (word.kind === 'pause') rest()
      else if (word.kind === 'resume') wake()
      else if (word.kind === 'hello') said = ''
      else if (player()?.role === 'following') {
        heard = word.talk
        isPaused = word.talk.isPaused
      }
    },
    tell() {
      if (engine === undefined || player()?.role !== 'leading') return
      const word: Word = { kind: 'talk', talk: { ...talkOf(engine.health()), isPaused } }
      const text = JSON.stringify(word)
      if (text !== said) player()?.say(word)
      said = text
    },
  }
}
