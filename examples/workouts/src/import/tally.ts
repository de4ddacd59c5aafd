// What the authority decided, read from every answer that it gave, including those that the bad network lost. A device cannot
// know this: where the first answer was lost, it hears only «recorded before». So «applied in this run» and «the ledger had it
// already» are told apart here. Reads the wire as PROTOCOL describes it; looks only at whole answers to pushes.
import type { Exchange } from './link.ts'

/** The tally of one run. */
export interface Tally {
  see(exchange: Exchange): void
  /** Intents that were applied for the first time. */
  applied(): number
  /** Answers to pushes so far. */
  answers(): number
}

interface Pushed {
  readonly intents: readonly { readonly sequence: number; readonly id: string }[]
}
interface Answered {
  readonly outcomes: readonly {
    readonly from: number
    readonly to: number
    readonly status: string
    readonly repeated?: true
  }[]
}

/** Starts an empty tally. */
export function createTally(): Tally {
  const applied = new Set<string>()
  let answers = 0
  return {
    see({ path, request, status, answer }) {
      if (!path.endsWith('/push') || status !== 200) return
      const { intents } = JSON.parse(request) as Pushed
      const { outcomes } = JSON.parse(answer) as Answered
      answers++
      const idBySequence = new Map(intents.map(({ sequence, id }) => [sequence, id]))
      for (const { from, to, status: became, repeated } of outcomes) {
        if (became !== 'applied' || repeated) continue
        for (let sequence = from; sequence <= to; sequence++) {
          const id = idBySequence.get(sequence)
          if (id !== undefined) applied.add(id)
        }
      }
    },
    applied: () => applied.size,
    answers: () => answers,
  }
}
