// `holdfast migrate`: prints what the database lacks for the app as SQL that can be read and run by hand, or applies it. What is
// missing, and what does not fit, server/db/migrate.ts finds.
import type { App } from '../schema/app.ts'
import type { Database, SqlValue } from '../server/db/db.ts'
import { layOut } from '../server/db/layout.ts'
import { planMigration, runPlan } from '../server/db/migrate.ts'
import type { Step } from '../server/db/migrations.ts'
import { MIGRATIONS } from '../server/state/tables.ts'
import { adoptWaiting } from '../server/verify.ts'
import type { Options } from './words.ts'

/** What a command is given. */
export interface Run {
  readonly app: App
  readonly database: Database
  readonly options: Options
  out(text: string): void
}

/** Runs the command; 1 when something is missing and was not made. Throws a TypeError when the database does not fit. */
export async function runMigrate({ app, database, options, out }: Run): Promise<0 | 1> {
  const layout = layOut(app, database.dialect)
  const look = (sql: Parameters<typeof planMigration>[0]) =>
    planMigration(sql, layout, MIGRATIONS, database.host.clock.now())
  const { steps, warnings } = options.apply
    ? await database.write(async (sql) => {
        const plan = await look(sql)
        await runPlan(sql, plan)
        return plan
      })
    : await database.read(look)
  // Rows that were there before their triggers are adopted here, and not under the first request.
  const hasAdopted = options.apply && (await adoptWaiting(database, layout))
  if (options.json) {
    const missing = steps.map(({ what, statements }) => ({ what, statements: statements.map(textOf) }))
    out(JSON.stringify({ command: 'migrate', applied: options.apply, adopted: hasAdopted, missing, warnings }))
  } else {
    for (const warning of warnings) out(`-- Slow: ${warning}`)
    if (steps.length === 0) out('-- Nothing is missing.')
    else if (options.apply) for (const { what } of steps) out(`made ${what}`)
    else out(script(steps))
    if (hasAdopted) out('adopted the rows that were there')
  }
  return steps.length > 0 && !options.apply ? 1 : 0
}

function script(steps: readonly Step[]): string {
  const parts = steps.map(
    ({ what, statements }) => `-- ${what}\n${statements.map((each) => `${textOf(each)};`).join('\n')}`,
  )
  return ['BEGIN;', ...parts, 'COMMIT;'].join('\n\n')
}

/** A statement with its parameters in it. A question mark in a quoted name or text is none. */
function textOf({ text, parameters = [] }: Step['statements'][number]): string {
  const values = [...parameters]
  return text.replace(/"[^"]*"|'[^']*'|\?/g, (part) => (part === '?' ? literal(values.shift() ?? null) : part))
}

function literal(value: SqlValue): string {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
