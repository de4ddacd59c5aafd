// The sync loop as two total tables: for every state and every event, the next state and what to do. No cell is optional, so a
// missing case does not compile. The tables know no clock, no network and no intents: engine.ts feeds events in and carries
// effects out. No state waits for ever in silence: each either has a request or a timer under way, or names whom it waits for.

/** The sending half: pushes while there is something that the authority has not decided. */
export type SenderState = 'off' | 'idle' | 'sending' | 'waiting' | 'held'
/** What can happen to it. */
export type SenderEvent =
  /** The client starts or resumes, or a person removed what held it. */
  | 'start'
  /** The client pauses or closes. */
  | 'stop'
  /** An intent became durable, was given up, or is to be sent again. */
  | 'work'
  /** An answer was taken in, or nothing had to be asked; there is more to send. */
  | 'more'
  /** An answer was taken in, or nothing had to be asked; nothing is left to send. */
  | 'done'
  /** A fault that time may heal. */
  | 'failed'
  /** A fault that only a person can heal. */
  | 'refused'
  /** The time to wait is over. */
  | 'timer'
  /** The other half has just heard from the authority. */
  | 'reachable'
/** What it asks of the engine. */
export type SenderEffect = 'push' | 'cancel' | 'wait' | 'stopWaiting'

/** The receiving half: pulls until it is up to date, then keeps a stream open or rests. */
export type ReceiverState = 'off' | 'pulling' | 'streaming' | 'resting' | 'waiting' | 'held'
/** What can happen to it. */
export type ReceiverEvent =
  | 'start'
  | 'stop'
  /** The authority has decided something whose effects are not here yet. */
  | 'wake'
  /** A page came without a seal. */
  | 'page'
  /** A pull ended with its seal, and a stream is wanted. */
  | 'sealed'
  /** A pull ended with its seal, and no stream is wanted. */
  | 'sealedForNow'
  /** The stream brought a frame. */
  | 'frame'
  /** The stream cannot go on from here, or what it brought does not fit: pull. */
  | 'behind'
  | 'failed'
  | 'refused'
  | 'timer'
  | 'reachable'
/** What it asks of the engine. */
export type ReceiverEffect = 'pull' | 'open' | 'cancel' | 'wait' | 'poll' | 'stopWaiting'

/** One cell: the next state and what to do, in order. */
export type Cell<State, Effect> = readonly [State, ...Effect[]]
/** A total table. */
export type Table<State extends string, Event extends string, Effect> = {
  readonly [S in State]: { readonly [E in Event]: Cell<State, Effect> }
}

/** A cell before it is read: empty where the state stays and nothing is done, else the next state and what to do. */
type Said<State extends string, Effect extends string> =
  | ''
  | State
  | `${State} ${Effect}`
  | `${State} ${Effect} ${Effect}`

/** Reads a table. */
function readTable<State extends string, Event extends string, Effect extends string>(
  said: {
    readonly [S in State]: { readonly [E in Event]: Said<State, Effect> }
  },
): Table<State, Event, Effect> {
  const table: { [state: string]: { [event: string]: readonly string[] } } = {}
  for (const [state, row] of Object.entries<{ readonly [event: string]: string }>(said)) {
    const cells = Object.entries(row).map(([event, cell]) => [event, (cell || state).split(' ')])
    table[state] = Object.fromEntries(cells)
  }
  return table as unknown as Table<State, Event, Effect>
}

/** The sending half. */
// biome-ignore format: a table is read as a table
export const SENDER = readTable<SenderState, SenderEvent, SenderEffect>({
  off: {
    start: 'sending push', stop: '', work: '', more: '', done: '',
    failed: '', refused: '', timer: '', reachable: '',
  },
  idle: {
    start: 'sending push', stop: 'off', work: 'sending push', more: 'sending push', done: '',
    failed: '', refused: 'held', timer: '', reachable: '',
  },
  sending: {
    start: '', stop: 'off cancel', work: '', more: 'sending push', done: 'idle',
    failed: 'waiting wait', refused: 'held', timer: '', reachable: '',
  },
  waiting: {
    start: 'sending stopWaiting push', stop: 'off stopWaiting', work: '', more: 'sending stopWaiting push', done: '',
    failed: '', refused: 'held stopWaiting', timer: 'sending push', reachable: 'sending stopWaiting push',
  },
  held: {
    start: 'sending push', stop: 'off', work: '', more: '', done: '',
    failed: '', refused: '', timer: '', reachable: '',
  },
})

/** The receiving half. */
// biome-ignore format: a table is read as a table
export const RECEIVER = readTable<ReceiverState, ReceiverEvent, ReceiverEffect>({
  off: {
    start: 'pulling pull', stop: '', wake: '', page: '', sealed: '', sealedForNow: '', frame: '',
    behind: '', failed: '', refused: '', timer: '', reachable: '',
  },
  pulling: {
    start: '', stop: 'off cancel', wake: '', page: 'pulling pull', sealed: 'streaming open', sealedForNow: 'resting poll', frame: '',
    behind: 'pulling pull', failed: 'waiting wait', refused: 'held', timer: '', reachable: '',
  },
  streaming: {
    start: '', stop: 'off cancel', wake: '', page: '', sealed: '', sealedForNow: '', frame: '',
    behind: 'pulling cancel pull', failed: 'waiting cancel wait', refused: 'held cancel', timer: '', reachable: '',
  },
  resting: {
    start: 'pulling stopWaiting pull', stop: 'off stopWaiting', wake: 'pulling stopWaiting pull', page: '', sealed: '', sealedForNow: '', frame: '',
    behind: 'pulling stopWaiting pull', failed: '', refused: 'held stopWaiting', timer: 'pulling pull', reachable: '',
  },
  waiting: {
    start: 'pulling stopWaiting pull', stop: 'off stopWaiting', wake: '', page: '', sealed: '', sealedForNow: '', frame: '',
    behind: '', failed: '', refused: 'held stopWaiting', timer: 'pulling pull', reachable: 'pulling stopWaiting pull',
  },
  held: {
    start: 'pulling pull', stop: 'off', wake: '', page: '', sealed: '', sealedForNow: '', frame: '',
    behind: '', failed: '', refused: '', timer: '', reachable: '',
  },
})

/** A running table. */
export interface Machine<State, Event> {
  readonly state: State
  /** Moves to the next state and carries its effects out. */
  send(event: Event): void
}

/** Runs a table. Effects may send events again; they are taken in order after the running one. */
export function createMachine<State extends string, Event extends string, Effect>(
  table: Table<State, Event, Effect>,
  start: State,
  carryOut: (effect: Effect) => void,
  onMove: () => void,
): Machine<State, Event> {
  let state = start
  const queue: Event[] = []
  let isRunning = false
  return {
    get state() {
      return state
    },
    send(event) {
      queue.push(event)
      if (isRunning) return
      isRunning = true
      try {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const before = state
          const [after, ...effects] = table[state][next]
          state = after
          for (const effect of effects) carryOut(effect)
          if (after !== before) onMove()
        }
      } finally {
        isRunning = false
      }
    },
  }
}
