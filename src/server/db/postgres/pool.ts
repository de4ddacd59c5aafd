// What the engine takes of `pg`: the pool that the app hands in, in its own words, so that nothing here depends on the package or on its
// types. A `Pool` of `pg` fits as it is.

/** How the values of a result are read, by the number of their type. */
export interface PgTypes {
  getTypeParser(oid: number, format?: string): (value: string) => unknown
}

/** A statement as `pg` takes it. */
export interface PgStatement {
  readonly text: string
  readonly values?: unknown[]
  /** Under this name the statement stays prepared on its connection. */
  readonly name?: string
  readonly types?: PgTypes
  /** Always the protocol in which one text is one statement. */
  readonly queryMode?: 'extended'
}

/** The result of one statement. */
export interface PgResult {
  // biome-ignore lint/suspicious/noExplicitAny: rows of `pg` are untyped
  readonly rows: any[]
  readonly rowCount: number | null
  readonly command: string
}

/** One connection of the pool. */
export interface PgConnection {
  /** Whether statements are sent before those ahead of them are answered. Older versions of `pg` do not know it. */
  pipeline?: boolean
  query(statement: PgStatement | string): Promise<PgResult>
  /** Gives it back; with true it is ended instead. */
  release(destroy?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'notification', listener: (message: PgNotification) => void): unknown
  on(event: 'end', listener: () => void): unknown
  // biome-ignore lint/suspicious/noExplicitAny: as `pg` declares it
  removeListener(event: string, listener: (...args: any[]) => void): unknown
}

/** What another session sent by NOTIFY. */
export interface PgNotification {
  readonly channel: string
  readonly payload?: string | undefined
}

/** A pool of connections: `new Pool(…)` of `pg`. */
export interface PgPool {
  connect(): Promise<PgConnection>
  on(event: 'error', listener: (error: Error) => void): unknown
  // biome-ignore lint/suspicious/noExplicitAny: as `pg` declares it
  removeListener(event: string, listener: (...args: any[]) => void): unknown
}
