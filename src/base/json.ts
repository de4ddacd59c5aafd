// JSON values: their type, a bounded check of what came from outside, copies and comparison. Their canonical form is canonical.ts.

/** Whether a value is an object with members, and no array. */
export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Keys that are refused at every depth: they mean something to JavaScript objects. */
export const refusedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** How deep a value may nest. */
export const MAX_JSON_DEPTH = 32

/** How many members all objects of one value may have together. */
export const MAX_JSON_MEMBERS = 10_000

/** Why a value that is JSON is too intricate, or undefined: each member costs far more time and memory than its bytes. */
export function membersProblem(value: Json): string | undefined {
  let left = MAX_JSON_MEMBERS
  const count = (part: Json): void => {
    if (typeof part !== 'object' || part === null || left < 0) return
    const members: readonly Json[] = Array.isArray(part) ? part : Object.values(part)
    if (members !== part) left -= members.length
    for (const member of members) count(member)
  }
  count(value)
  return left < 0 ? `the objects in it have more than ${MAX_JSON_MEMBERS} members together` : undefined
}

/**
 * Why `value` is not acceptable as JSON, or undefined if it is: what JSON.stringify would drop or change (undefined, functions,
 * NaN, dates, class instances, lone surrogates), keys that mean something to JavaScript, and nesting over MAX_JSON_DEPTH.
 */
export function jsonProblem(value: unknown, path = '', depth = 0): string | undefined {
  switch (typeof value) {
    case 'string':
      return textProblem(value, path)
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : `${at(path)} is not a finite number`
    case 'object':
      break
    default:
      return `${at(path)} is of type ${typeof value}, which JSON cannot carry`
  }
  if (value === null) return undefined
  if (depth >= MAX_JSON_DEPTH) return `${at(path)} nests deeper than ${MAX_JSON_DEPTH}`
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const problem = jsonProblem(value[index], `${path}[${index}]`, depth + 1)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `${at(path)} is not a plain object`
  for (const key of Object.keys(value)) {
    if (refusedKeys.has(key)) return `${at(path)} has the key ${key}, which is not allowed`
    const fault = textFault(key)
    if (fault !== undefined) return `a key of ${at(path)} ${fault}`
    const member = (value as Record<string, unknown>)[key]
    const problem = jsonProblem(member, path === '' ? key : `${path}.${key}`, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Why a string is not acceptable (NUL, which PostgreSQL refuses, or half of a surrogate pair), or undefined. */
export function textProblem(text: string, path: string): string | undefined {
  const fault = textFault(text)
  return fault === undefined ? undefined : `${at(path)} ${fault}`
}

function textFault(text: string): string | undefined {
  if (text.includes('\u0000')) return 'contains NUL'
  return /\p{Surrogate}/u.test(text) ? 'contains half of a surrogate pair' : undefined
}

/** At most `max` UTF-16 units of a text, never half of a surrogate pair: what is cut elsewhere would be refused by every decoder. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max)
}

/** A text for people and outcomes, made of what others wrote: cut, and without what textProblem refuses. */
export function plainText(text: string, max: number): string {
  return cutText(text, max)
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replaceAll('\u0000', '\ufffd')
}

const at = (path: string): string => (path === '' ? 'the value' : cutText(path, 200))

/** A copy that shares nothing with the value. */
export function cloneJson(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(cloneJson)
  const copy: { [key: string]: Json } = {}
  for (const key of Object.keys(value)) copy[key] = cloneJson((value as { readonly [key: string]: Json })[key] as Json)
  return copy
}

/** Whether two JSON values say the same; the order of object keys does not matter. */
export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item: Json, index) => jsonEqual(item, b[index] as Json))
    )
  }
  const left = a as { readonly [key: string]: Json }
  const right = b as { readonly [key: string]: Json }
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && jsonEqual(left[key], right[key]))
  )
}
