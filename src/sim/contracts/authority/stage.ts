// The small language in which the cases are written: an authority on a fresh database, a clock to move, devices, another program with
// plain SQL, and more processes on the same database. Whatever a case opens is closed after it, and what is left in the database is
// judged as a whole (judge.ts), whatever the case was about.
import type { Json } from '../../../base/json.ts'
import { derivedUuid } from '../../../base/random.ts'
import type { App } from '../../../schema/app.ts'
import type { SqlRow, SqlValue } from '../../../server/db/db.ts'
import {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  type Database,
  type LogEntry,
} from '../../../server/index.ts'
import { createDice } from '../../random.ts'
import { asText, expectThat } from '../contract.ts'
import { app, grants, type SuiteApp } from './app.ts'
import { createDevice, type Device, type WireRow } from './device.ts'
import type { AuthorityCase, Foreign, Ground, Surroundings } from './ground.ts'
import { expectWhole } from './judge.ts'
import { createMovedClock, type MovedClock } from './moved-clock.ts'

/** An answer that is no stream. */
export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: { readonly [member: string]: unknown }
}

/** How an authority differs from the usual one of the cases. */
export type StageOptions = Partial<Omit<AuthorityOptions<SuiteApp>, 'app' | 'database' | 'host'>> & {
  /** Another app than that of app.ts. */
  readonly app?: App
  /** False where a case leaves something behind that no authority would. */
  readonly isWhole?: false
  /** Statements that somebody ran before there was any authority. */
  readonly before?: (dialect: Database['dialect']['name']) => readonly string[]
  readonly [option: string]: unknown
}

/** One authority, and hands to reach around it. */
export interface Stage {
  readonly app: App
  readonly authority: Authority
  readonly database: Database
  readonly foreign: Foreign
  readonly clock: MovedClock
  readonly logged: LogEntry[]
  /** A UUID that the case has not had yet. */
  newId(): string
  device(actor: string, client?: string): Device
  send(path: string, body: unknown, headers?: { readonly [name: string]: string }, method?: string): Promise<Answer>
  /** Runs plain SQL as another program. */
  sql(text: string, ...parameters: SqlValue[]): Promise<readonly SqlRow[]>
  /** The rows of a table or an aggregate as the wire has them, by id. */
  rows(table: string): Promise<WireRow[]>
  /** Another process on the same database, with options of its own. */
  another(options?: StageOptions): Promise<Stage>
}

/** Makes a case of an item over one stage. */
export function onStage(
  item: number,
  title: string,
  run: (stage: Stage) => Promise<void>,
  options: StageOptions = {},
): AuthorityCase {
  return {
    item,
    title,
    async run(surroundings) {
      const ground = await surroundings.makeGround()
      const opened: Stage[] = []
      try {
        const stage = await openStage(surroundings, ground, title, options, opened)
        await run(stage)
        if (options.isWhole !== false) await expectWhole(opened.at(-1) ?? stage)
      } finally {
        for (const { authority } of opened.reverse()) await authority.close()
        await ground.close()
      }
    },
  }
}

/** One stage that no case judges; whoever opens it closes its authority. */
export const openAlone = (
  surroundings: Surroundings,
  ground: Ground,
  title: string,
  options: StageOptions,
): Promise<Stage> => openStage(surroundings, ground, title, options, [])

async function openStage(
  surroundings: Surroundings,
  ground: Ground,
  title: string,
  { app: other, isWhole: _, before, ...options }: StageOptions,
  opened: Stage[],
): Promise<Stage> {
  const used = (other ?? app) as SuiteApp
  const logged: LogEntry[] = []
  const database = ground.open()
  for (const text of before?.(database.dialect.name) ?? []) await ground.foreign.all(text)
  const clock = opened[0]?.clock ?? createMovedClock(surroundings.clock)
  const process = opened.length
  const host = {
    clock,
    random: createDice(`${title}/${process}`),
    log: (entry: LogEntry) => void logged.push(entry),
  }
  let authority: Authority
  try {
    authority = createAuthority<SuiteApp>({
      authenticate: (request) => request.header('authorization')?.replace('Bearer ', ''),
      grants,
      ...options,
      app: used,
      database,
      host,
    }) as unknown as Authority
  } catch (error) {
    await database.close()
    throw error
  }
  let made = 0
  const newId = (): string => derivedUuid(NAMESPACE, `${process}/${++made}`)
  const { foreign } = ground
  const ask = (path: string, body: unknown, headers: { readonly [name: string]: string }, method = 'POST') => {
    const all: { readonly [name: string]: string } = { 'content-type': 'application/json', ...headers }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return authority.handle({ method, path, header: (name) => all[name], text: async () => text })
  }
  const send: Stage['send'] = async (path, body, headers = {}, method = 'POST') => {
    const answer = await ask(path, body, headers, method)
    if ('open' in answer) throw new Error('A stream came where an answer was expected')
    return { status: answer.status, headers: answer.headers, body: JSON.parse(answer.body) }
  }
  const stage: Stage = {
    app: used,
    authority,
    database,
    foreign,
    clock,
    logged,
    newId,
    device: (actor, client) =>
      createDevice(
        {
          app: used,
          newId,
          send,
          listen: (body, headers) => ({ answer: ask('/sync/live', body, headers), clock: surroundings.clock }),
        },
        actor,
        client,
      ),
    send,
    sql: (text, ...parameters) => foreign.all(text, parameters),
    async rows(table) {
      const found = await foreign.all(
        `SELECT ${selected(used, table)} FROM "${(used as App).tables[table]?.storedAs?.table ?? table}"`,
      )
      return found.map((row) => wireRow(used, table, row)).sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    another: (more = {}) => openStage(surroundings, ground, title, more, opened),
  }
  opened.push(stage)
  await authority.ready
  return stage
}

const NAMESPACE = '6f1d7c1e-5b0a-4c3e-9d0f-2a7b8c9d0e1f'

/** The columns of a table, under the names that the app declares. */
function selected(of: App, table: string): string {
  const { columns, storedAs } = of.tables[table] ?? {}
  if (columns === undefined || storedAs === undefined) return '*'
  return Object.keys(columns)
    .map((name) => `"${storedAs.columns[name] ?? name}" AS "${name}"`)
    .join(', ')
}

/** A row of SQL as it stands in frames: databases differ in how they give booleans and JSON. */
function wireRow(of: App, table: string, row: SqlRow): WireRow {
  const made: { [column: string]: unknown } = {}
  const measures = of.aggregates[table]?.measures
  for (const [name, value] of Object.entries(row)) {
    const type =
      measures === undefined
        ? of.table(table).columns[name]?.type
        : name === 'id'
          ? 'text'
          : measures[name]?.column.type
    if (type === undefined) continue
    if (value === null) made[name] = null
    else if (type === 'boolean') made[name] = value === true || value === 1
    else if (type === 'timestamp' && typeof value === 'string') made[name] = Date.parse(value)
    else if (type === 'json') made[name] = typeof value === 'string' ? (JSON.parse(value) as Json) : value
    else if (type === 'integer' || type === 'real' || type === 'timestamp' || type === 'appendIndex')
      made[name] = Number(value)
    else made[name] = value
  }
  return made as WireRow
}

/** Throws unless `actual` has all that `shape` has: members of objects may be more, items of arrays may not. */
export function expectMatch(actual: unknown, shape: unknown, what: string): void {
  const problem = mismatch(actual, shape, '')
  expectThat(problem === undefined, `${what} fits: ${problem}, in ${short(asText(actual))}`)
}

function mismatch(actual: unknown, shape: unknown, path: string): string | undefined {
  const at = path === '' ? 'it' : path
  if (typeof shape !== 'object' || shape === null)
    return actual === shape ? undefined : `${at} is ${short(String(asText(actual)))} and not ${short(asText(shape))}`
  if (typeof actual !== 'object' || actual === null) return `${at} is ${short(asText(actual))}`
  if (Array.isArray(shape)) {
    if (!Array.isArray(actual) || actual.length !== shape.length)
      return `${at} has ${Array.isArray(actual) ? actual.length : 'no'} items and not ${shape.length}`
  }
  for (const [key, member] of Object.entries(shape)) {
    const problem = mismatch((actual as { readonly [key: string]: unknown })[key], member, `${path}.${key}`)
    if (problem !== undefined) return problem
  }
  return undefined
}

const short = (text: string): string => (text.length > 400 ? `${text.slice(0, 400)} …` : text)
