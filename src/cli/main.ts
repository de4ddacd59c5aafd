// What the command does with its words: finds the command, opens what it needs, prints what it found, and gives the exit code. The
// commands themselves only turn what the server room says into text or JSON; nothing is decided here. No process is touched either:
// output and folder come in, so that tests run it as it is.

import { ReachError, UsageError } from './errors.ts'
import type { Answered } from './replay.ts'
import { HELP, helpOf, parseWords } from './words.ts'

/** Where the command stands. */
export interface Surroundings {
  /** Prints what was asked for. */
  out(text: string): void
  /** Prints what went wrong, and what is said beside. */
  err(text: string): void
  /** Relative paths begin here. */
  readonly cwd: string
}

/** 0: all is well. 1: something was found. 2: the command was called wrongly. 3: the app or the database cannot be reached. */
export type ExitCode = 0 | 1 | 2 | 3

/** Posts JSON; gives status and body of whatever answered. */
async function post(url: string, headers: { readonly [name: string]: string }, body: string): Promise<Answered> {
  try {
    const response = await fetch(url, { method: 'POST', headers, body })
    return { status: response.status, body: await response.text() }
  } catch (error) {
    throw new ReachError(`${url} does not answer: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

/** Runs the command with these words; never rejects. */
export async function main(words: readonly string[], { out, err, cwd }: Surroundings): Promise<ExitCode> {
  try {
    const parsed = parseWords(words)
    if (parsed.kind === 'help') {
      out(parsed.command === undefined ? HELP : helpOf(parsed.command))
      return 0
    }
    const { command, options } = parsed
    if (command === 'replay') return await (await import('./replay.ts')).runReplay({ options, cwd, out, send: post })
    // Only now what needs a database is loaded: help comes without.
    const [{ openApp, openDatabase }, { runMigrate }, { runVerify }] = await Promise.all([
      import('./open.ts'),
      import('./migrate.ts'),
      import('./verify.ts'),
    ])
    const app = await openApp(options.app, cwd)
    const database = await openDatabase(options.database, cwd, {
      isReadOnly: command === 'migrate' && !options.apply,
      mayMake: command === 'migrate' && options.apply,
    })
    try {
      return await (command === 'migrate' ? runMigrate : runVerify)({ app, database, options, out })
    } finally {
      await database.close()
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof UsageError) {
      err(`${message}\n\n${error.command === undefined ? HELP : helpOf(error.command)}`)
      return 2
    }
    err(message)
    // A database that does not fit the app is something that was found.
    return error instanceof ReachError || !(error instanceof TypeError) ? 3 : 1
  }
}
