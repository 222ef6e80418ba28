import { isTypedArray } from 'node:util/types'
import type { Immutable } from './immutable.types.ts'

/**
 * Makes a value safe to be handed out any number of times: nobody can change what the others get. The value must be of
 * the kinds that a database gives, and must not be used by anybody else.
 *
 * What JSON holds is frozen, once, and costs nothing when it is handed out. What has an inside that freezing does not
 * reach (a Date, a Map, a Set, a typed array, a RegExp, a URL) is copied each time, and so are the objects and arrays on
 * the way to it; their other parts are frozen and shared.
 */
export function handOut<T>(value: T): () => Immutable<T> {
  return freeze(value, new Set()) ? () => value as Immutable<T> : () => copy(value) as Immutable<T>
}

/** Freezes what can be frozen as a whole, with all that is in it; whether that is so of `value`. */
function freeze(value: unknown, walked: Set<object>): boolean {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return true
  // Met before and not frozen: it holds itself, or what cannot be frozen.
  if (walked.has(value) || !(Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype))
    return false
  walked.add(value)
  let whole = true
  for (const part of Object.values(value)) whole = freeze(part, walked) && whole
  if (whole) Object.freeze(value)
  return whole
}

/** A copy of what is not frozen; `copies`: the objects that have one already, since a value may hold itself. */
export function copy<T>(value: T, copies?: Map<object, unknown>): T
export function copy(value: unknown, copies = new Map<object, unknown>()): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Date) return new Date(value)
  if (isTypedArray(value)) return value.slice()
  if (value instanceof RegExp) return new RegExp(value)
  if (value instanceof URL) return new URL(value)

  const known = copies.get(value)
  if (known !== undefined) return known
  const remember = <C>(made: C): C => {
    copies.set(value, made)
    return made
  }
  if (value instanceof Map) {
    const made = remember(new Map())
    for (const [key, member] of value) made.set(copy(key, copies), copy(member, copies))
    return made
  }
  if (value instanceof Set) {
    const made = remember(new Set())
    for (const member of value) made.add(copy(member, copies))
    return made
  }
  if (Array.isArray(value)) {
    const made = remember([] as unknown[])
    for (const member of value) made.push(copy(member, copies))
    return made
  }
  const made = remember({} as Record<string, unknown>)
  for (const [name, member] of Object.entries(value)) made[name] = copy(member, copies)
  return made
}
