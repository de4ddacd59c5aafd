// Many devices at once: two authorities on one database, appenders under one parent, and yesterday's backup restored under devices that
// go on. Real processes, real clients, HTTP. What came of it is read by plain SQL, without any engine.
import type { Client } from 'holdfast/client'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type app, SCOPE } from './app.ts'
import { dice, openDevice, startAuthority, type Trouble } from './fleet.ts'
import { type Ground, kind, openGround } from './grounds.ts'

type Device = Client<typeof app>

const uuid = (label: number, of: number): string =>
  `${label.toString(16).padStart(8, '0')}-0000-4000-8000-${of.toString(16).padStart(12, '0')}`

/** Waits until every device is quiet and all of them stand at the same version of the scope. */
async function settled(devices: readonly Device[]): Promise<void> {
  const placeOf = (device: Device): string =>
    JSON.stringify(device.inspect().cursors.find(({ scope }) => scope === SCOPE))
  for (;;) {
    await Promise.all(devices.map((device) => device.quiet()))
    if (new Set(devices.map(placeOf)).size === 1) return
    // Whoever stands further back hears of the rest.
    await new Promise<void>((resolve) => {
      const cancels = devices.map((device) =>
        device.inspect().replica.onCommit(() => {
          for (const cancel of cancels) cancel()
          resolve()
        }),
      )
    })
  }
}

const shows = (device: Device, id: string): boolean => device.inspect().replica.get('posts', id) !== undefined

function rowsOf(device: Device, table: string): object[] {
  return [...device.inspect().replica.confirmedRows(table).values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

describe(`on ${kind}`, () => {
  async function ground(): Promise<Ground> {
    const made = await openGround()
    onTestFinished(() => made.close())
    return made
  }

  test('[I3] [I17] two authorities, 16 devices of 4 actors and 5,000 intents over links that repeat and lose: everything agrees', async () => {
    const { where, sql } = await ground()
    const first = await startAuthority(where)
    const second = await startAuthority(where)
    const trouble: Trouble = { repeated: 0, lost: 0 }
    const devices = Array.from({ length: 16 }, (_, number) =>
      openDevice(`actor ${number % 4}`, number % 2 === 0 ? first.url : second.url, number + 1, trouble),
    )
    const boards = [uuid(1, 1), uuid(1, 2), uuid(1, 3)]
    const counter = uuid(2, 1)
    await devices[0]?.mutate.insertCounters({ id: counter, gymId: '1', n: 0 }).decided
    for (const id of boards) await devices[0]?.mutate.insertBoards({ id, gymId: '1' }).decided
    await settled(devices)
    const roll = dice(7)
    const posts: string[] = []
    // The counter and the boards are intents too.
    let made = 4
    let raised = 0
    for (let wave = 0; made < 5_000; wave++) {
      for (const [number, device] of devices.entries()) {
        for (let call = 0; call < 8 && made < 5_000; call++, made++) {
          const what = roll()
          const older = posts[Math.floor(roll() * posts.length)]
          if (what < 0.2) {
            device.mutate.raise({ id: counter })
            raised++
          } else if (what < 0.3 && older !== undefined && shows(device, older)) {
            device.mutate.edit({ id: older, text: `edited ${made}` })
          } else {
            const id = uuid(number + 16, made)
            posts.push(id)
            device.mutate.post({ id, boardId: boards[made % 3] ?? '', text: `post ${made}` })
          }
        }
      }
      if (wave % 4 === 3) await Promise.all(devices.map((device) => device.quiet()))
    }
    await settled(devices)
    expect(trouble.repeated).toBeGreaterThan(20)
    expect(trouble.lost).toBeGreaterThan(20)

    const ledger = await sql('SELECT intent_id, status FROM holdfast_ledger WHERE alias = 0')
    expect(ledger).toHaveLength(made)
    expect(new Set(ledger.map((row) => row['intent_id'])).size).toBe(made)
    const rejected = ledger.filter(({ status }) => status !== 'applied').length
    expect(await sql('SELECT n FROM counters')).toEqual([{ n: raised }])
    expect((await sql('SELECT id FROM posts')).length).toBe(posts.length)
    expect(rejected).toBe(devices.reduce((sum, device) => sum + device.outbox().length, 0))
    await expectSound(sql)
    for (const device of devices)
      for (const table of ['boards', 'posts', 'counters', 'boardTotals'])
        expect(rowsOf(device, table)).toEqual(await sortedRows(sql, table))
  }, 120_000)

  test('[I11] 64 appenders with 100 each under one parent: 6,400 positions, each once and without a gap', async () => {
    const { where, sql } = await ground()
    const authorities = [await startAuthority(where), await startAuthority(where)]
    const devices = Array.from({ length: 64 }, (_, number) =>
      openDevice(`actor ${number}`, authorities[number % 2]?.url ?? '', number + 1),
    )
    const board = uuid(1, 1)
    await devices[0]?.mutate.insertBoards({ id: board, gymId: '1' }).decided
    await settled(devices)
    for (let post = 0; post < 100; post++)
      for (const [number, device] of devices.entries())
        device.mutate.post({ id: uuid(number + 16, post), boardId: board, text: `${post}` })
    await Promise.all(devices.map((device) => device.quiet()))
    const positions = (await sql('SELECT position FROM posts ORDER BY position')).map(({ position }) =>
      Number(position),
    )
    expect(positions).toEqual(Array.from({ length: 6_400 }, (_, index) => index + 1))
    // Each device's own posts stand in the order in which it made them.
    const order = await sql('SELECT id, text FROM posts ORDER BY position')
    for (const number of devices.keys()) {
      const own = order.filter(({ id }) => String(id).startsWith(uuid(number + 16, 0).slice(0, 8)))
      expect(own.map(({ text }) => Number(text))).toEqual(Array.from({ length: 100 }, (_, post) => post))
    }
    await expectSound(sql)
  }, 120_000)

  test('a row that plain SQL changes or deletes reaches connected devices, and one that comes back', async () => {
    const { where, sql } = await ground()
    const authority = await startAuthority(where)
    const [device, other] = [openDevice('anna', authority.url, 1), openDevice('ben', authority.url, 2)]
    const board = uuid(1, 1)
    await device.mutate.insertBoards({ id: board, gymId: '1' }).decided
    for (let post = 0; post < 3; post++)
      await device.mutate.post({ id: uuid(16, post), boardId: board, text: 'as made' }).decided
    await settled([device, other])
    other.pause()
    const heard = new Promise<void>((resolve) => {
      device.inspect().replica.onCommit(() => {
        if (device.inspect().replica.get('posts', uuid(16, 1))?.['text'] === 'by hand') resolve()
      })
    })
    const began = performance.now()
    await sql(`UPDATE posts SET text = 'by hand' WHERE id = '${uuid(16, 1)}'`)
    await heard
    console.info(`a foreign write was shown after ${Math.round(performance.now() - began)} ms`)
    other.resume()
    const gone = new Promise<void>((resolve) => {
      other.inspect().replica.onCommit(() => {
        if (rowsOf(other, 'boards').length === 0) resolve()
      })
    })
    await sql(`DELETE FROM boards WHERE id = '${board}'`)
    await gone
    await settled([device, other])
    // Its posts lie in no scope any more: they leave every device with it.
    for (const each of [device, other]) expect(rowsOf(each, 'posts')).toEqual([])
  }, 60_000)

  test('[I17] [I18] yesterday’s backup restored under 8 devices with 500 intents: none lost, none doubled, all equal, operators told', async () => {
    const made = await ground()
    const { where, sql } = made
    let authority = await startAuthority(where)
    const { port } = authority
    const devices = Array.from({ length: 8 }, (_, number) =>
      openDevice(`actor ${number % 4}`, authority.url, number + 1),
    )
    const board = uuid(1, 1)
    await devices[0]?.mutate.insertBoards({ id: board, gymId: '1' }).decided
    await settled(devices)
    const ids: string[] = []
    const post = (count: number): void => {
      for (let index = 0; index < count; index++) {
        const id = uuid(16, ids.length)
        ids.push(id)
        devices[ids.length % 8]?.mutate.post({ id, boardId: board, text: `post ${ids.length}` })
      }
    }
    post(200)
    await settled(devices)
    const backup = await made.backUp(() => authority.stop())
    authority = await startAuthority(where, port)
    post(200)
    await settled(devices)
    // The last hundred are made while the authority is away.
    await authority.stop()
    post(100)
    await backup.restore()
    authority = await startAuthority(where, port)
    await settled(devices)
    expect((await sql('SELECT id FROM posts ORDER BY id')).map(({ id }) => id)).toEqual([...ids].sort())
    expect(
      (await sql('SELECT count(DISTINCT intent_id) AS n, count(*) AS m FROM holdfast_ledger WHERE alias = 0'))[0],
    ).toEqual({ n: 501, m: 501 })
    await expectSound(sql)
    for (const device of devices) {
      expect(device.outbox()).toEqual([])
      expect(rowsOf(device, 'posts')).toEqual(await sortedRows(sql, 'posts'))
    }
    expect(authority.warnings.map(({ message }) => message)).toContain(
      'a device knows of what this database does not: was a backup restored?',
    )
  }, 120_000)
})

/** What must hold in any database of these tests, as plain SQL sees it. */
async function expectSound(sql: Ground['sql']): Promise<void> {
  // Positions: unique under their parent.
  expect(await sql('SELECT "boardId", position FROM posts GROUP BY "boardId", position HAVING count(*) > 1')).toEqual(
    [],
  )
  // Totals: as recomputed.
  const totals = await sql('SELECT id, posts, letters FROM "boardTotals" ORDER BY id')
  expect(totals).toEqual(
    await sql(
      'SELECT "boardId" AS id, count(*) AS posts, sum(length(text)) AS letters FROM posts GROUP BY "boardId" ORDER BY 1',
    ),
  )
  // The change log: one live entry for each row, in its scope, at no later version than the scope's.
  for (const table of ['boards', 'posts', 'counters', 'boardTotals']) {
    expect(
      await sql(
        `SELECT id FROM holdfast_log WHERE tbl = '${table}' AND gone = 0 AND scope = '${SCOPE}' AND version <= (SELECT version FROM holdfast_scope WHERE scope = '${SCOPE}') ORDER BY id`,
      ),
    ).toEqual(await sql(`SELECT id FROM "${table}" ORDER BY id`))
  }
  // Versions: one commit each, without gaps.
  expect(
    await sql(
      `SELECT s.scope FROM holdfast_scope s WHERE s.version <> (SELECT count(*) FROM holdfast_commit c WHERE c.scope = s.scope)`,
    ),
  ).toEqual([])
  // The ledger: the numbers of each client, without gaps.
  expect(
    await sql(
      'SELECT c.client FROM holdfast_client c WHERE c.decided <> (SELECT count(*) FROM holdfast_ledger l WHERE l.client = c.client)',
    ),
  ).toEqual([])
  expect(await sql('SELECT * FROM holdfast_mark')).toEqual([])
}

async function sortedRows(sql: Ground['sql'], table: string): Promise<readonly object[]> {
  return sql(`SELECT * FROM "${table}" ORDER BY id`)
}
