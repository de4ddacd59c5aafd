// Decoding: parse, don't trust. A decoder accepts a value or refuses it and names the field; it neither throws out of `decode`
// nor repairs what it reads (I12). Encoding is JSON.stringify of the typed record.
import { isRecord, type Json, jsonProblem, plainText } from '../base/json.ts'

/** What a decoder says of a value from outside. */
export type Decoded<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly field: string; readonly problem: string }

/** Returns the typed value or refuses by throwing a Refusal, which only `decode` catches. */
export type Decoder<Value> = (value: unknown) => Value

class Refusal {
  path: string
  readonly problem: string
  constructor(problem: string) {
    this.path = ''
    this.problem = problem
  }
}

/** Refuses the value at hand. */
export function refuse(problem: string): never {
  throw new Refusal(problem)
}

/** Refuses a member of the value at hand. */
export function refuseAt(path: string, problem: string): never {
  const refusal = new Refusal(problem)
  refusal.path = path
  throw refusal
}

/** What a decoder of a member threw, with the member's place before its path. */
function under(segment: string, error: unknown): unknown {
  if (error instanceof Refusal)
    error.path = error.path === '' || error.path.startsWith('[') ? segment + error.path : `${segment}.${error.path}`
  return error
}

/** The members of an object that `decodeOne` makes of these names; undefined ones are left out. */
function membersOf(names: readonly string[], into: Members, decodeOne: (name: string) => unknown): Members {
  let at = ''
  try {
    for (const name of names) {
      at = name
      const member = decodeOne(name)
      if (member !== undefined) into[name] = member
    }
  } catch (error) {
    throw under(at, error)
  }
  return into
}

interface Members {
  [name: string]: unknown
}

function recordOf(value: unknown): { readonly [name: string]: unknown } {
  return isRecord(value) ? value : refuse('must be an object')
}

/** Runs a decoder over a parsed value. */
export function decode<Value>(decoder: Decoder<Value>, value: unknown): Decoded<Value> {
  try {
    return { ok: true, value: decoder(value) }
  } catch (error) {
    if (error instanceof Refusal)
      return { ok: false, field: plainText(error.path, 200), problem: plainText(error.problem, 500) }
    throw error
  }
}

/** Parses JSON text and runs a decoder over it. */
export function decodeText<Value>(decoder: Decoder<Value>, text: string): Decoded<Value> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, field: '', problem: 'is not JSON' }
  }
  return decode(decoder, value)
}

/** An object whose named members are decoded one by one; members that are not named are left out. */
/* @__NO_SIDE_EFFECTS__ */
export function object<Shape extends { readonly [name: string]: Decoder<unknown> }>(
  shape: Shape,
): Decoder<{ readonly [Name in keyof Shape]: ReturnType<Shape[Name]> }> {
  const names = Object.keys(shape)
  return (value) => {
    const members = recordOf(value)
    return membersOf(names, {}, (name) =>
      (shape[name] as Decoder<unknown>)(Object.hasOwn(members, name) ? members[name] : undefined),
    ) as { readonly [Name in keyof Shape]: ReturnType<Shape[Name]> }
  }
}

/** The members of both. For shapes that share some: what is spread into a literal is not seen to be without effects by bundlers. */
/* @__NO_SIDE_EFFECTS__ */
export function withMembers<Some extends object, Others extends object>(some: Some, others: Others): Some & Others {
  return { ...some, ...others }
}

/** A member that may be missing. */
/* @__NO_SIDE_EFFECTS__ */
export function optional<Value>(decoder: Decoder<Value>): Decoder<Value | undefined> {
  return (value) => (value === undefined ? undefined : decoder(value))
}

/** An array of at most `max` items. */
/* @__NO_SIDE_EFFECTS__ */
export function array<Value>(item: Decoder<Value>, max: number): Decoder<readonly Value[]> {
  return (value) => {
    if (!Array.isArray(value)) return refuse('must be an array')
    if (value.length > max) refuse(`has ${value.length} items, the limit is ${max}`)
    // A page has thousands of rows: the path of an item is put together only when it is refused.
    const items: Value[] = []
    try {
      for (const entry of value) items.push(item(entry))
    } catch (error) {
      throw under(`[${items.length}]`, error)
    }
    return items
  }
}

/** An object used as a map: every member is decoded with its key at hand. */
/* @__NO_SIDE_EFFECTS__ */
export function record<Value>(
  member: (key: string, value: unknown) => Value,
  max: number,
): Decoder<{ readonly [key: string]: Value }> {
  return (value) => {
    const members = recordOf(value)
    const keys = Object.keys(members)
    if (keys.length > max) refuse(`has ${keys.length} members, the limit is ${max}`)
    const into: Members = Object.create(null)
    return membersOf(keys, into, (key) => member(key, members[key])) as { readonly [key: string]: Value }
  }
}

/** A text that meets a condition of its own. */
/* @__NO_SIDE_EFFECTS__ */
export function text<Value extends string = string>(
  problemOf: (value: string) => string | undefined = () => undefined,
): Decoder<Value> {
  return (value) => {
    if (typeof value !== 'string') return refuse('must be a text')
    const problem = problemOf(value)
    if (problem !== undefined) refuse(problem)
    return value as Value
  }
}

/** A whole number from `min` to `max`. */
/* @__NO_SIDE_EFFECTS__ */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Decoder<number> {
  return (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : refuse(`must be a whole number from ${min} to ${max}`)
}

/** One of some texts. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf<const Value extends string>(values: readonly Value[]): Decoder<Value> {
  return (value) =>
    (values as readonly unknown[]).includes(value) ? (value as Value) : refuse(`must be one of ${values.join(', ')}`)
}

/** Exactly true. */
export const yes: Decoder<true> = (value) => (value === true ? true : refuse('must be true or be left out'))

/** Any JSON value without keys, depths and texts that are refused everywhere. */
export const anyJson: Decoder<Json> = (value) => {
  const problem = jsonProblem(value)
  return problem === undefined ? (value as Json) : refuse(problem)
}
