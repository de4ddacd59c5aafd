// Rows and versions of one snapshot after a commit: the rows are those of the model (I10), versions rose by one each and bear marks
// that never were before (I7, I18), and what each scope holds at its new version goes into the archive.
import type { Archive } from './archive.ts'
import type { Checks } from './checks.ts'
import { TABLES } from './model.ts'
import type { Picture } from './picture.ts'
import { type AllRows, isPlainlyEqual, type Reader, scopeOfAny, textOf } from './rows.ts'

/** Holds all rows against the model. */
export function compareRows({ check }: Checks, { model }: Picture, rows: AllRows): void {
  for (const table of TABLES) {
    const actual = rows.get(table) ?? new Map()
    const expected = model.rows(table)
    for (const [id, row] of expected) {
      const found = actual.get(id)
      check(
        'I10',
        found !== undefined && isPlainlyEqual(table, found, row),
        () => `${table} ${id} is ${JSON.stringify(found)} and should be ${JSON.stringify(row)}`,
      )
    }
    check('I10', actual.size === expected.size, () => {
      const more = [...actual.keys()].filter((id) => !expected.has(id))
      return `${table} has ${actual.size} rows and should have ${expected.size}: ${more.join(', ')}`
    })
  }
}

/** A version that rose. */
export interface Risen {
  readonly scope: string
  readonly version: number
  readonly mark: string
}

/** Takes the versions that rose since the picture. */
export function takeVersions(
  { check }: Checks,
  { versions, marks }: Picture,
  archive: Archive,
  all: Reader['all'],
): readonly Risen[] {
  const risen: Risen[] = []
  for (const row of all('SELECT scope, version, mark FROM holdfast_scope ORDER BY scope')) {
    const [scope, version, mark] = [String(row['scope']), Number(row['version']), String(row['mark'])]
    const before = versions.get(scope) ?? 0
    if (version === before) continue
    check('I7', version === before + 1, () => `${scope} went from version ${before} to ${version} in one commit`)
    const commits = all('SELECT mark FROM holdfast_commit WHERE scope = ? AND version = ?', scope, version)
    check(
      'I7',
      commits.length === 1 && commits[0]?.['mark'] === mark,
      () => `${scope} ${version} has ${commits.length} commits and the mark ${mark}`,
    )
    check(
      'I18',
      archive.at(scope, { version, mark }) === undefined,
      () => `${scope} ${version} has the mark ${mark} a second time`,
    )
    versions.set(scope, version)
    marks.set(`${scope} ${version}`, mark)
    risen.push({ scope, version, mark })
  }
  return risen
}

/** Puts what the risen scopes hold into the archive. */
export function archiveScopes(archive: Archive, { model }: Picture, rows: AllRows, risen: readonly Risen[]): void {
  const held = new Map(risen.map(({ scope }) => [scope, new Map<string, string>()]))
  for (const [table, found] of rows) {
    for (const row of found.values())
      held.get(scopeOfAny(model, table, row.id) ?? '')?.set(`${table}/${row.id}`, textOf(table, row))
  }
  for (const { scope, version, mark } of risen) archive.add(scope, { version, mark }, held.get(scope) ?? new Map())
}
