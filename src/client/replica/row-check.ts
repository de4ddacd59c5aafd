// Whether a row that the authority stated fits its table's columns, by the type of each value only: what a text may contain was
// checked where it was written. A hundred thousand rows come through here at a first sync, so it does nothing else.
import type { Column } from '../../schema/column.ts'
import type { Row } from '../../schema/table.ts'

/** Why a row does not fit, or undefined. */
export type RowCheck = (row: Row) => string | undefined

const isWhole = Number.isSafeInteger

/** Makes the check of one table. Columns that it does not know are let through. */
export function createRowCheck(columns: { readonly [name: string]: Column }): RowCheck {
  const names = Object.keys(columns)
  const kinds = names.map((name) => kindOf((columns[name] as Column).type))
  const nullable = names.map((name) => (columns[name] as Column).isNullable)
  return (row) => {
    for (let index = 0; index < names.length; index++) {
      const value: unknown = row[names[index] as string]
      const kind = kinds[index]
      if (typeof value === kind) {
        if (kind !== 'number' || Number.isFinite(value)) continue
      } else if (value === null || value === undefined) {
        if (nullable[index]) continue
      } else if (kind === 'json' || (kind === 'whole' && isWhole(value))) {
        continue
      }
      return `${names[index]} is ${value === undefined ? 'missing' : 'of another type'}`
    }
    return undefined
  }
}

/**
 * What an app can show of rows that were kept by another version of it, until the authority has stated them anew: those that fit, with
 * nothing in the columns that may be empty and were not there.
 */
export function rowsThatFit(
  rows: readonly Row[],
  columns: { readonly [name: string]: Column },
  checkRow: RowCheck | undefined,
): readonly Row[] {
  const blank = Object.fromEntries(
    Object.entries(columns).flatMap(([name, { isNullable }]) => (isNullable ? [[name, null]] : [])),
  )
  return rows.flatMap((row) => (checkRow?.(row) === undefined ? [{ ...blank, ...row }] : []))
}

type Kind = 'string' | 'number' | 'boolean' | 'whole' | 'json'

function kindOf(type: Column['type']): Kind {
  switch (type) {
    case 'id':
    case 'ref':
    case 'text':
      return 'string'
    case 'integer':
    case 'timestamp':
    case 'appendIndex':
      return 'whole'
    case 'real':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'json':
      return 'json'
  }
}
