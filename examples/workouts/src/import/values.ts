// Texts of an export → values: numbers, times, durations, units. Each either gives the value, null for an empty text, or throws
// Unreadable with a reason that names the column; nothing is guessed. Times of exports have no zone: they are kept as the same
// wall clock in UTC, so that the same file gives the same instants, and the same ids, wherever it is read.

/** Why a line cannot be read. */
export class Unreadable extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'Unreadable'
  }
}

function refuse(column: string, text: string, wanted: string): never {
  throw new Unreadable(`${column} is ${JSON.stringify(text.slice(0, 60))}, it must be ${wanted}`)
}

/** How numbers are written in one file. */
export interface NumberForm {
  /** Some number of the file can only have a decimal comma, so «1,250» is one and a quarter and not a thousand and more. */
  readonly hasDecimalComma: boolean
}

/** Whether this text proves that its file writes decimal commas. */
export function provesDecimalComma(text: string): boolean {
  return /^\s*[+-]?\d+,(\d{1,2}|\d{4,})\s*$/.test(text)
}

/** A number with a decimal point or comma. */
export function readNumber(column: string, text: string, form: NumberForm): number | null {
  const trimmed = text.trim()
  if (trimmed === '') return null
  if (!/^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(trimmed)) return refuse(column, text, 'a number')
  if (!form.hasDecimalComma && /^[+-]?\d{1,3},\d{3}$/.test(trimmed))
    return refuse(column, text, 'written without a comma, which may mean thousands or decimals here')
  const value = Number(trimmed.replace(',', '.'))
  return value === 0 ? 0 : value
}

/** A whole number. */
export function readWhole(column: string, text: string, form: NumberForm): number | null {
  const value = readNumber(column, text, form)
  return value === null || Number.isSafeInteger(value) ? value : refuse(column, text, 'a whole number')
}

/** «1h 5m», «45m», «50s», «1:05:00» or plain seconds → seconds. */
export function readDuration(column: string, text: string, form: NumberForm): number | null {
  const trimmed = text.trim()
  if (trimmed === '') return null
  const clock = /^(\d+):(\d{2}):(\d{2})$/.exec(trimmed)
  const words = clock ?? /^(?=.)(?:(\d+) ?h[a-z]*)? ?(?:(\d+) ?m[a-z]*)? ?(?:(\d+) ?s[a-z]*)?$/i.exec(trimmed)
  if (words !== null) return Number(words[1] ?? 0) * 3600 + Number(words[2] ?? 0) * 60 + Number(words[3] ?? 0)
  if (/^\d+([.,]\d+)?$/.test(trimmed)) return readNumber(column, text, form)
  return refuse(column, text, 'a duration like 1h 5m or a number of seconds')
}

/** A unit of weight in any of its spellings; '' for none. */
export function readWeightUnit(column: string, text: string): 'kg' | 'lb' | '' {
  const unit = text.trim().toLowerCase().replace(/\.$/, '')
  if (unit === '') return ''
  if (unit === 'kg' || unit === 'kgs') return 'kg'
  return unit === 'lb' || unit === 'lbs' ? 'lb' : refuse(column, text, 'kg or lbs')
}

/** A unit of distance in any of its spellings; '' for none. */
export function readDistanceUnit(column: string, text: string): DistanceUnit | '' {
  const unit = text.trim().toLowerCase().replace(/\.$/, '')
  return unit === '' ? '' : (distanceUnits[unit] ?? refuse(column, text, 'km, m, miles, yards or feet'))
}

/** The units of distance that are kept. */
export type DistanceUnit = 'km' | 'm' | 'mi' | 'yd' | 'ft'

const distanceUnits: { readonly [spelling: string]: DistanceUnit | undefined } = {
  km: 'km',
  kilometers: 'km',
  kilometres: 'km',
  m: 'm',
  meters: 'm',
  metres: 'm',
  meter: 'm',
  mi: 'mi',
  mile: 'mi',
  miles: 'mi',
  yd: 'yd',
  yards: 'yd',
  ft: 'ft',
  feet: 'ft',
}

const time = '(?:,?[ T] ?(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:\\.0+)?)?(?: ?([ap])\\.? ?m\\.?)?)?'
const isoForm = new RegExp(`^(\\d{4})-(\\d{2})-(\\d{2})${time}Z?$`, 'i')
const dayFirstForm = new RegExp(`^(\\d{1,2})\\.? (?:de )?(\\p{L}+)\\.?,? (?:de )?(\\d{4})${time}$`, 'iu')
const monthFirstForm = new RegExp(`^(\\p{L}+)\\.? (\\d{1,2}),? (\\d{4})${time}$`, 'iu')

/** «2025-03-28 17:29:00», «28 Mar 2025, 17:29» or «Mar 28, 2025, 5:29 PM» → milliseconds since 1970, read as UTC. */
export function readTime(column: string, text: string): number | null {
  const plain = text.replace(/[\s\u00a0\u202f]+/g, ' ').trim()
  if (plain === '') return null
  const wanted = 'a time like 2025-03-28 17:29:00 or 28 Mar 2025, 17:29'
  const iso = isoForm.exec(plain)
  const dayFirst = dayFirstForm.exec(plain)
  const named = dayFirst ?? monthFirstForm.exec(plain)
  const found = iso ?? named
  if (found === null) return refuse(column, text, wanted)
  const year = Number(found[iso ? 1 : 3])
  const month = iso ? Number(iso[2]) : (monthNumbers().get(plainName(found[dayFirst ? 2 : 1] ?? '')) ?? 0)
  const day = Number(found[iso ? 3 : dayFirst ? 1 : 2])
  const [hour, minute, second] = [Number(found[4] ?? 0), Number(found[5] ?? 0), Number(found[6] ?? 0)]
  const half = found[7]?.toLowerCase()
  if (half !== undefined && (hour < 1 || hour > 12)) return refuse(column, text, wanted)
  const hour24 = half === undefined ? hour : (hour % 12) + (half === 'p' ? 12 : 0)
  const at = Date.UTC(year, month - 1, day, hour24, minute, second)
  const back = new Date(at)
  const isReal =
    back.getUTCMonth() === month - 1 &&
    back.getUTCDate() === day &&
    back.getUTCHours() === hour24 &&
    minute < 60 &&
    second < 60
  return isReal && year >= 1900 ? at : refuse(column, text, wanted)
}

// Hevy writes months in the language of the app. These languages have no month name that means another month in one of them.
const languages = ['en', 'en-GB', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'tr']
let months: ReadonlyMap<string, number> | undefined

/** Months by name, 1 to 12. */
export function monthNumbers(): ReadonlyMap<string, number> {
  months ??= new Map(
    languages.flatMap((language) =>
      (['short', 'long'] as const).flatMap((width) =>
        Array.from({ length: 12 }, (_, month): readonly [string, number] => {
          const name = new Intl.DateTimeFormat(language, { month: width, timeZone: 'UTC' }).format(
            Date.UTC(2000, month, 15),
          )
          return [plainName(name), month + 1]
        }),
      ),
    ),
  )
  return months
}

function plainName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{M}|\./gu, '')
    .toLowerCase()
}
