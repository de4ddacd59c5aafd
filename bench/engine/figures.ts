// What the bench of the engine and that of the browser say alike: the figures of a burst, and of the memory that rows take. Each
// measures by itself, in Node or in a page; here is what its samples mean, so that both reach for the same.
import { type Figure, figure, median } from '../harness.ts'
import { INTENTS } from './queue.ts'
import { SETS } from './rows.ts'

const MIB = 1024 * 1024

/** What a burst took, in milliseconds. */
export interface Burst {
  /** From the first call on. */
  readonly whole: number
  /** From the one call that hands all over to the storage until the last `saved` has resolved. */
  readonly keeping: number
  /** From the same call until the storage says that they are durable. */
  readonly durable: number
}

/**
 * The figures of a burst of 10,000 intents. `size` says how long what was kept is, `place` where it is kept, `rawMs` and `rawIs` what
 * stands beside it.
 */
export function burstFigures(
  samples: readonly Burst[],
  size: string,
  place: string,
  rawMs: readonly number[],
  rawIs: string,
): readonly Figure[] {
  const raw = median(rawMs)
  const name = (end: string): string => `${INTENTS} intents of one burst ${end}`
  return [
    figure({
      name: name('saved, once handed over to the storage'),
      value: median(samples.map(({ keeping }) => keeping)),
      unit: 'ms',
      raw,
      reach: { of: 'ratio', is: 'at most', bound: 2.5 },
      note: `${size}; from the one call that hands them over until all \`saved\` have resolved, without the runs of the mutators; raw: ${rawIs}`,
    }),
    figure({
      name: name(`durable in the ${place}`),
      value: median(samples.map(({ durable }) => durable)),
      unit: 'ms',
      raw,
      note: 'the storage alone: from the same call until it says that they are durable; the rest is telling each of them',
    }),
    figure({
      name: name('saved, with the runs of their mutators'),
      value: median(samples.map(({ whole }) => whole)),
      unit: 'ms',
      raw,
      note: 'from the first call until all `saved` have resolved',
    }),
  ]
}

/** The figure of the memory that 100,000 rows take, of samples in bytes. */
export function heapFigure(
  holder: string,
  bytes: readonly number[],
  rawBytes: readonly number[],
  note: string,
): Figure {
  return figure({
    name: `heap of a ${holder} for ${SETS} rows`,
    value: median(bytes) / MIB,
    unit: 'MiB',
    raw: median(rawBytes) / MIB,
    note: `after a collection, ${note}`,
  })
}
