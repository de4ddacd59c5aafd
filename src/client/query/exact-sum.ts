// Sums of numbers that do not depend on the order in which they come and go: a total that is kept up to date by adding and taking away
// must equal the one that is added up afresh, and plain floating point does not. The exact sum is held as a few numbers that do not
// overlap (J. R. Shewchuk, «Adaptive Precision Floating-Point Arithmetic», 1997); what is told is that sum, rounded once.

/** A sum. */
export interface ExactSum {
  /** Adds a finite number; the negative one takes it away again. */
  add(value: number): void
  /** The number nearest to the sum, or the largest one where no number is so large. */
  value(): number
}

/** Above this, numbers are added up apart and smaller by `SHRUNK`, so that nothing on the way is too large for a number. */
const LARGE = 2 ** 900
const SHRUNK = 2 ** -100

/** Makes the sum of nothing, which is 0. */
export function createExactSum(): ExactSum {
  const usual: number[] = []
  const large: number[] = []
  return {
    add(value) {
      if (Math.abs(value) < LARGE) addTo(usual, value)
      else addTo(large, value * SHRUNK)
    },
    value() {
      const sum = large.length === 0 ? rounded(usual) : rounded(together(large, usual)) / SHRUNK
      return Math.min(Math.max(sum, -Number.MAX_VALUE), Number.MAX_VALUE)
    },
  }
}

/** The parts of both sums. What is too small to be shrunk exactly can do no more than break a tie: of that, its sign is enough. */
function together(large: readonly number[], usual: readonly number[]): number[] {
  const parts = [...large]
  for (let at = usual.length - 1; at >= 0; at--) {
    const part = usual[at] as number
    const shrunk = part * SHRUNK
    const isExact = shrunk / SHRUNK === part
    addTo(parts, isExact ? shrunk : Math.sign(part) * Number.MIN_VALUE)
    if (!isExact) break
  }
  return parts
}

/** Adds to parts that do not overlap, from the smallest to the largest, and leaves such parts. */
function addTo(parts: number[], value: number): void {
  let carried = value
  let kept = 0
  for (const part of parts) {
    const [more, less] = Math.abs(carried) < Math.abs(part) ? [part, carried] : [carried, part]
    const sum = more + less
    const rest = less - (sum - more)
    if (rest !== 0) parts[kept++] = rest
    carried = sum
  }
  parts.length = kept
  if (carried !== 0) parts.push(carried)
}

/** The number nearest to the sum of parts that do not overlap; of two that are as near, the even one. */
function rounded(parts: readonly number[]): number {
  let at = parts.length - 1
  let sum = parts[at] ?? 0
  while (at > 0) {
    const before = sum
    const part = parts[--at] as number
    sum = before + part
    const rest = part - (sum - before)
    if (rest === 0) continue
    // What is left lies half way between two numbers: the next smaller part says to which side.
    const next = parts[at - 1] ?? 0
    const twice = sum + rest * 2
    return rest < 0 === next < 0 && next !== 0 && twice - sum === rest * 2 ? twice : sum
  }
  return sum
}
