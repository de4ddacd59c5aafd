// The two ways in which the command fails by itself. Everything else that it says is something that it found.

/** The command was called in a way that it does not know. */
export class UsageError extends Error {
  /** The command whose help tells what is right; that of the whole otherwise. */
  readonly command: 'migrate' | 'verify' | 'replay' | undefined
  constructor(message: string, command?: 'migrate' | 'verify' | 'replay') {
    super(message)
    this.name = 'UsageError'
    this.command = command
  }
}

/** The app or the database is not where it was said to be, or does not answer. */
export class ReachError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ReachError'
  }
}
