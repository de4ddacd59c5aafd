// Statements on their way to PostgreSQL: `?` becomes `$1`, `$2`, …, and what is asked again stays prepared on its connection under a
// name. Both are remembered by text, for all databases of the process, within bounds. Pure but for that memory.

/** A text as PostgreSQL takes it. */
export interface Compiled {
  readonly text: string
  /** The name under which it is prepared; undefined where it is not worth one. */
  readonly name: string | undefined
}

/** Texts that are remembered. An app that writes values into its texts makes a new one each time: those get no name. */
const MAX_TEXTS = 2_000
const known = new Map<string, Compiled>()
/** Texts that were seen once. Who comes again is worth a name. */
const once = new Set<string>()
let named = 0

/** Compiles a text. */
export function compile(text: string): Compiled {
  const before = known.get(text)
  if (before !== undefined) return before
  const compiled = numberParameters(text)
  if (!once.has(text)) {
    if (once.size >= MAX_TEXTS) once.clear()
    once.add(text)
    return { text: compiled, name: undefined }
  }
  if (known.size >= MAX_TEXTS) return { text: compiled, name: undefined }
  once.delete(text)
  const made = { text: compiled, name: `holdfast_${++named}` }
  known.set(text, made)
  return made
}

/** The statement of this name is not what it was any more: its text gets another one, on every connection. */
export function renew(name: string): void {
  for (const [text, compiled] of known)
    if (compiled.name === name) known.set(text, { text: compiled.text, name: `holdfast_${++named}` })
}

/** Quoted texts and names, comments and dollar quotes, none of which holds a parameter; and the marks themselves. */
const PIECES =
  /(?:\be'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$)|\?\?|\?/gi

/** Numbers the parameters; `??` is one question mark, for the operators that have one. */
export function numberParameters(text: string): string {
  let count = 0
  return text.replace(PIECES, (piece) => (piece === '?' ? `$${++count}` : piece === '??' ? '?' : piece))
}
