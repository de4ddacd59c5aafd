// Values as people read them: numbers, weights, times, and what people type back into numbers. Pure; the language is English, the
// zone of clock times that of the device. Times of workouts are wall clocks kept in UTC (the import reads exports so), and are
// shown as such.

const DAY = 24 * 60 * 60 * 1000

/** The clock time below a day of age, the date above. */
export function timeOrDate(at: number, now: number): string {
  return Math.abs(now - at) < DAY
    ? new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
    : new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}

/** The moment `at` of this device as the wall clock in UTC that workouts are kept in. */
export function wallClock(at: number, minutesBehindUtc: number): number {
  return at - minutesBehindUtc * 60_000
}

/** «Mon, 23 Nov 2026, 18:30» of a wall clock. */
export function workoutTime(startedAt: number): string {
  return new Date(startedAt).toLocaleString('en-GB', {
    timeZone: 'UTC',
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  })
}

/** A name for a workout that begins at this wall clock. */
export function usualName(startedAt: number): string {
  const hour = new Date(startedAt).getUTCHours()
  if (hour >= 5 && hour < 12) return 'Morning workout'
  if (hour >= 12 && hour < 17) return 'Afternoon workout'
  return hour >= 17 && hour < 22 ? 'Evening workout' : 'Night workout'
}

/** A number with as many decimals as it needs, at most two. */
export function plainNumber(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 })
}

/** What of a set is shown in its line: «100 kg × 5», «5 km · 25:00», «12 reps». */
export function setLine(set: {
  readonly reps: number | null
  readonly weight: number | null
  readonly weightUnit: string
  readonly distance: number | null
  readonly distanceUnit: string
  readonly seconds: number | null
}): string {
  const { reps, weight, distance, seconds } = set
  const load = weight ? `${plainNumber(weight)} ${set.weightUnit}`.trim() : ''
  const lift = reps
    ? load === ''
      ? `${plainNumber(reps)} ${reps === 1 ? 'rep' : 'reps'}`
      : `${load} × ${plainNumber(reps)}`
    : load
  const parts = [
    lift,
    distance ? `${plainNumber(distance)} ${set.distanceUnit}`.trim() : '',
    seconds ? duration(seconds) : '',
  ]
  return parts.filter((part) => part !== '').join(' · ') || '—'
}

/** «0:45», «1:05:00». */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** What a person typed as an amount: null for nothing, undefined for what is no number from 0. */
export function typedAmount(text: string): number | null | undefined {
  const plain = text.trim().replace(',', '.')
  if (plain === '') return null
  return /^\d{1,6}(\.\d{0,3})?$/.test(plain) ? Number(plain) : undefined
}

/** A typed amount some steps away, never below 0; what cannot be read counts as 0. */
export function stepped(text: string, by: number): string {
  const value = (typedAmount(text) ?? 0) + by
  return String(Math.max(0, Math.round(value * 1000) / 1000))
}
