import { ArgumentTypeError } from '../arguments/argument-error.ts'
import type { Key, KeyPart } from '../contract/key.types.ts'
import { compareParts, encodeKey, encodePrefix } from './codec.ts'
import type { IdOf, KeyOf, NameOf, Pattern } from './pattern.types.ts'
import { type KeyRange, prefixRange, singleKeyRange } from './range.ts'

const WILDCARD = '*'

/** Throws a TypeError unless `pattern` is an array of at least one part, each a wildcard or a valid part of a key. */
export function checkPattern(pattern: Pattern): void {
  if (!Array.isArray(pattern) || pattern.length === 0) {
    throw new TypeError("A pattern is an array of at least one part, such as ['users', '*']")
  }
  encodePrefix(pattern.map((part) => (part === WILDCARD ? '' : part)))
}

/** How many wildcards a pattern has. */
export function wildcardCount(pattern: Pattern): number {
  let count = 0
  for (const part of pattern) if (part === WILDCARD) count++
  return count
}

/** Whether a key has as many parts as the pattern, and equals it wherever the pattern has no wildcard. */
export function matchesPattern(pattern: Pattern, key: Key): boolean {
  if (pattern.length !== key.length) return false
  for (let i = 0; i < pattern.length; i++) {
    const part = pattern[i]!
    if (part !== WILDCARD && part !== key[i] && !sameBytes(part, key[i]!)) return false
  }
  return true
}

function sameBytes(a: KeyPart, b: KeyPart): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array && compareParts(a, b) === 0
}

/**
 * The order of patterns, more specific first: negative if `a` is more specific than `b`, 0 only for identical patterns. At the
 * first part where they differ, a literal comes before the wildcard.
 */
export function compareSpecificity(a: Pattern, b: Pattern): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a[i]!
    const y = b[i]!
    if (x === WILDCARD || y === WILDCARD) {
      if (x !== y) return x === WILDCARD ? 1 : -1
    } else {
      const order = compareParts(x, y)
      if (order !== 0) return order
    }
  }
  return b.length - a.length
}

/** Whether some keys that `other` matches belong to `pattern`, because it is more specific. */
export function takesKeysOf(pattern: Pattern, other: Pattern): boolean {
  return (
    pattern.length === other.length &&
    pattern.every((part, at) => {
      const its = other[at]!
      return part === WILDCARD || its === WILDCARD || part === its || sameBytes(part, its)
    }) &&
    compareSpecificity(pattern, other) < 0
  )
}

/**
 * The name of a pattern that is given none: the words of its string parts in camelCase.
 *
 * ```ts
 * nameOf(['users', '*', 'blog-posts', '*']) // 'usersBlogPosts'
 * ```
 *
 * Throws a TypeError if there are none.
 */
export function nameOf<const P extends Pattern>(pattern: P): NameOf<P> {
  let name = ''
  for (const part of pattern) {
    if (typeof part !== 'string' || part === WILDCARD) continue
    for (const word of part.split(/[ \-_.:/]/)) {
      const first = word.charAt(0)
      name += (name === '' ? first.toLowerCase() : first.toUpperCase()) + word.slice(1)
    }
  }
  if (name === '') {
    throw new TypeError(
      'A pattern without words gives the repository no name: add { name: … } to its options',
    )
  }
  return name as NameOf<P>
}

/**
 * The key with this id: the pattern with its wildcards filled.
 *
 * ```ts
 * keyOfId(['users', '*'], 'alice')                       // ['users', 'alice']
 * keyOfId(['users', '*', 'posts', '*'], ['alice', 'p1']) // ['users', 'alice', 'posts', 'p1']
 * ```
 *
 * Throws a TypeError if the id has not one part for each wildcard.
 */
export function keyOfId<const P extends Pattern>(pattern: P, id: IdOf<P>): KeyOf<P>
export function keyOfId(pattern: Pattern, id: IdOf<Pattern>): Key {
  const key = pattern.slice()
  const first = pattern.indexOf(WILDCARD)
  if (first === -1) {
    if (id !== undefined) throw wrongId(pattern, id)
    return key
  }
  if (pattern.indexOf(WILDCARD, first + 1) === -1) {
    if (!isPart(id)) throw wrongId(pattern, id)
    key[first] = id
    return key
  }
  if (!isTuple(id)) throw wrongId(pattern, id)
  let filled = 0
  for (let i = first; i < key.length; i++) if (key[i] === WILDCARD) key[i] = id[filled++]!
  if (filled !== id.length) throw wrongId(pattern, id)
  return key
}

function isTuple(id: IdOf<Pattern>): id is Key {
  return Array.isArray(id)
}

/** Whether it may be one part of a key; its type is checked when the key is encoded. */
function isPart(id: IdOf<Pattern> | null): id is KeyPart {
  return id !== undefined && (typeof id !== 'object' || id === null || id instanceof Uint8Array)
}

function wrongId(pattern: Pattern, id: unknown): TypeError {
  if (typeof id === 'object' && id !== null && !Array.isArray(id)) {
    return new ArgumentTypeError(
      `An object is not an id of [${pattern.map(String).join(', ')}]: the id comes first, as set(id, value) and delete(id); findMany, updateMany and deleteMany take a where`,
    )
  }
  const count = wildcardCount(pattern)
  const expected =
    count === 0 ? 'leave it out' : count === 1 ? 'give one part' : `give an array of ${count} parts`
  const got = Array.isArray(id) ? `an array of ${id.length}` : id === undefined ? 'none' : 'a single part'
  return new ArgumentTypeError(
    `An id of [${pattern.map(String).join(', ')}] must fill its wildcards: ${expected} (got ${got})`,
  )
}

/**
 * The id of a key, taken from the places of the pattern's wildcards: one part for one wildcard, a tuple for several, `undefined`
 * for none. Throws a TypeError if the pattern does not match the key.
 */
export function idOfKey<const P extends Pattern>(pattern: P, key: Key): IdOf<P>
export function idOfKey(pattern: Pattern, key: Key): IdOf<Pattern> {
  if (!matchesPattern(pattern, key)) {
    throw new TypeError(`The key does not match the pattern [${pattern.map(String).join(', ')}]`)
  }
  const first = pattern.indexOf(WILDCARD)
  if (first === -1) return undefined
  if (pattern.indexOf(WILDCARD, first + 1) === -1) return key[first]
  return key.filter((_, i) => pattern[i] === WILDCARD)
}

/** A function that makes keys of a pattern, as `keyOfId` does, but faster for many. */
export function keyMaker(pattern: Pattern): (id: IdOf<Pattern>) => Key {
  if (wildcardCount(pattern) !== 1) return (id) => keyOfId(pattern, id)
  const template = [...pattern]
  const place = template.indexOf(WILDCARD)
  return (id) => {
    if (!isPart(id)) throw wrongId(pattern, id)
    const key = template.slice()
    key[place] = id
    return key
  }
}

/** A function that reads the ids of keys that match the pattern, fast for many. */
export function idReader(pattern: Pattern): (key: Key) => IdOf<Pattern> {
  const first = pattern.indexOf(WILDCARD)
  if (first === -1) return () => undefined
  if (pattern.indexOf(WILDCARD, first + 1) === -1) return (key) => key[first]
  return (key) => key.filter((_, i) => pattern[i] === WILDCARD)
}

/** The narrowest range with every key of a pattern: below its leading literals, or one key if the pattern has no wildcard. */
export function patternRange(pattern: Pattern): KeyRange {
  const first = pattern.indexOf(WILDCARD)
  if (first === -1) return singleKeyRange(encodeKey(pattern))
  return prefixRange(encodePrefix(pattern.slice(0, first)))
}
