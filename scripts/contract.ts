// `npm run contract -- sqlite|postgres [--json]`: runs the contract of the authority on one kind of database; a PostgreSQL is started
// for it. `--item N` runs one part of it, `--bail` begins no case after one has failed, `--cases` lists the cases; `--break NAME` loads
// the sources with a planted fault that cases must find; `--breaks` lists those.
// The last line of stdout is the tally (with --json one JSON object); cases that fail are told on stderr with their names and why.
// Exit code 1 when a case fails, 2 when the command makes no sense.
import { parseArgs } from 'node:util'
import { CONTRACT_BREAKS } from '../src/sim/contracts/authority/breaks.ts'
import type { Failed } from '../src/sim/contracts/authority/run.ts'
import { loadPatched, patchProblem, readSource } from '../src/sim/patches.ts'
import { DATABASES, groundsOf } from './contract/grounds.ts'
import { endWith } from './end.ts'

const USAGE = `npm run contract -- ${DATABASES.join('|')} [--json] [--item N] [--break NAME] [--bail] | --cases | --breaks`

// A case that failed may have left a timer or a connection behind: the command ends nevertheless.
await endWith(await command())

async function command(): Promise<number> {
  const options = readOptions()
  if (options === undefined) return 2
  const { values, positionals } = options
  if (values.breaks) {
    for (const { name } of CONTRACT_BREAKS) console.log(name)
    return 0
  }
  const broken = CONTRACT_BREAKS.find(({ name }) => name === values.break)
  if (values.break !== undefined && broken === undefined) return refuse(`There is no break ${values.break}`)
  const problem = broken === undefined ? undefined : patchProblem(broken, readSource(broken.file))
  if (problem !== undefined) return refuse(`The break ${broken?.name} does not fit the sources: ${problem}`)
  if (broken !== undefined) loadPatched([broken])

  // The sources come by dynamic import, after the patch is in place.
  const { AUTHORITY_CASES } = await import('../src/sim/contracts/authority/index.ts')
  const cases = AUTHORITY_CASES.filter(({ item }) => values.item === undefined || item === Number(values.item))
  if (cases.length === 0) return refuse(`There is no item ${values.item}`)
  if (values.cases) {
    for (const { item, title } of cases) console.log(`${item} ${title}`)
    return 0
  }
  const [name, ...more] = positionals
  const database = DATABASES.find((each) => each === name)
  if (database === undefined || more.length > 0) return refuse(`Say which database: ${DATABASES.join(' or ')}`)

  const { runCases } = await import('../src/sim/contracts/authority/run.ts')
  const { surroundings, lanes, close } = await groundsOf(database)
  try {
    const began = performance.now()
    const tell = ({ item, title, why }: Failed) => console.error(`item ${item}: ${title}\n  ${why.slice(0, 2_000)}`)
    const tally = await runCases(cases, surroundings, lanes, tell, values.bail)
    const seconds = Number(((performance.now() - began) / 1000).toFixed(1))
    const summary = { database, ...tally, ...(broken === undefined ? {} : { break: broken.name }), seconds }
    if (values.json) console.log(JSON.stringify(summary))
    else console.log(`${database}: ${tally.passed} passed, ${tally.failed} failed, ${seconds} s`)
    return tally.failed > 0 ? 1 : 0
  } finally {
    await close()
  }
}

function readOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        item: { type: 'string' },
        bail: { type: 'boolean', default: false },
        cases: { type: 'boolean', default: false },
        break: { type: 'string' },
        breaks: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

function refuse(what: string): number {
  console.error(`${what}.\n${USAGE}`)
  return 2
}
