// Breaks: patches of the source text, applied while the sources are loaded, each of which takes away what holds one invariant up. The
// simulator must find every one of them: a check that was never seen to fail proves nothing. Nothing in the product knows of them.
// Each `find` must occur exactly once in its file; a test keeps that so while the sources change.

/** One way to break the product. */
export interface Break {
  readonly name: string
  /** Below `src/`. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** What is taken away, and what must notice. */
  readonly why: string
}

/** All breaks. */
export const BREAKS: readonly Break[] = []

/** The text with the break applied; throws a TypeError unless what it looks for stands there exactly once. */
export function applyBreak({ name, file, find, replace }: Break, text: string): string {
  const count = text.split(find).length - 1
  if (count !== 1)
    throw new TypeError(
      `The break ${name} looks for a text in ${file} that stands there ${count} times: ${JSON.stringify(find)}`,
    )
  return text.replace(find, () => replace)
}
