import { isDate, isMap, isRegExp, isSet, isTypedArray } from 'node:util/types'
import { isKvU64 } from './kv-u64.ts'
import { maxDepth } from './max-depth.ts'
import { formatPath, type Path, propertyStep } from './path.ts'
import { describeUnknownClass } from './unknown-class.ts'

/**
 * Checks that superjson gives this value back as it is. Returns the path of a reference to an object that holds it,
 * and null where there is none: whether a cycle is restored depends on how it runs, which no walk can tell.
 *
 * Throws a TypeError that names the path of what cannot be stored.
 */
export function checkFaithful(root: unknown): string | null {
  // How many levels of objects each object has, itself included; null while it is being walked.
  const levels = new Map<object, number | null>()
  let cycle: string | null = null

  function visit(value: unknown, path: Path | null, depth: number): number {
    if (typeof value === 'function') refuse(path, 'is a function, which cannot be stored')
    if (typeof value === 'symbol') refuse(path, 'is a symbol, which cannot be stored')
    if (typeof value !== 'object' || value === null) return 0

    const known = levels.get(value)
    if (known === null) {
      cycle ??= formatPath(path)
      return 0
    }
    if (depth + (known ?? 1) > maxDepth) refuse(path, `is nested more than ${maxDepth} objects deep`)
    if (known !== undefined) return known

    levels.set(value, null)
    let deepest = 0
    for (const [step, member] of members(value, path)) {
      deepest = Math.max(deepest, visit(member, { under: path, step }, depth + 1))
    }
    levels.set(value, deepest + 1)
    return deepest + 1
  }

  visit(root, null, 0)
  return cycle
}

function* members(value: object, path: Path | null): Generator<readonly [step: string, member: unknown]> {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Object.getOwnPropertySymbols(value).length > 0)
    refuse(path, 'has a symbol as a key, which cannot be stored')

  if (prototype === Object.prototype || prototype === null) {
    for (const [key, member] of Object.entries(value)) {
      checkKey(key, path)
      yield [propertyStep(key), member]
    }
  } else if (prototype === Array.prototype && Array.isArray(value)) {
    checkIndexes(value, path)
    for (const [index, member] of value.entries()) yield [`[${index}]`, member]
  } else if (prototype === Map.prototype && isMap(value)) {
    checkBare(value, path)
    let index = 0
    for (const [key, member] of value) {
      yield [`.keys()[${index}]`, key]
      yield [typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `.values()[${index}]`, member]
      index++
    }
  } else if (prototype === Set.prototype && isSet(value)) {
    checkBare(value, path)
    let index = 0
    for (const member of value) yield [`.values()[${index++}]`, member]
  } else {
    checkLeaf(value, prototype, path)
  }
}

function checkKey(key: string, path: Path | null): void {
  if (key === '__proto__') refuse(path, 'has a property "__proto__", which cannot be stored')
  if (key === 'constructor' || key === 'prototype') {
    refuse(
      path,
      `has a property "${key}", which can be stored only where the whole value is plain JSON: rename it`,
    )
  }
}

function checkIndexes(array: readonly unknown[], path: Path | null): void {
  const keys = Object.keys(array)
  // Indexes come first, in order: with the last one in its place, there is neither a hole nor anything else.
  const last = array.length - 1
  if (keys.length === array.length && (last < 0 || keys[last] === String(last))) return
  const odd = keys.findIndex((key, index) => key !== String(index))
  if (odd === -1 || odd < array.length)
    refuse(path, `has a hole at [${odd === -1 ? keys.length : odd}]: store null there`)
  refuse(path, `is an array with a property ${JSON.stringify(keys[odd])}, which cannot be stored`)
}

function checkLeaf(value: object, prototype: unknown, path: Path | null): void {
  if (prototype === Date.prototype && isDate(value)) {
    checkBare(value, path)
    if (Number.isNaN(value.getTime())) refuse(path, 'is an invalid Date')
  } else if (prototype === RegExp.prototype && isRegExp(value)) {
    checkBare(value, path)
    if (value.lastIndex !== 0) refuse(path, 'is a RegExp amid a search: set its lastIndex to 0')
  } else if (prototype === URL.prototype) {
    checkBare(value, path)
  } else if (isTypedArray(value) && typedArrays.has(prototype)) {
    checkElements(value, path)
  } else if (isKvU64(value)) {
    refuse(path, 'is a KvU64, which can be stored only as a value of its own: store its .value, a bigint')
  } else {
    refuse(path, describeUnknownClass(value))
  }
}

/** Those that superjson restores: it has no bigint arrays, and none of the classes derived from these, as Buffer. */
const typedArrays = new Set<unknown>([
  Int8Array.prototype,
  Uint8Array.prototype,
  Uint8ClampedArray.prototype,
  Int16Array.prototype,
  Uint16Array.prototype,
  Int32Array.prototype,
  Uint32Array.prototype,
  Float32Array.prototype,
  Float64Array.prototype,
])

/** superjson writes the elements as JSON numbers. */
function checkElements(array: NodeJS.TypedArray, path: Path | null): void {
  let index = 0
  for (const element of array) {
    if (!Number.isFinite(element) || Object.is(element, -0)) {
      const name = Object.is(element, -0) ? '-0' : element
      refuse(path, `holds ${name} at [${index}], which a typed array cannot store: store an array of numbers`)
    }
    index++
  }
  const [extra] = Object.keys(array).slice(array.length)
  if (extra !== undefined) refuse(path, `has a property ${JSON.stringify(extra)}, which cannot be stored`)
}

function checkBare(value: object, path: Path | null): void {
  const [extra] = Object.keys(value)
  if (extra !== undefined) refuse(path, `has a property ${JSON.stringify(extra)}, which cannot be stored`)
}

function refuse(path: Path | null, why: string): never {
  throw new TypeError(`${formatPath(path)} ${why}`)
}
