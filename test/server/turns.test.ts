// Conflicts over rows that move, go and come back: random lives of one row in three scopes, written by a device, by another device and
// by plain SQL, and a plain list of who did what. Whatever the device had seen at any moment of them, the authority finds a conflict
// exactly where that list has a change by others since.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { defineApp, type Json, t, table } from 'holdfast'
import { createAuthority } from 'holdfast/server'
import { nodeHost, sqlite } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import type { IntentBase } from '../../src/protocol/base.ts'
import type { Cursor, Patch } from '../../src/protocol/frame.ts'
import type { PushAnswer } from '../../src/protocol/push.ts'
import { createDice } from '../../src/sim/random.ts'
import { anything, post, uuid } from './scenario.ts'

const app = defineApp({
  tables: { cards: table({ id: t.id(), teamId: t.text(), title: t.text() }).scope('team', 'teamId') },
  mutators: ({ mutator, generated }) => ({
    ...generated('cards'),
    judge: mutator(
      anything<{ readonly id: string }>(),
      async (tx, { id }) => {
        if ((await tx.cards.get(id)) === undefined) return tx.reject('no_card')
      },
      { conflict: 'reject' },
    ),
  }),
})

const TEAMS = ['1', '2', '3']
const SCOPES = TEAMS.map((team) => `team:${team}`)

type Who = 'ben' | 'anna' | 'sql'
type What = { readonly kind: 'insert' | 'move'; readonly to: string } | { readonly kind: 'edit' | 'drop' }

/** What a device had seen, and after how many deeds. */
interface Seen {
  readonly after: number
  readonly base: IntentBase
}

async function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-turns-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'data.db')
  const authority = createAuthority({
    app,
    database: sqlite(path, { host: { ...nodeHost(), log: () => undefined } }),
    authenticate: (request) => request.header('authorization'),
    grants: () => ({ read: SCOPES, write: SCOPES }),
    tuning: { rate: { perSecond: 1e6, burst: 1e6 } },
  })
  onTestFinished(() => authority.close())
  await authority.ready
  const db = new DatabaseSync(path)
  onTestFinished(() => db.close())
  const device = (actor: string) => {
    const [client, cursors] = [uuid(), new Map<string, Cursor>()]
    let last = 0
    const ask = async <Answer>(verb: string, more: object): Promise<Answer> => {
      const body = { protocol: 1, app: app.fingerprint, actor, client, last, stored: 0, ...more }
      const answer = await authority.handle(post(`/sync/${verb}`, JSON.stringify(body), { authorization: actor }))
      if ('open' in answer || answer.status !== 200) throw new Error(JSON.stringify(answer))
      return JSON.parse(answer.body) as Answer
    }
    return {
      async call(...calls: readonly { readonly name: string; readonly args: Json; readonly base?: IntentBase }[]) {
        const intents = calls.map((call) => ({ sequence: ++last, id: uuid(), version: 1, madeAt: 1, ...call }))
        const { outcomes } = await ask<PushAnswer>('push', { intents })
        return outcomes.map(({ status }) => status)
      },
      async places(): Promise<readonly Cursor[]> {
        const { patches } = await ask<{ readonly patches: readonly Patch[] }>('pull', {
          cursors: [...cursors.values()],
        })
        for (const { scope, to } of patches) cursors.set(scope, { scope, ...to })
        return [...cursors.values()]
      },
    }
  }
  return { authority, db, ben: device('ben'), anna: device('anna') }
}

type Stage = Awaited<ReturnType<typeof stage>>

async function act({ db, ben, anna }: Stage, who: Who, id: string, what: What, title: string): Promise<void> {
  if (who === 'sql') {
    if (what.kind === 'insert')
      db.prepare('INSERT INTO cards (id, teamId, title) VALUES (?, ?, ?)').run(id, what.to, title)
    else if (what.kind === 'move') db.prepare('UPDATE cards SET teamId = ? WHERE id = ?').run(what.to, id)
    else if (what.kind === 'edit') db.prepare('UPDATE cards SET title = ? WHERE id = ?').run(title, id)
    else db.prepare('DELETE FROM cards WHERE id = ?').run(id)
    return
  }
  const call =
    what.kind === 'insert'
      ? { name: 'insertCards', args: { id, teamId: what.to, title } }
      : what.kind === 'drop'
        ? { name: 'deleteCards', args: { id } }
        : { name: 'updateCards', args: { id, ...(what.kind === 'move' ? { teamId: what.to } : { title }) } }
  expect(await (who === 'ben' ? ben : anna).call(call)).toEqual(['applied'])
}

test('a change by others is found exactly where there was one, wherever the row has been since', {
  timeout: 60_000,
}, async () => {
  const world = await stage()
  const counts = { conflict: 0, none: 0, away: 0, absent: 0 }
  for (let life = 0; life < 250; life++) {
    const dice = createDice(`turns ${life}`)
    const id = `card-${life}`
    const told: string[] = []
    const deeds: { readonly who: Who; readonly isBirth: boolean }[] = []
    const seen: Seen[] = []
    let team: string | undefined
    const look = async (): Promise<void> => {
      // What waits from SQL is adopted before a device sees anything.
      const places = (await world.ben.places()).filter(({ scope }) => scope === `team:${team}`)
      const rows = [{ table: 'cards', id, at: team === undefined ? -1 : 0 }]
      seen.push({ after: deeds.length, base: { places, rows } })
      told.push('ben looks')
    }
    for (let step = dice.between(3, 10); step > 0; step--) {
      if (dice.chance(0.4)) await look()
      const who = dice.weighted({ ben: 5, anna: 2, sql: 2 })
      const others = TEAMS.filter((other) => other !== team)
      const what: What =
        team === undefined
          ? { kind: 'insert', to: dice.pick(TEAMS) as string }
          : dice.weighted({ move: 5, edit: 3, drop: 1 }) === 'move'
            ? { kind: 'move', to: dice.pick(others) as string }
            : { kind: dice.chance(0.8) ? 'edit' : 'drop' }
      await act(world, who, id, what, `title ${step}`)
      team = what.kind === 'drop' ? undefined : 'to' in what ? what.to : team
      // What is made and taken back within one commit is seen by nobody: a row of SQL is adopted before somebody can take it away.
      if (who === 'sql' && what.kind === 'insert') await world.ben.places()
      deeds.push({ who, isBirth: what.kind === 'insert' })
      told.push(`${who} ${JSON.stringify(what)}`)
    }
    for (const { after, base } of seen) {
      const wasThere = base.rows[0]?.at === 0
      const birth = deeds.findLastIndex(({ isBirth }) => isBirth)
      const since = deeds.slice(wasThere ? after : Math.max(after, birth))
      const expected = (wasThere || team !== undefined) && since.some(({ who }) => who !== 'ben')
      const [status] = await world.ben.call({ name: 'judge', args: { id }, base })
      expect({ life, told, after, status }).toEqual({
        life,
        told,
        after,
        status: expected ? 'conflict' : team === undefined ? 'rejected' : 'applied',
      })
      counts[expected ? 'conflict' : 'none']++
      if (!wasThere) counts.absent++
      else if (base.places[0]?.scope !== `team:${team}`) counts.away++
    }
  }
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(40)
})
