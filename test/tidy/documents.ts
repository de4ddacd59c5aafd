// What the documents say of the code: files, invariants, tests, limits, codes. Each function gives what is untrue, in sentences.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { quotesOf, rowsOf, sectionOf, spansOf } from './markdown.ts'
import { isTitle, root, type SourceFile, type Title } from './sources.ts'

/** Whether a path from the root is there. */
export type IsThere = (path: string) => boolean

/** Whether a path from the root is there, on this disk. */
export const isOnDisk: IsThere = (path) => existsSync(join(root, path))

const folders = /^(?:src|test|docs|scripts|examples|bench|\.ci)\//
const rootPages = /^(?:[A-Z]+\.md|LICENSE|package\.json|biome\.json|[a-z.]+\.config\.ts|tsconfig[a-z.]*\.json)$/

/** Files and folders that a page names in code spans (from the root or from the page) and links, and that are not there. */
export function pathProblems(page: SourceFile, isThere: IsThere = isOnDisk): readonly string[] {
  const links = [...page.text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link)
  const base = page.path.split('/').slice(0, -1)
  const problems: string[] = []
  for (const span of spansOf(page.text)) {
    if (
      (folders.test(span) || rootPages.test(span)) &&
      !/[\s*<{]/.test(span) &&
      !isThere(span) &&
      !isThere(join(...base, span))
    ) {
      problems.push(`${page.path} names ${span}, which is not there`)
    }
  }
  for (const link of links) {
    if (!isThere(join(...base, link))) problems.push(`${page.path} links to ${link}, which is not there`)
  }
  return problems
}

/** The titles of issues that are still to come: what is not built yet may be named «later» with one of them. */
export const LATER: readonly string[] = [
  'Engine in the browser: IndexedDB, tabs, React, and the workout log',
  'Authority: SQLite and PostgreSQL, scopes, conflicts, aggregates, and any writer',
  'Device: storage ladder, epochs, pointers, repair, evolution',
  'Proof: the simulator grown up, real faults, hostile input, and a fault kit for adopters',
  'Visible: elements, bindings, devtools, and a demo that people would keep',
  'Operators: the fleet in view, metrics, health, and a command line',
]

/** The issues that a cell promises: `later: issue title`, each on a line of its own. */
export function latersOf(cell: string): readonly string[] {
  return cell.split('<br>').flatMap((line) => /^later: (.+)$/.exec(line.trim())?.[1] ?? [])
}

/** Why a cell that promises something later is wrong. */
export function laterProblems(cell: string): readonly string[] {
  const promises = cell.split('<br>').filter((line) => /^\s*later\b/.test(line))
  const known = latersOf(cell).filter((title) => LATER.includes(title))
  return promises.length === known.length ? [] : [`«${cell}» names no issue that is to come`]
}

/** Why the table of invariants is wrong: compared with the list in src/base/assert.ts, the files, and the titles of tests. */
export function invariantProblems(
  page: string,
  ids: readonly string[],
  titles: readonly Title[],
  read: (path: string) => string | undefined,
): readonly string[] {
  const problems: string[] = []
  const rows = rowsOf(sectionOf(page, 'Invariants'))
  const named = rows.map(([id = '']) => id)
  for (const id of ids) if (!named.includes(id)) problems.push(`${id} is not in the table`)
  for (const [id = '', statement = '', files = '', tests = '', simulator = ''] of rows) {
    if (!ids.includes(id)) problems.push(`${id} is no invariant of src/base/assert.ts`)
    if (statement.length < 20) problems.push(`${id} has no statement`)
    problems.push(...laterProblems(files), ...laterProblems(tests), ...laterProblems(simulator))
    const paths = spansOf(files)
    if (paths.length === 0 && latersOf(files).length === 0) problems.push(`${id} is asserted nowhere`)
    for (const path of paths) {
      const text = read(path)
      if (text === undefined) problems.push(`${id} names ${path}, which is not there`)
      else if (!new RegExp(`\\b${id}\\b`).test(text)) problems.push(`${id} names ${path}, which does not speak of it`)
    }
    const quotes = quotesOf(tests)
    if (quotes.length === 0 && latersOf(tests).length === 0) problems.push(`${id} is proven by no test`)
    for (const quote of quotes) {
      if (!idsOf(quote).includes(id)) problems.push(`${id} names a test that does not begin with [${id}]: ${quote}`)
      if (!titles.some(({ title }) => isTitle(quote, title)))
        problems.push(`${id} names a test that is not there: ${quote}`)
    }
    const checks = spansOf(simulator)
    if (checks.length === 0 && latersOf(simulator).length === 0 && !/^—/.test(simulator)) {
      problems.push(`${id} says nothing of the simulator`)
    }
    for (const path of checks) {
      const text = read(path)
      if (text === undefined || !new RegExp(`\\b${id}\\b`).test(text)) {
        problems.push(`${id} names ${path} as its check, which does not speak of it`)
      }
    }
  }
  for (const { title, path } of titles) {
    for (const id of idsOf(title)) {
      if (!named.includes(id)) problems.push(`${path} has a test of ${id}, which is not in the table`)
    }
  }
  return problems
}

/** The invariants that a title begins with: `[I1] [I18] a process …`. */
export function idsOf(title: string): readonly string[] {
  return [...(/^(?:\[I\d+\] )+/.exec(title)?.[0] ?? '').matchAll(/I\d+/g)].map(([id]) => id)
}
