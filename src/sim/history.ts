// What happened in one run: each line goes into a digest, by which two runs of one seed are compared, and the faults are counted and
// kept with their times for the story. Holds no opinion: what must not happen is checks.ts.
import { createHash } from 'node:crypto'
import { type Fault, type FaultCounts, noFaults } from './faults.ts'
import type { World } from './world.ts'

/** A fault as the story tells it. */
export interface ToldFault {
  readonly time: number
  readonly kind: Fault
  readonly where: string
}

/** The history of one run. */
export interface History {
  /** Something happened that must be the same in every run of the seed. */
  note(what: string): void
  /** A fault happened at a device or at the authority. */
  fault(kind: Fault, where: string): void
  readonly counts: FaultCounts
  readonly faults: readonly ToldFault[]
  /** The SHA-256 of all that was noted so far. */
  digest(): string
}

/** Begins a history. `onNote` hears every line. */
export function createHistory(world: World, onNote: (line: string) => void = () => {}): History {
  const hash = createHash('sha256')
  const counts = noFaults()
  const faults: ToldFault[] = []
  const note = (what: string): void => {
    const line = `${world.now()} ${what}\n`
    hash.update(line)
    onNote(line)
  }
  return {
    note,
    fault(kind, where) {
      counts[kind]++
      faults.push({ time: world.now(), kind, where })
      note(`fault ${kind} ${where}`)
    },
    counts,
    faults,
    digest: () => hash.copy().digest('hex'),
  }
}
