// Who may import whom, once, as data. The references between the tsconfig.json of the rooms say the same of whole rooms and are
// checked by the compiler; here are also the borders inside a room, the packages, and that no circle of imports exists.
import { isBuiltin } from 'node:module'
import { importsOf, type SourceFile, targetOf } from './sources.ts'

/** What the files of one place may import besides each other. A file belongs to the longest place that fits its path. */
export interface Border {
  /** A folder or a file below src. */
  readonly place: string
  /** Places whose values and types may be imported. */
  readonly may: readonly string[]
  /** Places whose types alone may be imported: nothing of the import is left at run time. */
  readonly types?: readonly string[]
  /** Packages; `node` stands for Node's own modules. */
  readonly packages?: readonly string[]
  /** Leave to import the place around it is no leave to import this one: it must be named. */
  readonly isApart?: true
  /** Its files do not import each other. */
  readonly isFlat?: true
}

const below = ['base', 'schema', 'protocol']

/** The table. */
export const BORDERS: readonly Border[] = [
  { place: 'base', may: [], packages: ['@noble/hashes'] },
  { place: 'base/canonical.ts', may: ['base'], packages: ['@noble/hashes', 'canonicalize'] },
  { place: 'schema', may: ['base'], packages: ['@standard-schema/spec'] },
  { place: 'protocol', may: ['base', 'schema'] },

  { place: 'client', may: [...below, 'client'] },
  { place: 'client/host.ts', may: below, types: ['client/storage'] },
  {
    place: 'client/status.ts',
    may: below,
    types: ['client/outbox', 'client/session/sentinel.ts', 'client/storage', 'client/sync', 'client/tabs'],
  },
  { place: 'client/replica', may: below, types: ['client/storage'] },
  { place: 'client/query', may: [...below, 'client/replica'], types: ['client/api.ts', 'client/status.ts'] },
  {
    place: 'client/storage',
    may: [...below, 'client/outbox/stored.ts', 'client/outbox/snapshot.ts', 'client/outbox/line.ts'],
    types: ['client/outbox/entry.ts'],
  },
  {
    place: 'client/outbox',
    may: [...below, 'client/outbox/stored.ts', 'client/status.ts', 'client/take.ts'],
    types: ['client/api.ts', 'client/calls.ts', 'client/storage'],
  },
  { place: 'client/outbox/stored.ts', may: below },
  {
    place: 'client/session',
    may: [...below, 'client/outbox/entry.ts', 'client/outbox/rescue.ts', 'client/outbox/stored.ts'],
    types: [
      'client/api.ts',
      'client/calls.ts',
      'client/host.ts',
      'client/outbox/outbox.ts',
      'client/replica',
      'client/status.ts',
      'client/storage',
    ],
  },
  {
    place: 'client/tabs',
    may: [...below, 'client/status.ts'],
    types: ['client/host.ts', 'client/storage', 'client/sync'],
  },
  {
    place: 'client/sync',
    may: [...below, 'client/outbox', 'client/session'],
    types: ['client/host.ts', 'client/replica', 'client/storage'],
  },

  { place: 'server', may: [...below, 'server'] },
  { place: 'server/host.ts', may: below },
  { place: 'server/world.ts', may: below, types: ['server/db', 'server/host.ts', 'server/rights', 'server/sync'] },
  { place: 'server/http', may: [...below, 'server/actor.ts'], types: ['server/host.ts'] },
  {
    place: 'server/sync',
    may: [...below, 'server/db', 'server/rights', 'server/state'],
    types: ['server/http/exchange.ts', 'server/world.ts'],
  },
  { place: 'server/rights', may: [...below, 'server/db'] },
  { place: 'server/state', may: [...below, 'server/db'], isFlat: true },
  { place: 'server/state/adopt.ts', may: [...below, 'server/db', 'server/state'] },
  { place: 'server/state/authors.ts', may: [...below, 'server/db', 'server/state'] },
  { place: 'server/state/entries.ts', may: [...below, 'server/db', 'server/state'] },
  { place: 'server/state/open-ledger.ts', may: [...below, 'server/db', 'server/state'] },
  { place: 'server/state/tables.ts', may: [...below, 'server/db', 'server/state'] },
  { place: 'server/db', may: below, types: ['server/host.ts'] },
  {
    place: 'server/db/sqlite',
    may: [...below, 'server/db', 'server/host.ts', 'hosts/node/authority-host.ts'],
    packages: ['node'],
    isApart: true,
  },
  {
    place: 'server/db/postgres',
    may: [...below, 'server/db', 'server/host.ts', 'hosts/node/authority-host.ts'],
    isApart: true,
  },

  {
    place: 'bindings/react',
    may: ['client/query/info.ts', 'client/session/pointers.ts'],
    types: ['schema/index.ts', 'client/index.ts'],
    packages: ['react'],
  },

  {
    place: 'hosts/browser',
    may: [...below, 'client/host.ts', 'client/storage', 'client/outbox/stored.ts'],
  },
  {
    place: 'hosts/node',
    may: [...below, 'client/host.ts', 'client/storage', 'client/outbox/stored.ts', 'server/http/exchange.ts'],
    types: ['server/host.ts'],
    packages: ['node'],
  },
  { place: 'hosts/jose', may: below, types: ['server/actor.ts'], packages: ['jose'] },
  {
    place: 'cli',
    may: [...below, 'server', 'server/db/sqlite', 'hosts/node/authority-host.ts', 'client/outbox/rescue.ts'],
    packages: ['node'],
  },
  {
    place: 'sim',
    may: [...below, 'client', 'server', 'server/db/sqlite', 'hosts'],
    packages: ['node', '@noble/hashes', '@standard-schema/spec'],
  },
]

/** What crosses a border that is closed, in sentences. */
export function borderProblems(files: readonly SourceFile[], borders: readonly Border[] = BORDERS): readonly string[] {
  const problems: string[] = []
  for (const file of files) {
    const own = borderOf(file.path, borders)
    if (own === undefined) {
      problems.push(`${file.path} belongs to no place of the table of borders`)
      continue
    }
    for (const { specifier, isType, line } of importsOf(file)) {
      const at = `${file.path}:${line} imports ${specifier}`
      if (!specifier.startsWith('.')) {
        const name = packageOf(specifier)
        if (!(own.packages ?? []).includes(name)) problems.push(`${at}, a package that ${own.place} may not use`)
        continue
      }
      const target = targetOf(file.path, specifier)
      const other = borderOf(target, borders)
      if (other?.place === own.place && own.isFlat !== true) continue
      const isOpen = (place: string) => (other?.isApart === true ? place === other.place : isIn(target, place))
      const open = isType ? [...own.may, ...(own.types ?? [])] : own.may
      if (open.some(isOpen)) continue
      problems.push(`${at}, which ${own.place} may not${own.types?.some(isOpen) ? ' (only its types)' : ''}`)
    }
  }
  return problems
}

/** Where an app reaches past the public names of the package, in sentences. */
export function insideProblems(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('.') && /^(?:src|dist)\//.test(targetOf(file.path, specifier)))
      .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}, which has no public name`),
  )
}

/** Circles of imports that exist at run time, each told once, as the files in order. */
export function circlesOf(files: readonly SourceFile[]): readonly string[] {
  const targetsByPath = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ specifier, isType }) => specifier.startsWith('.') && !isType)
        .map(({ specifier }) => targetOf(file.path, specifier)),
    ]),
  )
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) circles.push([...trail.slice(start), path].join(' → '))
    if (start >= 0 || done.has(path)) return
    for (const target of targetsByPath.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return circles
}

function borderOf(path: string, borders: readonly Border[]): Border | undefined {
  let found: Border | undefined
  for (const border of borders) {
    if (isIn(path, border.place) && border.place.length > (found?.place.length ?? -1)) found = border
  }
  return found
}

function isIn(path: string, place: string): boolean {
  return path === `src/${place}` || path.startsWith(`src/${place}/`)
}

function packageOf(specifier: string): string {
  if (isBuiltin(specifier)) return 'node'
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
