// What a power cut is tried on: something that keeps numbers on a disk and says of each when it is safe. Which disk, when the power
// goes and what is concluded from it is cut.ts.

/** Whether what is acknowledged has waited for the disk; a `relaxed` one shows that the cut can take something. */
export type Durability = 'strict' | 'relaxed'

/** Something that is about to write, or writes. */
export interface Writer {
  /** Begins; until then nothing is written that counts. */
  go(): void
  /** Halts it at once, with all that belongs to it. */
  freeze(): void
  /** Ends it at once. */
  kill(): Promise<void>
}

/** One kind of store under test. */
export interface Subject {
  readonly name: string
  /** Why it cannot be tried on this machine. */
  problem(): string | undefined
  /** What it needs once for all rounds; what it returns undoes it. */
  prepare?(): Promise<() => Promise<void>>
  /** Starts a writer on a folder; resolves when it waits for `go`. */
  write(folder: string, durability: Durability, acknowledged: (numbers: readonly number[]) => void): Promise<Writer>
  /** The numbers that a new start finds in the folder. */
  read(folder: string): Promise<ReadonlySet<number>>
}

/** Adds numbers for ever: one at a time, and twenty at once each tenth time. */
export async function addForEver(
  add: (number: number) => Promise<unknown>,
  acknowledged: (number: number) => void,
): Promise<never> {
  let number = 0
  const next = async (): Promise<void> => {
    const own = ++number
    await add(own)
    acknowledged(own)
  }
  for (let round = 1; ; round++) {
    if (round % 10 === 0) await Promise.all(Array.from({ length: 20 }, next))
    else await next()
  }
}
