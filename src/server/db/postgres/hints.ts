// Hints between the authorities of one database: what a commit touched, told by NOTIFY after it and outside of it, since a NOTIFY inside a
// transaction makes all commits of the server wait for each other. What is told within a few milliseconds goes together. One connection
// listens and comes back when it was lost. A hint may be lost too: that costs the time until the next poll, and nothing else.
import { backoffMs } from '../../../base/backoff.ts'
import type { Cancel } from '../../../base/clock.ts'
import { isRecord } from '../../../base/json.ts'
import { randomHex } from '../../../base/random.ts'
import { utf8Bytes } from '../../../base/utf8.ts'
import type { ServerHost } from '../../host.ts'
import type { CommitHint, CommitHints } from '../db.ts'
import type { PgConnection, PgNotification, PgPool } from './pool.ts'

/** The hints of one process, and their end. */
export interface PostgresHints extends CommitHints {
  close(): Promise<void>
}

const CHANNEL = 'holdfast'

/** A payload must be shorter than 8,000 bytes. */
const MAX_BYTES = 7_900

/** Commits of so many milliseconds share a NOTIFY: a quarter of the time between two ticks. */
const GATHER_MS = 5

const EVERYTHING: CommitHint = Object.freeze({ scopes: [], tables: [], clients: [], isFull: true })

/** Makes them. */
export function createHints(pool: PgPool, host: ServerHost): PostgresHints {
  const me = randomHex(host.random, 8)
  const listeners = new Set<(hint: CommitHint) => void>()
  let gathered: { scopes: Set<string>; tables: Set<string>; clients: Set<string>; isFull: boolean } | undefined
  let cancelSend: Cancel | undefined
  let sending: Promise<void> = Promise.resolve()
  let cancelRetry: Cancel | undefined
  let connection: Promise<PgConnection> | undefined
  let failures = 0
  let isClosed = false

  function tell({ scopes, tables, clients, isFull }: CommitHint): void {
    if (isClosed) return
    gathered ??= { scopes: new Set(), tables: new Set(), clients: new Set(), isFull: false }
    for (const scope of scopes) gathered.scopes.add(scope)
    for (const table of tables) gathered.tables.add(table)
    for (const client of clients) gathered.clients.add(client)
    if (isFull) gathered.isFull = true
    cancelSend ??= host.clock.after(GATHER_MS, () => {
      cancelSend = undefined
      // One after the other: a database that is slow is not asked for many connections.
      sending = sending.then(send)
    })
  }

  async function send(): Promise<void> {
    if (gathered === undefined) return
    const { scopes, tables, clients, isFull } = gathered
    gathered = undefined
    const whole = JSON.stringify({ from: me, scopes: [...scopes], tables: [...tables], clients: [...clients] })
    const payload = isFull || utf8Bytes(whole) > MAX_BYTES ? JSON.stringify({ from: me, isFull: true }) : whole
    try {
      const sender = await pool.connect()
      let isUsable = false
      const onError = (): void => undefined
      sender.on('error', onError)
      try {
        await sender.query({ text: 'SELECT pg_notify($1, $2)', values: [CHANNEL, payload] })
        isUsable = true
      } finally {
        sender.removeListener('error', onError)
        sender.release(!isUsable)
      }
    } catch (error) {
      host.log({ level: 'warn', message: 'other authorities could not be told of a commit' }, error)
    }
  }

  /** Listens, and again whenever the connection was lost. */
  function begin(): void {
    if (isClosed || listeners.size === 0 || connection !== undefined) return
    const mine = pool.connect()
    connection = mine
    const lose = (error: unknown): void => {
      if (connection !== mine) return
      connection = undefined
      host.log({ level: 'warn', message: 'the connection that listens for commits was lost' }, error)
      mine.then((lost) => lost.release(true)).catch(() => undefined)
      cancelRetry = host.clock.after(backoffMs(++failures, { firstMs: 100, maxMs: 5_000 }, host.random), begin)
    }
    mine
      .then(async (listening) => {
        listening.on('notification', hear)
        listening.on('error', lose)
        listening.on('end', () => lose(new Error('The connection ended')))
        await listening.query(`LISTEN ${CHANNEL}`)
        failures = 0
        // Whatever was told before is not known here.
        for (const listener of listeners) listener(EVERYTHING)
      })
      .catch(lose)
  }

  function hear({ channel, payload }: PgNotification): void {
    const hint = channel === CHANNEL ? parseHint(payload ?? '') : undefined
    if (hint === undefined || hint.from === me) return
    for (const listener of listeners) listener(hint)
  }

  function end(): void {
    cancelRetry?.()
    const mine = connection
    connection = undefined
    // It is ended and not given back: whoever had it next would go on listening.
    mine?.then((listening) => listening.release(true)).catch(() => undefined)
  }

  return {
    tell,
    listen(listener) {
      listeners.add(listener)
      begin()
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) end()
      }
    },
    async close() {
      isClosed = true
      cancelSend?.()
      listeners.clear()
      end()
      await sending
    },
  }
}

/** A hint of whoever may send one here: anything that is none is not heard. */
function parseHint(text: string): (CommitHint & { readonly from: unknown }) | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const { from, isFull } = value
  const list = (name: string): readonly string[] => {
    const found = value[name]
    return Array.isArray(found) ? found.filter((each): each is string => typeof each === 'string') : []
  }
  return {
    from,
    scopes: list('scopes'),
    tables: list('tables'),
    clients: list('clients'),
    ...(isFull === true ? { isFull } : {}),
  }
}
