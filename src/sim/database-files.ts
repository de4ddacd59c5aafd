// The files of the authority's database: where it lies now, a backup of it, and the connections of others: somebody else who writes,
// and the oracle who only reads. Nothing here knows what is in them.
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The files of one authority. */
export interface DatabaseFiles {
  readonly path: string
  readonly hasBackup: boolean
  /** Keeps a copy of what is committed. */
  backUp(): void
  /** From now on the database is a copy of the backup. Nobody may have it open. */
  setBack(): void
  /** The connection of somebody else who writes. */
  foreign(): DatabaseSync
  /** The connection of the oracle. */
  judge(): DatabaseSync
  /** Lets go of the connections. */
  close(): void
}

/** The files in a folder of their own, best in memory. */
export function createDatabaseFiles(folder: string): DatabaseFiles {
  let files = 0
  let path = join(folder, 'authority-0.db')
  let backup: string | undefined
  let foreign: DatabaseSync | undefined
  let judge: DatabaseSync | undefined

  const open = (): DatabaseSync => {
    const db = new DatabaseSync(path)
    // What somebody else commits counts as safe; only the authority's own commits are under test.
    db.exec('PRAGMA synchronous = OFF')
    return db
  }
  const close = (): void => {
    foreign?.close()
    judge?.close()
    foreign = undefined
    judge = undefined
  }
  return {
    get path() {
      return path
    },
    get hasBackup() {
      return backup !== undefined
    },
    backUp() {
      backup = join(folder, `backup-${++files}.db`)
      copyDatabase(path, backup)
    },
    setBack() {
      if (backup === undefined) return
      close()
      path = join(folder, `authority-${++files}.db`)
      copyDatabase(backup, path)
    },
    foreign() {
      foreign ??= open()
      return foreign
    },
    judge() {
      judge ??= open()
      return judge
    },
    close,
  }
}

/** A copy of the file and of what stands only in its log yet; no other process writes, so the two belong together. */
function copyDatabase(from: string, to: string): void {
  for (const suffix of ['', '-wal']) {
    rmSync(to + suffix, { force: true })
    if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix)
  }
}
