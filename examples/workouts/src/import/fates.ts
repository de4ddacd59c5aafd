// What a bad network does to each request, decided by a seed. The first requests meet a fixed share of every kind of trouble in
// an order that the seed shuffles, so that each run has at least LEAST lost answers and LEAST repeated requests however small
// the file is; later ones meet trouble by chance, never more than two in a row, so that progress is never ruled out.
// Carrying a fate out is link.ts.

/** What becomes of one request. */
export type Fate =
  /** Nothing happens to it. */
  | 'pass'
  /** The connection is cut before the authority hears of it. */
  | 'cut'
  /** The authority does its work and its answer is lost. */
  | 'lose'
  /** Half of the answer arrives, then the connection is cut. */
  | 'truncate'
  /** It reaches the authority twice, one after the other; the second answer arrives. */
  | 'repeat'
  /** It reaches the authority twice at once; the first answer arrives. */
  | 'repeatAtOnce'
  /** It reaches the authority twice at once, and both answers are lost. */
  | 'repeatAndLose'
  /** An earlier request reaches the authority once more, late and before this one. */
  | 'replay'

/** At least this many answers are lost and at least this many requests repeated in a run that sends as many requests. */
export const LEAST = 5

/** A source of numbers from 0 to below 1: the same seed gives the same numbers (mulberry32). */
export function createDice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** The fates of one run's requests, in order. */
export function createFates(seed: number): () => Fate {
  const dice = createDice(seed)
  // None of these lets a whole answer through, or a small import would be over before it met them all.
  const first: Fate[] = [
    'lose',
    'lose',
    'repeatAndLose',
    'repeatAndLose',
    'repeatAndLose',
    'repeatAndLose',
    'repeatAndLose',
    'truncate',
    'cut',
  ]
  for (let index = first.length - 1; index > 0; index--) {
    const other = Math.floor(dice() * (index + 1))
    const here = first[index] as Fate
    first[index] = first[other] as Fate
    first[other] = here
  }
  const later: readonly Fate[] = ['lose', 'truncate', 'cut', 'repeat', 'repeatAtOnce', 'replay']
  let inARow = 0
  return () => {
    const next = first.shift()
    if (next !== undefined) return next
    const isTrouble = dice() < 0.45 && inARow < 2
    if (!isTrouble) {
      inARow = 0
      return 'pass'
    }
    const fate = later[Math.floor(dice() * later.length)] as Fate
    inARow = fate === 'lose' || fate === 'truncate' || fate === 'cut' ? inARow + 1 : 0
    return fate
  }
}
