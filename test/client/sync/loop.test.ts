// The two tables of the loop, walked through: total, effects that fit their states, and no state in which the loop waits for ever
// in silence. A small model stands for the engine: what is under way (a request, a timer, a stream) follows from the effects alone.
import { describe, expect, test } from 'vitest'
import { createMachine, RECEIVER, SENDER, type Table } from '../../../src/client/sync/loop.ts'

interface Model<State extends string, Event extends string> {
  readonly name: string
  readonly table: Table<State, Event, string>
  readonly start: State
  /** Events by which a request or stream tells its end. */
  readonly answers: readonly Event[]
  /** States that wait for a person or an app, not for the loop. */
  readonly quiet: readonly State[]
  /** Effects that begin a request or a stream, and those that begin a timer. */
  readonly asks: readonly string[]
  readonly timers: readonly string[]
}

const sender: Model<keyof typeof SENDER, keyof (typeof SENDER)['off']> = {
  name: 'sender',
  table: SENDER,
  start: 'off',
  answers: ['more', 'done', 'failed', 'refused'],
  quiet: ['off', 'idle', 'held'],
  asks: ['push'],
  timers: ['wait'],
}
const receiver: Model<keyof typeof RECEIVER, keyof (typeof RECEIVER)['off']> = {
  name: 'receiver',
  table: RECEIVER,
  start: 'off',
  answers: ['page', 'sealed', 'sealedForNow', 'behind', 'failed', 'refused'],
  quiet: ['off', 'held'],
  asks: ['pull', 'open'],
  timers: ['wait', 'poll'],
}

interface Underway {
  readonly asking: boolean
  readonly timing: boolean
}

/** Follows the effects of one cell; says what is wrong with them. */
function follow(
  model: Model<string, string>,
  under: Underway,
  event: string,
  effects: readonly string[],
): Underway | string {
  let asking = under.asking && !model.answers.includes(event)
  // A stream goes on after the page or frame that it brought; only its end is an answer.
  let timing = under.timing && event !== 'timer'
  for (const effect of effects) {
    if (model.asks.includes(effect)) {
      if (asking) return `${effect} while something is asked already`
      asking = true
    } else if (model.timers.includes(effect)) {
      if (timing) return `${effect} while a timer runs already`
      timing = true
    } else if (effect === 'cancel') asking = false
    else if (effect === 'stopWaiting') timing = false
  }
  return { asking, timing }
}

/** What can come in a state of the model: answers only of what is asked, a timer only when one runs. */
function possible(model: Model<string, string>, state: string, under: Underway): readonly string[] {
  const isStream = state === 'streaming'
  const streamEvents = ['frame', 'behind', 'failed', 'refused']
  return Object.keys(model.table[state] ?? {}).filter((event) => {
    if (event === 'timer') return under.timing
    if (event === 'frame') return under.asking && isStream
    if (model.answers.includes(event)) return under.asking && (!isStream || streamEvents.includes(event))
    return true
  })
}

function explore(model: Model<string, string>): {
  readonly problems: readonly string[]
  readonly seen: ReadonlySet<string>
} {
  const problems: string[] = []
  const seen = new Set<string>()
  const queue: { state: string; under: Underway; path: readonly string[] }[] = [
    { state: model.start, under: { asking: false, timing: false }, path: [] },
  ]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { state, under, path } = next
    const key = `${state} ${under.asking} ${under.timing}`
    if (seen.has(key)) continue
    seen.add(key)
    if (!model.quiet.includes(state) && !under.asking && !under.timing)
      problems.push(`${state} waits for nothing: ${path.join(', ')}`)
    if (model.quiet.includes(state) && (under.asking || under.timing))
      problems.push(`${state} still has something under way: ${path.join(', ')}`)
    for (const event of possible(model, state, under)) {
      const [after = '', ...effects] = model.table[state]?.[event] ?? []
      const followed = follow(model, under, event, effects)
      if (typeof followed === 'string') problems.push(`${state} + ${event}: ${followed} (${path.join(', ')})`)
      else queue.push({ state: after, under: followed, path: [...path, event] })
    }
  }
  return { problems, seen }
}

const models = [sender, receiver] as unknown as readonly Model<string, string>[]

describe.each(models)('the table of the $name', (model) => {
  const states = Object.keys(model.table)

  test('is total, and each cell leads to a state of the table', () => {
    const events = Object.keys(model.table[model.start] ?? {})
    expect(events.length).toBeGreaterThan(8)
    for (const state of states) {
      expect(Object.keys(model.table[state] ?? {}).sort(), state).toEqual([...events].sort())
      for (const event of events) expect(states, `${state} + ${event}`).toContain(model.table[state]?.[event]?.[0])
    }
  })

  test('[I17] leaves no state in which the loop waits for ever in silence, and never two requests or timers at once', () => {
    const { problems, seen } = explore(model)
    expect(problems).toEqual([])
    // Every state was reached, each with one thing under way.
    expect(new Set([...seen].map((key) => key.split(' ')[0]))).toEqual(new Set(states))
  })

  test('is stopped by stop and revived by start from everywhere', () => {
    for (const state of states) {
      expect(model.table[state]?.['stop']?.[0], state).toBe('off')
      const [after, ...effects] = model.table[state]?.['start'] ?? []
      expect(
        model.quiet.filter((quiet) => quiet !== 'idle'),
        state,
      ).not.toContain(after)
      if (after !== state)
        expect(
          effects.some((effect) => model.asks.includes(effect)),
          state,
        ).toBe(true)
    }
  })

  test('is held by a person’s fault and let go only by start and stop', () => {
    for (const [event, [after]] of Object.entries(model.table['held'] ?? {}))
      expect(after, event).toBe(
        event === 'stop' ? 'off' : event === 'start' ? (model.name === 'sender' ? 'sending' : 'pulling') : 'held',
      )
  })

  test('the search finds a cell that forgets its timer, its cancel or its request', () => {
    const withCell = (state: string, event: string, cell: readonly string[]): Model<string, string> => ({
      ...model,
      table: { ...model.table, [state]: { ...model.table[state], [event]: cell } } as unknown as Table<
        string,
        string,
        string
      >,
    })
    const busy = model.name === 'sender' ? 'sending' : 'pulling'
    const ask = model.asks[0] as string
    expect(explore(withCell(busy, 'failed', ['waiting'])).problems).not.toEqual([])
    expect(explore(withCell(busy, 'stop', ['off'])).problems).not.toEqual([])
    expect(explore(withCell('waiting', 'start', [busy, ask])).problems).not.toEqual([])
    expect(explore(withCell('waiting', 'timer', [busy])).problems).not.toEqual([])
  })
})

describe('a machine', () => {
  test('takes events that its effects send in order, after the running one', () => {
    const log: string[] = []
    const machine = createMachine(
      SENDER,
      'off',
      (effect) => {
        log.push(`${effect} in ${machine.state}`)
        if (effect === 'push') machine.send('failed')
        if (effect === 'wait') machine.send('stop')
      },
      () => log.push(`→ ${machine.state}`),
    )
    machine.send('start')
    expect(log).toEqual(['push in sending', '→ sending', 'wait in waiting', '→ waiting', 'stopWaiting in off', '→ off'])
    expect(machine.state).toBe('off')
  })

  test('goes on after an effect that throws', () => {
    let throws = true
    const machine = createMachine(
      SENDER,
      'off',
      () => {
        if (throws) throw new Error('an effect failed')
      },
      () => undefined,
    )
    expect(() => machine.send('start')).toThrow('an effect failed')
    throws = false
    machine.send('stop')
    expect(machine.state).toBe('off')
  })
})
