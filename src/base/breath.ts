// Long work in pieces: who goes through very many things asks between two of them whether others should have the thread, and waits for
// its next turn if so. While nothing has taken long, nothing is waited for, and asking costs a look at the clock.
import type { Clock } from './clock.ts'

/** A promise of the next turn when this one has been used for long; undefined while it may go on. */
export type Breath = () => Promise<void> | undefined

/** So long others may be kept waiting. A page is felt to stand still from 50 ms on, and what comes before and after counts too. */
const PIECE_MS = 10

/** Gives what each piece of long work begins with. */
export function createBreath({ monotonic, turn }: Pick<Clock, 'monotonic' | 'turn'>): () => Breath {
  return () => {
    let began = monotonic()
    return () => {
      if (monotonic() - began < PIECE_MS) return undefined
      return new Promise((resolve) => {
        turn(() => {
          began = monotonic()
          resolve()
        })
      })
    }
  }
}
