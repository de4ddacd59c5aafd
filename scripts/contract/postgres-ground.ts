// The contract's ground on PostgreSQL: a schema of its own for each case, in a database that is there already. Whoever asks for a process
// gets a pool of its own, and the other program a connection, as psql has it.
import { Client, Pool } from 'pg'
import type { Foreign, Ground } from '../../src/sim/contracts/authority/ground.ts'

let made = 0

/** Makes grounds in the database at `url`. Sources are loaded when it is called, so that planted faults are in place before. */
export async function postgresGrounds(url: string): Promise<() => Promise<Ground>> {
  const { nodeHost } = await import('../../src/hosts/node/authority-host.ts')
  const { postgres } = await import('../../src/server/db/postgres/postgres.ts')
  const { numberParameters } = await import('../../src/server/db/postgres/statements.ts')
  const { TYPES } = await import('../../src/server/db/postgres/values.ts')
  const host = nodeHost({ log: 'silent' })
  return async () => {
    const schema = `contract_${process.pid}_${++made}`
    const pools: Pool[] = []
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(`CREATE SCHEMA ${schema}; SET search_path = ${schema}`)
    const all: Foreign['all'] = async (text, parameters = []) => {
      const { rows } = await client.query({
        text: numberParameters(text),
        values: [...parameters],
        types: TYPES as never,
      })
      return rows
    }
    return {
      open() {
        const pool = new Pool({ connectionString: url, options: `-c search_path=${schema}`, max: 8 })
        pools.push(pool)
        return postgres(pool, { host })
      },
      foreign: {
        all,
        async transaction(body) {
          await client.query('BEGIN')
          try {
            await body(all)
            await client.query('COMMIT')
          } catch (error) {
            await client.query('ROLLBACK')
            throw error
          }
        },
      },
      async close() {
        for (const pool of pools) await pool.end()
        // Thousands of tables would slow the server down.
        await client.query(`SET client_min_messages = warning; DROP SCHEMA ${schema} CASCADE`)
        await client.end()
      },
    }
  }
}
