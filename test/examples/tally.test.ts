// What an import counts as applied: what the authority decided for the first time, though the answer that said so was lost.
import { describe, expect, it } from 'vitest'
import { createTally } from '../../examples/workouts/src/import/tally.ts'

const push = (ids: readonly string[], outcomes: readonly object[], more: object = {}) => ({
  path: '/sync/push',
  request: JSON.stringify({ intents: ids.map((id, index) => ({ sequence: 11 + index, id })) }),
  status: 200,
  answer: JSON.stringify({ outcomes }),
  ...more,
})

describe('the tally of an import', () => {
  it('counts an intent once, when an answer first says that it was applied', () => {
    const tally = createTally()
    tally.see(
      push(
        ['a', 'b', 'c'],
        [
          { from: 11, to: 12, status: 'applied' },
          { from: 13, to: 13, status: 'rejected' },
        ],
      ),
    )
    tally.see(push(['a', 'b', 'c'], [{ from: 11, to: 12, status: 'applied', repeated: true }]))
    tally.see(push(['b', 'd'], [{ from: 11, to: 12, status: 'applied' }]))
    expect(tally.applied()).toBe(3)
    expect(tally.answers()).toBe(3)
  })

  it('does not count what the ledger had from before, nor what is no answer to a push', () => {
    const tally = createTally()
    tally.see(push(['a'], [{ from: 11, to: 11, status: 'applied', repeated: true }]))
    tally.see(push(['b'], [], { status: 503, answer: 'not JSON' }))
    tally.see(push(['c'], [{ from: 11, to: 11, status: 'applied' }], { path: '/sync/pull' }))
    expect(tally.applied()).toBe(0)
    expect(tally.answers()).toBe(1)
  })
})
