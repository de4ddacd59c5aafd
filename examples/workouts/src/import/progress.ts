// What a person sees on stderr while an import runs: one line that moves on a terminal, a few plain lines elsewhere.
// Never on stdout, which belongs to the report.

/** Shows progress. */
export interface Progress {
  /** A new part of the work begins. */
  phase(text: string): void
  /** How far it is. */
  at(done: number, all: number): void
  /** A thing worth a line of its own. */
  note(text: string): void
  /** The moving line is over. */
  end(): void
}

/** Progress on a stream; on a terminal it moves. */
export function createProgress(stream: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  const moves = stream.isTTY === true
  let title = ''
  let drawn = ''
  const clear = (): void => {
    if (drawn !== '') stream.write('\r\u001b[K')
    drawn = ''
  }
  return {
    phase(text) {
      clear()
      title = text
      if (!moves) stream.write(`${text}\n`)
    },
    at(done, all) {
      if (!moves) return
      const width = 30
      const full = all === 0 ? width : Math.round((width * Math.min(done, all)) / all)
      const line = `${title} ${'█'.repeat(full)}${'░'.repeat(width - full)} ${done} of ${all}`
      if (line === drawn) return
      stream.write(`\r\u001b[K${line}`)
      drawn = line
    },
    note(text) {
      clear()
      stream.write(`${text}\n`)
    },
    end: clear,
  }
}
