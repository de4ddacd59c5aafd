// The header of an export → where its columns are. A reader takes the columns that it knows by name; what nobody took is kept
// as it is (`rest`), so that no column of a file is lost only because it is newer than this code.

/** The columns of one header. */
export interface Columns {
  /** Takes the first of these names that the header has. Names are compared in lower case, with single spaces. */
  take(...names: readonly string[]): Field | undefined
  /** Takes a column that must be there. */
  need(name: string): Field
  /** Takes the first column that fits; `unit` is the first group of the pattern. */
  match(pattern: RegExp): (Field & { readonly unit: string }) | undefined
  /** The columns that nobody took. */
  rest(): readonly Field[]
}

/** One column: its name as the file writes it, and its place. */
export interface Field {
  readonly name: string
  readonly index: number
}

/** A header's name as it is compared. */
export function plainHeader(name: string): string {
  return name.trim().replace(/\s+/g, ' ').toLowerCase()
}

/** Makes the columns of a header. `need` throws an Error that names the missing column. */
export function createColumns(header: readonly string[]): Columns {
  const plain = header.map(plainHeader)
  const taken = new Set<number>()
  const takeAt = (index: number): Field | undefined => {
    if (index === -1) return undefined
    taken.add(index)
    return { name: header[index] ?? '', index }
  }
  const free = (fits: (name: string) => boolean): number =>
    plain.findIndex((name, index) => !taken.has(index) && fits(name))
  return {
    take(...names) {
      for (const name of names) {
        const field = takeAt(free((candidate) => candidate === name))
        if (field !== undefined) return field
      }
      return undefined
    },
    need(name) {
      const field = takeAt(free((candidate) => candidate === name))
      if (field === undefined) throw new Error(`The file has no column ${name}`)
      return field
    },
    match(pattern) {
      const field = takeAt(free((candidate) => pattern.test(candidate)))
      return field === undefined ? undefined : { ...field, unit: pattern.exec(plain[field.index] ?? '')?.[1] ?? '' }
    },
    rest: () => header.flatMap((name, index) => (taken.has(index) || name.trim() === '' ? [] : [{ name, index }])),
  }
}

/** A field's text in one record; '' for a column that the file does not have. */
export function textOf(fields: readonly string[], field: Field | undefined): string {
  return field === undefined ? '' : (fields[field.index] ?? '')
}

/** What a record says in the given columns, without the empty ones. */
export function keepRest(fields: readonly string[], rest: readonly Field[]): { readonly [column: string]: string } {
  return Object.fromEntries(
    rest.flatMap((field) => (textOf(fields, field) === '' ? [] : [[field.name.trim(), textOf(fields, field)]])),
  )
}
