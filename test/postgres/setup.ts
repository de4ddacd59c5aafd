// The setup of the tests that run on PostgreSQL: one server for a whole run, and one database in it; each authority has a schema of its
// own there (test/server/bases.ts). Tests of other projects neither start it nor wait for it.
import type { TestProject } from 'vitest/node'
import { startPostgres } from '../../scripts/postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the database; undefined where tests run on SQLite. */
    readonly postgres: string | undefined
  }
}

/** Starts the server before the first test; what it returns stops it after the last. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres()
  try {
    project.provide('postgres', await server.createDatabase())
  } catch (error) {
    await server.stop()
    throw error
  }
  console.log(server.title)
  return () => server.stop()
}
