// The older of two values that say the same, so that React, which compares by identity, has nothing to do. For plain data only:
// what a client tells is objects, arrays and single values without circles.

/** `before` if it says the same as `after`, else `after` with those parts of `before` that still hold. */
export function keepEqual<Value>(before: unknown, after: Value): Value {
  if (Object.is(before, after)) return after
  if (Array.isArray(before) && Array.isArray(after)) return keepList(before, after) as Value
  if (!isPlain(before) || !isPlain(after)) return after
  const held = (name: string): unknown => (Object.hasOwn(before, name) ? before[name] : undefined)
  const names = Object.keys(after)
  // From entries, so that a member `__proto__` is a member like any other.
  const made = Object.freeze(Object.fromEntries(names.map((name) => [name, keepEqual(held(name), after[name])])))
  const isSame =
    names.length === Object.keys(before).length &&
    names.every((name) => Object.hasOwn(before, name) && Object.is(made[name], before[name]))
  return (isSame ? before : made) as Value
}

/** Items that carry an id are compared with the one of the same id, wherever it stood: lists lose their front. */
function keepList(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  const byId = new Map(before.map((item, at) => [idOf(item) ?? at, item]))
  const made = after.map((item, at) => keepEqual(byId.get(idOf(item) ?? at), item))
  const isSame = made.length === before.length && made.every((item, at) => Object.is(item, before[at]))
  return isSame ? before : Object.freeze(made)
}

function idOf(item: unknown): unknown {
  return isPlain(item) ? item['id'] : undefined
}

function isPlain(value: unknown): value is { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
