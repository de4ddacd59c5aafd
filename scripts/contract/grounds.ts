// The databases on which the contract of the authority and the oracle of rights run: SQLite in files, and a PostgreSQL that is started
// for the run, or that DATABASE_URL names. Sources are loaded by dynamic import, since a planted fault has to be in place before.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Surroundings } from '../../src/sim/contracts/authority/ground.ts'

/** Their names on the command line. */
export const DATABASES = ['sqlite', 'postgres'] as const

/** Makes grounds of one kind, and says how many cases run well at once; `close` takes away what they stood on. */
export async function groundsOf(
  database: (typeof DATABASES)[number],
): Promise<{ readonly surroundings: Surroundings; readonly lanes: number; close(): Promise<void> }> {
  const { clock } = await import('../../src/hosts/node/clock.ts')
  switch (database) {
    case 'sqlite': {
      const { sqliteGrounds } = await import('../../src/sim/contracts/authority/sqlite-ground.ts')
      // In memory where the system has such a folder: a case writes and deletes some hundred kilobytes.
      const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-contract-'))
      return {
        surroundings: { clock, makeGround: sqliteGrounds(folder) },
        lanes: 1,
        async close() {
          rmSync(folder, { recursive: true, force: true })
        },
      }
    }
    case 'postgres': {
      const { startPostgres } = await import('../postgres.ts')
      const { postgresGrounds } = await import('./postgres-ground.ts')
      const server = await startPostgres()
      try {
        const makeGround = await postgresGrounds(await server.createDatabase())
        // A server has other hands than this process: most of a case is waiting for it.
        return { surroundings: { clock, makeGround }, lanes: 4, close: () => server.stop() }
      } catch (error) {
        await server.stop()
        throw error
      }
    }
  }
}
