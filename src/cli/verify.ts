// `holdfast verify`: prints what server/verify.ts finds, as lines or as JSON, and with `--repair` what could be mended.
import { layOut } from '../server/db/layout.ts'
import { MIGRATIONS } from '../server/state/tables.ts'
import { mendDatabase, verifyDatabase } from '../server/verify.ts'
import type { Run } from './migrate.ts'

/** Runs the command; 1 when something is not as it should be. */
export async function runVerify({ app, database, options, out }: Run): Promise<0 | 1> {
  const layout = layOut(app, database.dialect)
  const { mended, left } = options.repair
    ? await mendDatabase(database, layout, MIGRATIONS)
    : { mended: 0, left: await verifyDatabase(database, layout, MIGRATIONS) }
  const { findings, rows, groups, isCut } = left
  if (options.json) {
    const told = findings.map(({ kind, problem }) => ({ kind, problem }))
    out(JSON.stringify({ command: 'verify', rows, groups, mended, findings: told, isCut }))
  } else {
    for (const { kind, problem } of findings) out(`${kind}: ${problem}`)
    if (isCut) out(`… and more: only the first ${findings.length} are told`)
    if (options.repair) out(`mended ${mended}`)
    out(
      `${rows} rows, ${groups} groups: ${findings.length === 0 ? 'all is as it should be' : `${findings.length} found`}`,
    )
    if (findings.some(({ kind }) => kind === 'missing'))
      out('Run `holdfast migrate --apply` first: without its triggers nothing can be verified.')
  }
  return findings.length > 0 ? 1 : 0
}
