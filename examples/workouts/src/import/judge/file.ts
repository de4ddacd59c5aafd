// The judge's own reading of an export: line by line, for comparing and for nothing else. Written apart from the importer's on
// purpose, by other means (whole lines and one pattern, digits of dates, sums of durations), so that a mistake there is not
// repeated here. It reads only what the importer called readable; whether that list is fair, the report shows.

/** What a line says of its set: the columns that the file has, as texts that can be compared. */
export type Said = { readonly [column: string]: string }

/** One line that tells of a set. */
export interface FileLine {
  readonly line: number
  readonly startedAt: string
  readonly name: string
  /** '' where the line says nothing of it. */
  readonly endedAt: string
  readonly workoutNotes: string
  readonly set: Said
}

/** All lines of the file that tell of sets, in its order. `skipped` are the numbers of lines that cannot be read. */
export function rereadFile(text: string, skipped: ReadonlySet<number>): FileLine[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .split('\n')
  let at = 0
  while (lines[at]?.trim() === '') at++
  const headerLine = lines[at] ?? ''
  const isSemicolon = (headerLine.match(/;/g)?.length ?? 0) > (headerLine.match(/,/g)?.length ?? 0)
  const header = (readRecord([headerLine], 0, isSemicolon).cells ?? []).map((name) => name.trim())
  const read: FileLine[] = []
  for (at++; at < lines.length; at++) {
    const line = at + 1
    if (lines[at]?.trim() === '') continue
    const { cells, last } = readRecord(lines, at, isSemicolon)
    // A record that is whole but means nothing is skipped whole; of a damaged one only the line where it begins.
    const isWhole = cells !== undefined && cells.slice(header.length).join('') === '' && cells.length >= header.length
    if (isWhole) at = last
    if (skipped.has(line)) continue
    const said = sayLine(Object.fromEntries(header.map((name, index) => [name, cells?.[index] ?? ''])))
    if (said !== undefined) read.push({ line, ...said })
  }
  return read
}

/** The cells of the record that begins at line `at`, and its last line. */
function readRecord(
  lines: readonly string[],
  at: number,
  isSemicolon: boolean,
): { readonly cells: readonly string[] | undefined; readonly last: number } {
  let record = lines[at] ?? ''
  let last = at
  for (let cells = splitRecord(record, isSemicolon); ; cells = splitRecord(record, isSemicolon)) {
    if (cells !== 'open') return { cells: cells || undefined, last }
    // Only a line with a quote can close the open one.
    do {
      if (++last >= lines.length) return { cells: undefined, last: at }
      record += `\n${lines[last]}`
    } while (lines[last]?.includes('"') !== true)
  }
}

/** The cells of a record; `open` when a quote is still open at its end, false when it is none. */
function splitRecord(record: string, isSemicolon: boolean): string[] | 'open' | false {
  const cell = isSemicolon
    ? /;(?:"((?:[^"]|"")*)"|([^";][^;]*)?)(?=;|$)/y
    : /,(?:"((?:[^"]|"")*)"|([^",][^,]*)?)(?=,|$)/y
  const text = `${isSemicolon ? ';' : ','}${record}`
  const cells: string[] = []
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex
    const found = cell.exec(text)
    if (found === null) return /^."(?:[^"]|"")*$/.test(text.slice(at)) ? 'open' : false
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
  }
  return cells
}

/** What one line says, or undefined for a line that tells of no set. */
function sayLine(cells: { readonly [header: string]: string }): Omit<FileLine, 'line'> | undefined {
  const set: Record<string, string> = {}
  const more: Record<string, string> = {}
  let [startedAt, endedAt, duration, name, workoutNotes] = ['', '', Number.NaN, '', '']
  for (const [header, text] of Object.entries(cells)) {
    const plain = header.toLowerCase().replace(/\s+/g, ' ')
    const unit = /[(_](kg|kgs|lbs?|km|m|meters|metres|miles|mi|yards|feet)\)?$/.exec(plain)?.[1]
    if (plain === 'date' || plain === 'start_time') startedAt = sayTime(text)
    else if (plain === 'end_time') endedAt = sayTime(text)
    else if (plain === 'duration' || plain === 'duration (sec)' || plain === 'workout duration')
      duration = seconds(text)
    else if (plain === 'workout name' || plain === 'title') name = text
    else if (plain === 'workout notes' || plain === 'description') workoutNotes = text
    else if (plain === 'exercise name' || plain === 'exercise_title') set['exercise'] = text
    else if (plain === 'notes' || plain === 'exercise_notes') set['notes'] = text
    else if (plain === 'superset_id') set['superset'] = text
    else if (plain === 'set order') {
      if (/rest timer/i.test(text)) return undefined
      const isNumber = /^\s*\d/.test(text)
      set['number'] = isNumber ? sayNumber(text) : ''
      set['kind'] = isNumber ? 'normal' : ({ w: 'warmup', d: 'drop', f: 'failure' }[text.trim().toLowerCase()] ?? text)
    } else if (plain === 'set_index') set['number'] = sayNumber(text)
    else if (plain === 'set_type')
      set['kind'] = text.trim() === '' ? 'normal' : text.trim().toLowerCase() === 'dropset' ? 'drop' : text.trim()
    else if (plain === 'reps' || plain === 'rpe' || plain === 'seconds') set[plain] = sayNumber(text)
    else if (plain === 'duration_seconds') set['seconds'] = sayNumber(text)
    else if (plain === 'weight unit') set['weightUnit'] = sayUnit(text)
    else if (plain === 'distance unit') set['distanceUnit'] = sayUnit(text)
    else if (/^weight( ?\(|_|$)/.test(plain) && set['weight'] === undefined) {
      set['weight'] = sayNumber(text)
      if (unit !== undefined) set['weightUnit'] = sayUnit(unit)
    } else if (/^distance( ?\(|_|$)/.test(plain) && set['distance'] === undefined) {
      set['distance'] = sayNumber(text)
      if (unit !== undefined) set['distanceUnit'] = sayUnit(unit)
    } else if (plain !== 'workout #' && plain !== '' && text !== '') more[header] = text
  }
  set['more'] = sayMore(more)
  if (!Number.isNaN(duration)) endedAt = new Date(Date.parse(startedAt) + Math.round(duration * 1000)).toISOString()
  return { startedAt, name, endedAt, workoutNotes, set }
}

/** A number as it is compared; '' for none. */
export function sayNumber(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = String(value).trim()
  return text === '' ? '' : String(Number.parseFloat(text.replace(',', '.')) + 0)
}

/** What further columns say, as it is compared. */
export function sayMore(more: { readonly [column: string]: unknown }): string {
  return JSON.stringify(Object.entries(more).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function sayUnit(text: string): string {
  const plain = text.trim().toLowerCase().replace('.', '')
  if (plain.startsWith('lb')) return 'lb'
  if (plain.startsWith('kg')) return 'kg'
  if (plain.startsWith('mi')) return 'mi'
  if (plain.startsWith('k')) return 'km'
  return plain.startsWith('m') ? 'm' : plain.startsWith('y') ? 'yd' : plain.startsWith('f') ? 'ft' : plain
}

function seconds(text: string): number {
  if (text.trim() === '') return Number.NaN
  const clock = text.split(':')
  if (clock.length === 3) return clock.reduce((sum, part) => sum * 60 + Number(part), 0)
  const worth: { readonly [unit: string]: number } = { h: 3600, m: 60, s: 1 }
  const parts = [...text.toLowerCase().matchAll(/(\d+) ?([hms])/g)]
  return parts.length === 0
    ? Number(text.replace(',', '.'))
    : parts.reduce((sum, [, count, unit]) => sum + Number(count) * (worth[unit ?? ''] ?? 0), 0)
}

function sayTime(text: string): string {
  if (text.trim() === '') return ''
  const digits = text.match(/\d+/g) ?? []
  const isIso = /^\s*\d{4}-/.test(text)
  const year = digits.find((part) => part.length === 4) ?? ''
  const [first = '', second = ''] = digits.filter((part) => part !== year || part.length !== 4)
  const month = isIso ? Number(first) : monthOf(text)
  const day = isIso ? second : first
  const [hour = '0', minute = '0', second60 = '0'] = digits.slice(isIso ? 3 : 2)
  const half = /([ap])\.?\s*m\b/i.exec(text.slice(text.indexOf(':')))?.[1]?.toLowerCase()
  const hour24 = text.includes(':') && half !== undefined ? (Number(hour) % 12) + (half === 'p' ? 12 : 0) : Number(hour)
  return new Date(
    Date.UTC(Number(year), month - 1, Number(day), hour24, Number(minute), Number(second60)),
  ).toISOString()
}

// Asking for names of months is slow, and a file has few of them.
const monthByWord = new Map<string, number>()

function monthOf(text: string): number {
  const word = plainWord((text.match(/\p{L}{3,}/u) ?? [''])[0])
  const known = monthByWord.get(word)
  if (known !== undefined) return known
  const languages = ['en', 'en-GB', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'tr']
  const isCalled = (month: number): boolean =>
    languages.some((language) =>
      (['long', 'short'] as const).some(
        (width) =>
          word ===
          plainWord(
            new Date(Date.UTC(2000, month - 1, 15)).toLocaleString(language, { month: width, timeZone: 'UTC' }),
          ),
      ),
    )
  const month = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].find(isCalled) ?? Number.NaN
  monthByWord.set(word, month)
  return month
}

function plainWord(word: string): string {
  return word
    .normalize('NFD')
    .replace(/[^\p{L}]/gu, '')
    .toLowerCase()
}
