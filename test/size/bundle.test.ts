// What the smallest app loads of the engine stays within its budget, and holds nothing that is for the authority or for other hosts, nor
// what only other declarations need. What positions and aggregates add is held too.
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Bundle, bundleOf, listing } from './bundle.ts'

/**
 * The budget of `holdfast`, `holdfast/client` and `holdfast/browser` in the smallest app, in bytes of Brotli. The wish is 25,000:
 * docs/decisions/0015-what-a-page-loads.md says what stands between. Lower it with whatever makes the bundle smaller.
 */
const BUDGET = 39_150

/** What is loaded later, for a storage that does not work as it should. */
const BUDGET_LATER = 2_800

/** The same of an app that declares positions and aggregates. */
const BUDGET_DERIVED = 41_300

/** What relations and values of queries add, for an app that asks for all of them. */
const BUDGET_QUESTIONS = 1_800

/** Why a bundle is too large, with all that is in it, or nothing. */
function sizeProblems(bundle: Bundle, budget: number): readonly string[] {
  if (bundle.bytes <= budget) return []
  return [`The bundle has ${bundle.bytes} bytes of Brotli, at most ${budget} are wanted:\n${listing(bundle)}`]
}

describe('the smallest app in a browser', () => {
  let bundle: Bundle
  beforeAll(async () => {
    bundle = await bundleOf(fileURLToPath(new URL('minimal-app.ts', import.meta.url)))
    console.info(listing(bundle))
  })

  test('loads no more than its budget', () => {
    expect(sizeProblems(bundle, BUDGET)).toEqual([])
  })

  test('leaves little of the budget unused: what was won is held', () => {
    expect(BUDGET - bundle.bytes).toBeLessThan(1_000)
  })

  test('loads nothing of the authority, of other hosts, of bindings or of the simulator, and no canonical JSON', () => {
    const paths = bundle.modules.map(({ module }) => module)
    expect(paths).toEqual(expect.arrayContaining(['src/client/client.ts', 'src/hosts/browser/host.ts']))
    const own = paths.filter((path) => path.startsWith('src/'))
    expect(own.filter((path) => !/^src\/(base|schema|protocol|client|hosts\/browser)\//.test(path))).toEqual([])
    expect(own.filter((path) => /(codes|canonical|memory|testing)\.ts$/.test(path))).toEqual([])
    expect(own.filter((path) => /(checks|measure|derived\/\w+)\.ts$/.test(path))).toEqual([])
    const packages = paths.filter((path) => !/^(src|test)\//.test(path)).map((path) => path.split('/')[0])
    expect(packages).toEqual([])
  })

  test('has the other storage modes, and what carries intents between them, in chunks of their own, within their budget', () => {
    const modules = bundle.later.flatMap((chunk) => chunk.modules)
    expect(modules).toEqual(
      expect.arrayContaining([
        'src/hosts/browser/localstorage.ts',
        'src/client/storage/memory.ts',
        'src/client/storage/carry.ts',
      ]),
    )
    const bytes = bundle.later.reduce((total, chunk) => total + chunk.bytes, 0)
    console.info(`on demand: ${bytes} bytes of Brotli in ${bundle.later.length} chunks`)
    expect(bytes).toBeLessThanOrEqual(BUDGET_LATER)
  })

  test('the guard refuses one byte too much, and then names each module with its share', () => {
    const [problem = ''] = sizeProblems(bundle, bundle.bytes - 1)
    expect(problem).toContain(`${bundle.bytes} bytes`)
    for (const { module } of bundle.modules) expect(problem).toContain(module)
    const shares = bundle.modules.reduce((total, { share }) => total + share, 0)
    expect(Math.round(shares)).toBe(bundle.bytes)
    expect(sizeProblems(bundle, bundle.bytes)).toEqual([])
  })
})

describe('an app with positions and aggregates', () => {
  let bundle: Bundle
  beforeAll(async () => {
    bundle = await bundleOf(fileURLToPath(new URL('derived-app.ts', import.meta.url)))
    console.info(`with positions and aggregates: ${bundle.bytes} bytes of Brotli in all`)
  })

  test('loads what they need, within its budget', () => {
    expect(sizeProblems(bundle, BUDGET_DERIVED)).toEqual([])
    expect(BUDGET_DERIVED - bundle.bytes).toBeLessThan(1_000)
    const paths = bundle.modules.map(({ module }) => module)
    expect(paths).toEqual(expect.arrayContaining(['src/schema/derived/positions.ts', 'src/schema/derived/groups.ts']))
  })
})

describe('an app with relations and values of queries', () => {
  test('loads them, within its budget, and no other app does', async () => {
    const [smallest, asking] = await Promise.all(
      ['minimal-app.ts', 'questions-app.ts'].map((entry) => bundleOf(fileURLToPath(new URL(entry, import.meta.url)))),
    )
    const added = (asking?.bytes ?? 0) - (smallest?.bytes ?? 0)
    console.info(`relations and values of queries: ${added} bytes of Brotli`)
    expect(added).toBeLessThan(BUDGET_QUESTIONS)
    const isTheirs = ({ module }: { readonly module: string }) => /query\/(include|totals|exact-sum)\.ts$/.test(module)
    expect(asking?.modules.filter(isTheirs)).toHaveLength(3)
    expect(smallest?.modules.filter(isTheirs)).toEqual([])
  })
})
