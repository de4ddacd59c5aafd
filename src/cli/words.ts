// The words of the command: which commands and options there are, what `--help` says of them, and the reading of what was typed. What
// is wrong is told with what is right; nothing is run here.

import { UsageError } from './errors.ts'

/** What was asked for: of `migrate` and `verify` app and database, of `replay` file and address. */
export interface Options {
  readonly app: string
  readonly database: string
  readonly file: string
  readonly url: string
  readonly token: string | undefined
  readonly apply: boolean
  readonly repair: boolean
  readonly json: boolean
}

/** The commands, what they do, what they want, and which of the options without a value they take. */
export const COMMANDS = {
  migrate: {
    does: 'prints what the database lacks for the app, as SQL; with --apply makes it',
    usage: '--app <module> --database <address>',
    wants: ['app', 'database'],
    takes: [],
    flags: ['apply', 'json'],
  },
  verify: {
    does: 'compares aggregates, positions, change log and numbers with what they should be; with --repair mends what can be',
    usage: '--app <module> --database <address>',
    wants: ['app', 'database'],
    takes: [],
    flags: ['repair', 'json'],
  },
  replay: {
    does: 'sends what a rescue bundle holds to the authority, which decides each intent once, however often it is sent',
    usage: '<file> --url <address> --token <token>',
    wants: ['file', 'url'],
    takes: ['token'],
    flags: ['json'],
  },
} as const satisfies { readonly [name: string]: Command }

interface Command {
  readonly does: string
  readonly usage: string
  readonly wants: readonly (keyof typeof VALUES)[]
  readonly takes: readonly (keyof typeof VALUES)[]
  readonly flags: readonly (keyof typeof FLAGS)[]
}

/** The name of a command. */
export type CommandName = keyof typeof COMMANDS

const FLAGS = {
  apply: 'makes what is missing, in one transaction',
  repair: 'recomputes aggregates and adopts rows anew, in one transaction',
  json: 'prints one JSON document instead of text',
} as const

/** `file` is the one that is said without its name. */
const VALUES = {
  app: [
    '--app <module>',
    'the module that exports the app as `app`: ./src/app.js (or app.ts, where Node reads TypeScript)',
  ],
  database: ['--database <address>', 'sqlite:./data.db, or postgres://user@host/name'],
  file: ['<file>', 'the rescue bundle, as exportUnsent gave it'],
  url: ['--url <address>', 'where the authority answers devices: https://example.org/sync'],
  token: ['--token <token>', 'the bearer token of the person whose bundle it is'],
} as const

const EXITS = `Exit codes: 0 all is well, 1 something was found, 2 wrong usage, 3 what was named cannot be reached.`

/** The help of the whole command. */
export const HELP = `holdfast <command> [options]

${Object.entries(COMMANDS)
  .map(([name, { usage, does }]) => `  holdfast ${name} ${usage}\n           ${does}`)
  .join('\n')}

holdfast <command> --help says more. ${EXITS}`

/** The help of one command. */
export function helpOf(name: CommandName): string {
  const { does, usage, wants, takes, flags }: Command = COMMANDS[name]
  const lines = [...wants, ...takes].map((value) => VALUES[value])
  return `holdfast ${name} ${usage} ${flags.map((flag) => `[--${flag}]`).join(' ')}

${does[0]?.toUpperCase()}${does.slice(1)}.

${[...lines, ...flags.map((flag) => [`--${flag}`, FLAGS[flag]] as const)].map(([word, about]) => `  ${word.padEnd(22)}${about}`).join('\n')}

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
    throw new UsageError(`There is no command ${JSON.stringify(first)}; there are ${Object.keys(COMMANDS).join(', ')}.`)
  const command = first as CommandName
  if (rest.includes('--help') || rest.includes('-h')) return { kind: 'help', command }
  const { wants, takes, flags: known }: Command = COMMANDS[command]
  const named: readonly string[] = [...wants, ...takes].filter((name) => name !== 'file')
  const values = new Map<string, string>()
  const flags = new Set<string>()
  for (let at = 0; at < rest.length; at++) {
    const [word = '', given] = splitWord(rest[at] ?? '')
    const name = word.slice(2)
    if (!word.startsWith('--')) {
      if (!wants.includes('file') || values.has('file'))
        throw new UsageError(`What is ${JSON.stringify(word)}? Options begin with --.`, command)
      values.set('file', word)
    } else if (named.includes(name)) {
      const value = given ?? rest[++at]
      if (value === undefined || value === '' || value.startsWith('--'))
        throw new UsageError(`--${name} wants a value after it.`, command)
      values.set(name, value)
    } else if (known.some((flag) => flag === name) && given === undefined) flags.add(name)
    else
      throw new UsageError(
        `${command} has no option ${word}; it has ${known.map((flag) => `--${flag}`).join(', ')}.`,
        command,
      )
  }
  for (const name of wants)
    if (!values.has(name))
      throw new UsageError(`${name === 'file' ? VALUES.file[0] : `--${name}`} is missing.`, command)
  return {
    kind: 'run',
    command,
    options: {
      app: values.get('app') ?? '',
      database: values.get('database') ?? '',
      file: values.get('file') ?? '',
      url: values.get('url') ?? '',
      token: values.get('token'),
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
