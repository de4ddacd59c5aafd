// A PostgreSQL for tests, benches and the contract: the one that DATABASE_URL names, or a throwaway cluster from the binaries that
// `npm install` brought (postgres/keeper.mjs), which is gone when the process that asked for it is, however that ended.
// Makes databases in it; what stands in them is the caller's.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'

/** A server that runs. */
export interface PostgresServer {
  /** The address of a database of it that is there already. */
  readonly url: string
  /** What it is, for people: version, and whether it was started here. */
  readonly title: string
  /** Makes an empty database; gives its address. */
  createDatabase(): Promise<string>
  /** Drops the databases that were made, and ends the server if it was started here. */
  stop(): Promise<void>
}

/** Starts a server, or takes the one that DATABASE_URL names. */
export async function startPostgres(): Promise<PostgresServer> {
  const given = process.env['DATABASE_URL']
  const { url, title, end } = given === undefined ? await startKeeper() : await takeGiven(given)
  const made: string[] = []
  const atHome = async (text: string): Promise<void> => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      await client.query(text)
    } finally {
      await client.end()
    }
  }
  return {
    url,
    title,
    async createDatabase() {
      const name = `holdfast_test_${randomBytes(6).toString('hex')}`
      await atHome(`CREATE DATABASE ${name}`)
      made.push(name)
      const address = new URL(url)
      address.pathname = `/${name}`
      return address.href
    },
    async stop() {
      // What was started here goes as a whole.
      if (given !== undefined)
        for (const name of made.splice(0)) await atHome(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      await end()
    },
  }
}

interface Started {
  readonly url: string
  readonly title: string
  end(): Promise<void>
}

async function takeGiven(url: string): Promise<Started> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ readonly server_version: string }>('SHOW server_version')
  await client.end()
  return { url, title: `PostgreSQL ${rows[0]?.server_version} of DATABASE_URL`, end: async () => undefined }
}

async function startKeeper(): Promise<Started> {
  const keeper = spawn(process.execPath, [fileURLToPath(new URL('./postgres/keeper.mjs', import.meta.url))], {
    // In a group of its own: a signal for this one must not end the server while tests still clean up.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(keeper, 'exit')
  const said = await Promise.race([
    once(createInterface(keeper.stdout), 'line').then(([line]) => String(line)),
    ended.then(() => '{"problem":"it ended before it began"}'),
  ])
  const { url, version, problem } = JSON.parse(said) as { url?: string; version?: string; problem?: string }
  if (url === undefined) throw new Error(`PostgreSQL cannot be started here: ${problem}`)
  keeper.unref()
  return {
    url,
    title: `PostgreSQL ${version}, started for this run`,
    async end() {
      keeper.ref()
      keeper.stdin.end()
      await ended
    },
  }
}
