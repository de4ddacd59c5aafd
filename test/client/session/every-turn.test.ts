// The session ends at every await: every-turn.ts walks, here is what must come of it. That the walk finds what is wrong is tried by
// test/scripts/every-turn-faults.test.ts.
import { expect, test } from 'vitest'
import { type Leave, walk } from './every-turn.ts'

test.each<Leave>(['keep', 'discard', 'switch'])(
  '[I8] [I1] [I18] a session that ends at any await (%s): nothing of it is sent, written or shown afterwards, and what was acknowledged is there when the person is back',
  { timeout: 120_000 },
  async (leave) => {
    const { turns, waiting, problems } = await walk(leave)
    expect(problems).toEqual([])
    expect(turns).toBeGreaterThan(300)
    // Most of them with something under way: else the walk would prove little.
    expect(waiting).toBeGreaterThan(leave === 'discard' ? -1 : 200)
  },
)
