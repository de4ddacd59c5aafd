// The words on the command line of an import, checked. What is wrong is said with what was given, why it cannot be, and what to
// give instead. Nothing is opened here but the look whether the file is there.
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { IMPERIAL, METRIC, type Units } from './parse.ts'

/** An import as it was asked for. */
export interface ImportOptions {
  /** The path of the export, as given and whole. */
  readonly file: string
  readonly path: string
  /** An authority that runs elsewhere: protocol, host and port. */
  readonly authority: string | undefined
  /** The SQLite file of the authority; a fresh one when neither this nor `authority` is given. */
  readonly database: string | undefined
  readonly actor: string
  readonly seed: number
  readonly devices: number
  readonly units: Units
  /** In the page, in a browser; otherwise on devices in Node, over a bad network. */
  readonly page: boolean
  readonly json: boolean
}

/** Bad usage: the message says what was wrong and what to do. */
export class UsageError extends Error {
  constructor(what: string, todo: string) {
    super(`${what}\n${todo}`)
    this.name = 'UsageError'
  }
}

/** How to use it. */
export const USAGE = `npm run import -- FILE.csv [options]

Brings a Strong or Hevy export into the workouts app the hard way: a device without network reads it, is killed half-way and
started again, and then sends everything over a network that loses, repeats and cuts answers. With --page a real Chromium does it
in the app's own page, offline and then online, while its main thread is watched.

  --page                  import in the page; goes with --database, --actor and --json only
  --authority URL         send to this authority (npm start prints its address) instead of starting one
  --database sqlite:PATH  keep the authority's database there; without it a fresh one is made and thrown away
  --actor NAME            whose workouts these are (default: demo)
  --units metric|imperial what numbers mean where the file names no units (default: metric)
  --devices N             let N devices import the same file at once, 1 to 8 (default: 1)
  --seed N                repeat the troubles of another run
  --json                  print the report as one JSON object`

/** Reads the words after the script's name. Throws UsageError. */
export function readOptions(words: readonly string[]): ImportOptions {
  const { values, positionals } = parse(words)
  const [file, ...others] = positionals
  if (file === undefined) throw new UsageError('No file was given.', USAGE)
  if (others.length > 0)
    throw new UsageError(
      `One file at a time: ${[file, ...others].join(', ')} were given.`,
      'Run the import once for each.',
    )
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined)
    throw new UsageError(
      `There is no file ${file}.`,
      'Give the path of an export of Strong or Hevy, relative to the folder in which npm runs.',
    )
  if (!found.isFile()) throw new UsageError(`${file} is not a file.`, 'Give the path of one .csv file.')
  const units = values.units ?? 'metric'
  if (units !== 'metric' && units !== 'imperial')
    throw new UsageError(`--units is ${units}.`, 'Give metric (kg, km) or imperial (lb, miles).')
  const actor = values.actor ?? 'demo'
  if (actor.length === 0 || actor.length > 128)
    throw new UsageError('--actor is empty or too long.', 'Give a name of 1 to 128 characters.')
  if (values.page === true) checkForPage(values, actor)
  return {
    file,
    path: resolve(file),
    authority: values.authority === undefined ? undefined : readAuthority(values.authority),
    database: values.database === undefined ? undefined : readDatabase(values.database),
    actor,
    seed: values.seed === undefined ? 1 : readNumber('--seed', values.seed, 0, 4_294_967_295),
    devices: values.devices === undefined ? 1 : readNumber('--devices', values.devices, 1, 8),
    units: units === 'metric' ? METRIC : IMPERIAL,
    page: values.page === true,
    json: values.json === true,
  }
}

/** What the page cannot do, or does by itself. */
function checkForPage(values: { readonly [name: string]: unknown }, actor: string): void {
  for (const name of ['authority', 'devices', 'seed', 'units'])
    if (values[name] !== undefined)
      throw new UsageError(
        `--${name} does not go with --page.`,
        name === 'units'
          ? 'The page takes numbers without a unit for kg and km: leave --units or --page out.'
          : 'The page is one device, with an authority of its own and a network that works: leave one of the two out.',
      )
  if (actor.trim() !== actor || actor.length > 60)
    throw new UsageError(
      `--actor is ${JSON.stringify(actor)}, which the page does not take.`,
      'Give a name of 1 to 60 characters without spaces around it.',
    )
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        authority: { type: 'string' },
        database: { type: 'string' },
        actor: { type: 'string' },
        units: { type: 'string' },
        devices: { type: 'string' },
        seed: { type: 'string' },
        page: { type: 'boolean' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), USAGE)
  }
}

function readAuthority(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new UsageError(
      `--authority is ${text}, which is no address.`,
      'Give one like http://127.0.0.1:8787, as npm start prints it.',
    )
  if (!/^\/(sync\/?)?$/.test(url.pathname))
    throw new UsageError(`--authority is ${text}, but the wire is found at /sync.`, `Give ${url.origin}.`)
  return url.origin
}

function readDatabase(text: string): string {
  const path = /^sqlite:(.+)$/.exec(text)?.[1]
  if (path === undefined)
    throw new UsageError(`--database is ${text}.`, 'Give sqlite: and a path: --database sqlite:./workouts.db')
  const folder = dirname(resolve(path))
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(
      `--database lies in ${folder}, which is no folder.`,
      'Make the folder first, or give another path.',
    )
  return resolve(path)
}

function readNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`${name} is ${text}.`, `Give a whole number from ${least} to ${most}.`)
  return value
}
