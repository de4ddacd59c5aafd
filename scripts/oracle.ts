// `npm run oracle -- --requests 100000 --database sqlite [--json]`: tries random requests of random actors against the authority and
// compares each answer and each pulled row with a model of rights of its own. `--seed TEXT` chooses them; `--break NAME` loads the sources
// with a planted fault of the contract, which must show. The last line of stdout is the verdict (with --json one JSON object), progress
// and disagreements go to stderr. Exit code 1 on a disagreement, 2 when the command makes no sense.
import { parseArgs } from 'node:util'
import { CONTRACT_BREAKS } from '../src/sim/contracts/authority/breaks.ts'
import { loadPatched } from '../src/sim/patches.ts'
import { DATABASES, groundsOf } from './contract/grounds.ts'
import { endWith } from './end.ts'

const USAGE = `npm run oracle -- --requests 100000 --database ${DATABASES.join('|')} [--seed TEXT] [--break NAME] [--json]`

// Whatever a failed run has left behind, the command ends.
await endWith(await command())

async function command(): Promise<number> {
  const options = readOptions()
  if (options === undefined) return 2
  const requests = Number(options.requests)
  if (!Number.isSafeInteger(requests) || requests < 1) return refuse('Say how many requests: --requests 100000')
  const database = DATABASES.find((name) => name === options.database)
  if (database === undefined) return refuse(`Say which database: --database ${DATABASES.join(' or ')}`)
  const broken = CONTRACT_BREAKS.find(({ name }) => name === options.break)
  if (options.break !== undefined && broken === undefined) return refuse(`There is no break ${options.break}`)
  if (broken !== undefined) loadPatched([broken])

  // The sources come by dynamic import, after the patch is in place.
  const { runOracle } = await import('../src/sim/contracts/authority/oracle/oracle.ts')
  const { surroundings, close } = await groundsOf(database)
  try {
    const began = performance.now()
    let toldAt = began
    const { first, ...verdict } = await runOracle(surroundings, options.seed, requests, (done) => {
      if (performance.now() < toldAt + 5_000) return
      toldAt = performance.now()
      console.error(`${done} of ${requests} requests`)
    })
    for (const each of first) console.error(each)
    const seconds = Number(((performance.now() - began) / 1000).toFixed(1))
    if (options.json) console.log(JSON.stringify({ database, ...verdict, seed: options.seed, seconds }))
    else console.log(`${database}: ${verdict.requests} requests, ${verdict.disagreements} disagreements, ${seconds} s`)
    return verdict.disagreements > 0 ? 1 : 0
  } finally {
    await close()
  }
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        requests: { type: 'string', default: '100000' },
        database: { type: 'string', default: 'sqlite' },
        seed: { type: 'string', default: '1' },
        break: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

function refuse(what: string): number {
  console.error(`${what}.\n${USAGE}`)
  return 2
}
