// What reading costs the authority, without HTTP: a device that comes back for the last 1,000 changes of a long or of a short history,
// and a new device that fetches 100,000 rows. SQLite on a file.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Authority, createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { ACTOR, app, SCOPE } from '../engine/app.ts'
import { type Figure, figure, inFolder, inTurns, median, timed } from '../harness.ts'
import { fill, markOf } from './fill.ts'
import { makeDevice } from './wire.ts'

const CHANGES = 1_000
const PER_COMMIT = 10
const LONG = 1_000_000
const SHORT = 10_000
const FIRST = 100_000
const REPEATS = 9

export function measure(): Promise<readonly Figure[]> {
  return inFolder(async (folder) => {
    const paths = { long: join(folder, 'long.db'), short: join(folder, 'short.db'), first: join(folder, 'first.db') }
    await fill(paths.long, LONG, PER_COMMIT)
    await fill(paths.short, SHORT, PER_COMMIT)
    await fill(paths.first, FIRST, 1_000)
    return [await returning(paths.long, paths.short), await firstSync(paths.first)]
  })
}

async function returning(long: string, short: string): Promise<Figure> {
  const authorities = [open(long), open(short)] as const
  const pull = (authority: Authority, sets: number) => async (): Promise<number> => {
    const version = (sets - CHANGES) / PER_COMMIT
    const cursor = { scope: SCOPE, version, mark: markOf(version) }
    // Ten times, since one takes only a few milliseconds.
    const took = await timed(async () => {
      for (let time = 0; time < 10; time++) {
        const { seal, rows } = await onePage(authority, [cursor])
        if (seal === undefined || rows !== CHANGES) throw new Error(`${rows} rows came in one page`)
      }
    })
    return took / 10
  }
  const [ofLong, ofShort] = [pull(authorities[0], LONG), pull(authorities[1], SHORT)]
  await ofLong()
  await ofShort()
  const { a, b } = await inTurns(REPEATS, ofLong, ofShort)
  for (const authority of authorities) await authority.close()
  return figure({
    name: `a pull of ${CHANGES} changes from a log of ${LONG}`,
    value: median(a),
    unit: 'ms',
    raw: median(b),
    reach: { of: 'ratio', is: 'at most', bound: 1.1 },
    note: `answered in one page, without HTTP; raw: the same pull from a log of ${SHORT}`,
  })
}

async function firstSync(path: string): Promise<Figure> {
  const authority = open(path)
  const engine = (): Promise<number> =>
    timed(async () => {
      let rows = 0
      for (let cursors: readonly object[] = []; ; ) {
        const page = await onePage(authority, cursors)
        rows += page.rows
        cursors = page.cursors
        if (page.seal !== undefined) break
      }
      if (rows < FIRST) throw new Error(`${rows} of ${FIRST} rows came`)
    })
  const raw = (): Promise<number> =>
    timed(() => {
      const db = new DatabaseSync(path)
      let bytes = 0
      for (const row of db.prepare('SELECT * FROM sets').iterate()) bytes += JSON.stringify(row).length
      db.close()
      if (bytes === 0) throw new Error('nothing was read')
    })
  await engine()
  const { a, b } = await inTurns(5, engine, raw)
  await authority.close()
  const perSecond = (ms: number): number => (FIRST / ms) * 1_000
  return figure({
    name: `first sync of ${FIRST} rows at the authority`,
    value: perSecond(median(a)),
    unit: 'rows/s',
    raw: perSecond(median(b)),
    reach: { of: 'value', is: 'at least', bound: 150_000 },
    note: 'all pages one after the other, without HTTP, each looked through by the bench; raw: SELECT and JSON.stringify of the same rows',
  })
}

function open(path: string): Authority {
  return createAuthority({
    app,
    database: sqlite(path),
    authenticate: () => ACTOR,
    grants: () => ({ read: [SCOPE], write: [SCOPE] }),
  }) as unknown as Authority
}

interface Page {
  readonly seal: unknown
  readonly rows: number
  readonly cursors: readonly object[]
}

const device = makeDevice(ACTOR, 'puller')

async function onePage(authority: Authority, cursors: readonly object[]): Promise<Page> {
  const body = device.pull(cursors)
  const headers: { readonly [name: string]: string } = { 'content-type': 'application/json' }
  const answer = await authority.handle({
    method: 'POST',
    path: '/sync/pull',
    header: (name) => headers[name],
    text: async () => body,
  })
  if (!('body' in answer) || answer.status !== 200) throw new Error(`the pull was answered ${answer.status}`)
  const { patches, seal } = JSON.parse(answer.body) as {
    readonly patches: readonly {
      readonly scope: string
      readonly to: object
      readonly rows: { readonly sets?: readonly unknown[] }
    }[]
    readonly seal?: unknown
  }
  return {
    seal,
    rows: patches.reduce((sum, { rows }) => sum + (rows.sets?.length ?? 0), 0),
    cursors: patches.map(({ scope, to }) => ({ scope, ...to })),
  }
}
