// Writing a typed value is one walk: it builds the text, the types and the sharing of objects together.
import { maxBigIntDigits, maxDepth, maxRepeated } from './bounds.ts'
import { escapeName } from './dotted-path.ts'
import { Encoding, type StoredValue, tooLarge } from './encoding.ts'
import { errorClassOf, kindOf } from './kind.ts'
import { copiedKvU64, isKvU64 } from './kv-u64.ts'
import { formatPath, propertyStep } from './path.ts'
import { Place, refuse, refuseDepth, toIndex, toItem, typePath } from './place.ts'
import { setOwn } from './set-own.ts'
import { describeUnknownClass } from './unknown-class.ts'
import type { ValueFormat } from './value-format.ts'
import type { ValueType } from './value-type.ts'
import { checkBare, checkIndexes, leastBytes, writeWhole } from './write-whole.ts'
import {
  isJsonNumber,
  isPlainLeaf,
  leaf,
  negativeZero,
  numberWord,
  Part,
  typed,
  type Written,
  withType,
} from './written.ts'

/** An object that the walk has met. */
interface Met {
  readonly place: Place | null
  /** The value type that encodes it. Its data does not contain it. */
  readonly type: ValueType | undefined
  written: Written | null
}

interface ErrorFacts {
  readonly name: string
  readonly message: string
  cause?: unknown
  errors?: readonly unknown[]
  stack?: string
}

/** Small and without members: if one occurs twice, it is written twice. */
const wholeKinds: ReadonlySet<string> = new Set(['Date', 'regexp', 'URL'])
const ownProperties = new Set(['name', 'message', 'cause', 'stack'])
const mostBits = 2n ** BigInt(Math.floor(maxBigIntDigits * Math.log2(10)))
const leastBits = -mostBits

/**
 * The stored form of a value that is not plain JSON. An object that occurs twice is written twice, as in JSON, unless the value
 * contains itself: then each object is written once, and `types` lists its other places. Throws a TypeError that names the path of
 * what cannot be stored, and a RangeError if its bytes alone would take more than `most` bytes.
 */
export function writeTyped(
  value: unknown,
  format: ValueFormat,
  most = Number.POSITIVE_INFINITY,
): StoredValue {
  const plain = new Writer(format, false, most)
  const { json, tree } = plain.write(value)
  if (!plain.foundCycle) {
    const text = JSON.stringify(json)
    if (tree === undefined) return { value: text, encoding: Encoding.json, types: null }
    return { value: text, encoding: Encoding.superjson, types: JSON.stringify({ values: tree, v: 1 }) }
  }
  const writer = new Writer(format, true, most)
  const graph = writer.write(value)
  const types = { values: graph.tree, referentialEqualities: writer.identities(), v: 1 }
  return {
    value: JSON.stringify(graph.json),
    encoding: Encoding.superjson,
    types: JSON.stringify(types),
  }
}

class Writer {
  foundCycle = false
  readonly #format: ValueFormat
  readonly #keepIdentity: boolean
  readonly #met = new Map<object, Met>()
  readonly #occurrences = new Map<Met, string[]>()
  readonly #most: number
  #repeated = 0
  /** How many bytes there are in typed arrays and buffers at least. */
  #bytes = 0

  constructor(format: ValueFormat, keepIdentity: boolean, most: number) {
    this.#format = format
    this.#keepIdentity = keepIdentity
    this.#most = most
  }

  write(value: unknown): Written {
    return this.#write(value, null, 0)
  }

  /** The places of objects that occur more than once: the first place, then the others, as superjson writes them. */
  identities(): unknown {
    const others: Record<string, readonly string[]> = Object.create(null)
    let ofRoot: readonly string[] | undefined
    for (const [{ place }, paths] of this.#occurrences) {
      if (place === null) ofRoot = paths
      else others[typePath(place)] = paths
    }
    if (ofRoot === undefined) return others
    return Object.keys(others).length === 0 ? [ofRoot] : [ofRoot, others]
  }

  #write(value: unknown, place: Place | null, depth: number): Written {
    switch (typeof value) {
      case 'object':
        return value === null ? leaf(null) : this.#writeObject(value, place, depth)
      case 'string':
      case 'boolean':
        return leaf(value)
      case 'number':
        if (isJsonNumber(value)) return leaf(value)
        return leaf(value === 0 ? negativeZero() : numberWord(value), 'number')
      case 'bigint':
        if (value >= mostBits || value <= leastBits)
          refuse(place, `is a bigint of more than ${maxBigIntDigits} digits: store its bytes`)
        return leaf(value.toString(), 'bigint')
      case 'undefined':
        return leaf(null, 'undefined')
      case 'function':
        return refuse(place, 'is a function, which cannot be stored')
      default:
        return refuse(place, 'is a symbol, which cannot be stored')
    }
  }

  #writeObject(value: object, place: Place | null, depth: number): Written {
    const known = this.#met.get(value)
    if (known !== undefined) return this.#writeAgain(known, place, depth)
    const kind = kindOf(value)
    if (kind !== null && wholeKinds.has(kind) && !this.#keepIdentity)
      return this.#writeKind(value, kind, place, depth)
    const type = kind === null ? this.#format.find(value) : undefined
    const met: Met = { place, type, written: null }
    this.#met.set(value, met)
    met.written =
      type === undefined
        ? this.#writeKind(value, kind, place, depth)
        : this.#writeData(value, type, place, depth)
    return met.written
  }

  #writeAgain(met: Met, place: Place | null, depth: number): Written {
    const { written, type } = met
    if (written === null) {
      this.foundCycle = true
      if (type !== undefined)
        refuse(place, `is a '${type.name}' that contains itself, which its value type cannot restore`)
    }
    if (this.#keepIdentity) {
      const paths = this.#occurrences.get(met)
      if (paths === undefined) this.#occurrences.set(met, [typePath(place)])
      else paths.push(typePath(place))
      return leaf(null)
    }
    if (written === null) return leaf(null)
    if (depth + written.levels > maxDepth) refuseDepth(place)
    this.#repeated += written.size
    if (this.#repeated > maxRepeated)
      refuse(place, 'is an object that occurs too often: it would be stored each time')
    return written
  }

  /** The result of an object's value type, and the type of that result. */
  #writeData(value: object, type: ValueType, place: Place | null, depth: number): Written {
    if (depth >= maxDepth) refuseDepth(place)
    let data: unknown
    try {
      data = type.encode(value)
    } catch (cause) {
      throw new TypeError(`${formatPath(place)} is a '${type.name}' that its value type could not encode`, {
        cause,
      })
    }
    // The data is at the place of the value, so it is not registered as an object of its own.
    const isObject = typeof data === 'object' && data !== null
    const kind = isObject ? kindOf(data as object) : null
    const { json, tree, levels, size } =
      isObject && kind !== null
        ? this.#writeKind(data as object, kind, place, depth + 1)
        : this.#write(data, place, depth + 1)
    const [own, inner] = Array.isArray(tree) ? tree : [undefined, tree as Record<string, unknown> | undefined]
    return {
      json,
      tree: typed(own === undefined ? ['custom', type.name] : ['custom', type.name, own], inner),
      levels: levels + 1,
      size: size + 1,
    }
  }

  #writeKind(value: object, kind: ReturnType<typeof kindOf>, place: Place | null, depth: number): Written {
    if (depth >= maxDepth) refuseDepth(place)
    if (kind === null) return this.#refuseUnknown(value, place)
    if (Object.getOwnPropertySymbols(value).length > 0)
      refuse(place, 'has a symbol as a key, which cannot be stored')
    switch (kind) {
      case 'object':
        return this.#writeProperties(value as Record<string, unknown>, place, depth)
      case 'array': {
        const array = value as readonly unknown[]
        checkIndexes(array, place)
        return this.#writeItems(array, toIndex, place, depth)
      }
      case 'map':
        return this.#writeMap(value as ReadonlyMap<unknown, unknown>, place, depth)
      case 'set': {
        checkBare(value, place)
        const items = [...(value as ReadonlySet<unknown>)]
        return withType('set', this.#writeItems(items, toItem, place, depth))
      }
      case 'error':
        return this.#writeError(value as Error, place, depth)
      default:
        this.#bytes += leastBytes(value, kind)
        if (this.#bytes > this.#most) throw tooLarge(this.#most)
        return writeWhole(value, kind, place)
    }
  }

  #writeProperties(value: Record<string, unknown>, place: Place | null, depth: number): Written {
    if (copiedKvU64(value) !== null)
      refuse(place, 'is a copy of a KvU64, which can only be a whole value: store its .value')
    const json = {}
    const part = new Part()
    for (const key of Object.keys(value)) {
      const member = value[key]
      setOwn(
        json,
        key,
        isPlainLeaf(member) ? part.addLeaf(member) : this.#member(member, key, part, place, depth),
      )
    }
    return part.written(json)
  }

  #member(member: unknown, key: string, part: Part, under: Place | null, depth: number): unknown {
    return part.add(this.#write(member, new Place(under, key, propertyStep), depth + 1), escapeName(key))
  }

  #writeItems(
    items: readonly unknown[],
    stepOf: (key: string) => string,
    under: Place | null,
    depth: number,
  ): Written {
    const part = new Part()
    const json = items.map((item, i) => {
      if (isPlainLeaf(item)) return part.addLeaf(item)
      const key = String(i)
      return part.add(this.#write(item, new Place(under, key, stepOf), depth + 1), key)
    })
    return part.written(json)
  }

  #writeMap(map: ReadonlyMap<unknown, unknown>, under: Place | null, depth: number): Written {
    checkBare(map, under)
    const part = new Part()
    const json: unknown[] = []
    let row = 0
    for (const [key, member] of map) {
      // A row is an array in the paths, but not an object of the value.
      const at = new Place(under, String(row), () => '')
      const ofKey = new Place(at, '0', () => `.keys()[${at.key}]`)
      const ofMember = new Place(at, '1', () =>
        typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `.values()[${at.key}]`,
      )
      const pair = new Part()
      const written = [
        pair.add(this.#write(key, ofKey, depth + 1), '0'),
        pair.add(this.#write(member, ofMember, depth + 1), '1'),
      ]
      json.push(part.add(pair.written(written), at.key, 1))
      row++
    }
    return withType('map', part.written(json))
  }

  #writeError(error: Error, place: Place | null, depth: number): Written {
    const name = errorClassOf(error)
    if (typeof error.name !== 'string' || typeof error.message !== 'string')
      refuse(place, 'is an error whose name or message is not text')
    const facts: ErrorFacts = { name: error.name, message: error.message }
    if (Object.hasOwn(error, 'cause')) facts.cause = error.cause
    if (name === 'AggregateError') facts.errors = (error as AggregateError).errors
    if (this.#format.errorStacks && typeof error.stack === 'string') facts.stack = error.stack
    for (const key of Object.keys(error)) {
      if (!ownProperties.has(key)) setOwn(facts, key, (error as unknown as Record<string, unknown>)[key])
    }
    return withType(
      ['error', name],
      this.#writeProperties(facts as unknown as Record<string, unknown>, place, depth),
    )
  }

  #refuseUnknown(value: object, place: Place | null): never {
    if (isKvU64(value))
      refuse(place, 'is a KvU64, which can only be a whole value: store its .value, a bigint')
    return refuse(place, describeUnknownClass(value))
  }
}
