// The words of the command: which commands and options there are, what `--help` says of them, and the reading of what was typed. What
// is wrong is told with what is right; nothing is run here.

import { UsageError } from './errors.ts'

/** What was asked for. */
export interface Options {
  readonly app: string
  readonly database: string
  readonly apply: boolean
  readonly repair: boolean
  readonly json: boolean
}

/** The commands, what they do, and which of the options that are no addresses they take. */
export const COMMANDS = {
  migrate: {
    does: 'prints what the database lacks for the app, as SQL; with --apply makes it',
    flags: ['apply', 'json'],
  },
  verify: {
    does: 'compares aggregates, positions, change log and numbers with what they should be; with --repair mends what can be',
    flags: ['repair', 'json'],
  },
} as const

export type CommandName = keyof typeof COMMANDS

const ABOUT = {
  apply: 'makes what is missing, in one transaction',
  repair: 'recomputes aggregates and adopts rows anew, in one transaction',
  json: 'prints one JSON document instead of text',
} as const

const ADDRESSES = `  --app <module>        the module that exports the app as \`app\`: ./src/app.js (or app.ts, where Node reads TypeScript)
  --database <address>  sqlite:./data.db, or postgres://user@host/name`

const EXITS = `Exit codes: 0 all is well, 1 something was found, 2 wrong usage, 3 the app or the database cannot be reached.`

/** The help of the whole command. */
export const HELP = `holdfast <command> --app <module> --database <address> [options]

${Object.entries(COMMANDS)
  .map(([name, { does }]) => `  ${name.padEnd(9)}${does}`)
  .join('\n')}

${ADDRESSES}

holdfast <command> --help says more. ${EXITS}`

/** The help of one command. */
export function helpOf(name: CommandName): string {
  const { does, flags } = COMMANDS[name]
  return `holdfast ${name} --app <module> --database <address> ${flags.map((flag) => `[--${flag}]`).join(' ')}

${does[0]?.toUpperCase()}${does.slice(1)}.

${ADDRESSES}
${flags.map((flag) => `  ${`--${flag}`.padEnd(22)}${ABOUT[flag]}`).join('\n')}

${EXITS}`
}

/** Reads the words. Throws a UsageError that says what is right. */
export function parseWords(
  words: readonly string[],
):
  | { readonly kind: 'help'; readonly command?: CommandName }
  | { readonly kind: 'run'; readonly command: CommandName; readonly options: Options } {
  const [first, ...rest] = words
  if (first === undefined) throw new UsageError('Say what to do.')
  if (first === '--help' || first === '-h' || first === 'help') return { kind: 'help' }
  if (!Object.hasOwn(COMMANDS, first))
    throw new UsageError(
      `There is no command ${JSON.stringify(first)}; there are ${Object.keys(COMMANDS).join(' and ')}.`,
    )
  const command = first as CommandName
  if (rest.includes('--help') || rest.includes('-h')) return { kind: 'help', command }
  const values = new Map<string, string>()
  const flags = new Set<string>()
  const known: readonly string[] = COMMANDS[command].flags
  for (let at = 0; at < rest.length; at++) {
    const [word = '', given] = splitWord(rest[at] ?? '')
    const name = word.slice(2)
    if (!word.startsWith('--')) throw new UsageError(`What is ${JSON.stringify(word)}? Options begin with --.`, command)
    if (name === 'app' || name === 'database') {
      const value = given ?? rest[++at]
      if (value === undefined || value === '' || value.startsWith('--'))
        throw new UsageError(`--${name} wants a value after it.`, command)
      values.set(name, value)
    } else if (known.includes(name) && given === undefined) flags.add(name)
    else
      throw new UsageError(
        `${command} has no option ${word}; it has ${known.map((flag) => `--${flag}`).join(', ')}.`,
        command,
      )
  }
  const [app, database] = [values.get('app'), values.get('database')]
  if (app === undefined || database === undefined)
    throw new UsageError(`${app === undefined ? '--app' : '--database'} is missing.`, command)
  return {
    kind: 'run',
    command,
    options: {
      app,
      database,
      apply: flags.has('apply'),
      repair: flags.has('repair'),
      json: flags.has('json'),
    },
  }
}

/** `--app=x` is `--app x`. */
function splitWord(word: string): readonly [string, string?] {
  const at = word.indexOf('=')
  return at < 0 || !word.startsWith('--') ? [word] : [word.slice(0, at), word.slice(at + 1)]
}
