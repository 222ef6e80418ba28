// Reading a typed value is one recursion over JSON text and its types, with the limits that make it safe.
import { bytesOfBase64 } from './base64.ts'
import { maxBigIntDigits, maxRegExpLength } from './bounds.ts'
import { errorClasses, typedArrayClasses } from './native-classes.ts'
import { parseJson } from './parse-json.ts'
import { setOwn } from './set-own.ts'
import { readTypeTree, type TypeNode } from './type-tree.ts'
import type { ValueFormat } from './value-format.ts'

/**
 * The value of JSON text and its types. Each of its objects is in the text, and each part of the text is read once, so the size of
 * the stored value bounds the work. For anything that `writeTyped` does not write, throws an Error whose message continues "it
 * cannot be decoded:".
 */
export function readTyped(text: string, types: string, format: ValueFormat): unknown {
  return readTypedJson(parseJson(text), types, format)
}

/** The same for JSON that is already parsed; the value is built from it in place. */
export function readTypedJson(json: unknown, types: string, format: ValueFormat): unknown {
  return new TypedReader(json, format).valueOf(readTypeTree(types), json)
}

class TypedReader {
  readonly #json: unknown
  readonly #format: ValueFormat

  constructor(json: unknown, format: ValueFormat) {
    this.#json = json
    this.#format = format
  }

  /** The value at a place; if an object is still being built, the unfinished object. `raw`: what the text has there. */
  valueOf(place: TypeNode, raw?: unknown): unknown {
    const node = place.target
    if (node.state === 'known') return node.value
    if (node.state === 'begun') throw new Error('it has a value that contains itself and cannot')
    node.state = 'begun'
    const own = node === place && raw !== undefined ? raw : this.#rawOf(node)
    return this.#known(node, this.#make(node.type, own, node))
  }

  #known<T>(node: TypeNode, value: T): T {
    node.value = value
    node.state = 'known'
    return value
  }

  /** What the text has at a place. Objects and arrays are built from it in place; everything else becomes a new value. */
  #rawOf({ under, step }: TypeNode): unknown {
    return under === null ? this.#json : ownMember(this.#rawOf(under), step)
  }

  #make(type: unknown, raw: unknown, node: TypeNode): unknown {
    if (Array.isArray(type)) return this.#makeOf(type, raw, node)
    switch (type) {
      case undefined:
        return this.#fill(node, raw)
      case 'map':
        return this.#makeMap(node, arrayOf(raw))
      case 'set':
        return this.#makeSet(node, arrayOf(raw))
    }
    if (node.inner.size > 0) throw new Error('its types name parts of a value without parts')
    const make = typeof type === 'string' && Object.hasOwn(leaves, type) ? leaves[type] : undefined
    if (make === undefined) throw new Error(`it has a type ${JSON.stringify(type)}, which does not exist`)
    return make(raw)
  }

  #makeOf(type: readonly unknown[], raw: unknown, node: TypeNode): unknown {
    const [kind, name, inner] = type
    if (typeof name !== 'string' || type.length > 3) throw new Error('it has a type without a name')
    if (kind === 'custom') return this.#decode(name, inner, raw, node)
    if (kind === 'error' && inner === undefined) return this.#makeError(name, raw, node)
    if (kind !== 'typed-array' || inner !== undefined || node.inner.size > 0)
      throw new Error(`it has a type ${JSON.stringify(kind)}, which does not exist`)
    return makeTypedArray(name, arrayOf(raw))
  }

  /** Replaces the parts of an object or an array that its types describe. */
  #fill(node: TypeNode, raw: unknown): unknown {
    this.#known(node, raw)
    for (const [step, inner] of node.inner) {
      setOwn(raw as object, step, this.valueOf(inner, ownMember(raw, step)))
    }
    return raw
  }

  #makeMap(node: TypeNode, rows: readonly unknown[]): Map<unknown, unknown> {
    const map = this.#known(node, new Map<unknown, unknown>())
    checkSteps(node, rows.length)
    for (const [index, row] of rows.entries()) {
      if (!Array.isArray(row) || row.length !== 2) throw new Error('it has a Map whose entries are not pairs')
      const types = node.inner.get(String(index))
      if (types !== undefined) checkSteps(types, 2)
      map.set(this.#part(types?.inner.get('0'), row[0]), this.#part(types?.inner.get('1'), row[1]))
    }
    if (map.size !== rows.length) throw new Error('it has a Map with a key twice')
    return map
  }

  #makeSet(node: TypeNode, items: readonly unknown[]): Set<unknown> {
    const set = this.#known(node, new Set<unknown>())
    checkSteps(node, items.length)
    for (const [index, item] of items.entries()) set.add(this.#part(node.inner.get(String(index)), item))
    if (set.size !== items.length) throw new Error('it has a Set with an item twice')
    return set
  }

  #part(node: TypeNode | undefined, raw: unknown): unknown {
    return node === undefined ? raw : this.valueOf(node, raw)
  }

  #makeError(className: string, raw: unknown, node: TypeNode): Error {
    const errorClass = errorClasses.get(className)
    if (errorClass === undefined) throw new Error('it has an error of a class that does not exist')
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
      throw new Error('it has an error without name and message')
    const { message } = raw as Record<string, unknown>
    if (typeof message !== 'string') throw new Error('it has an error whose message is not text')
    const error = this.#known(
      node,
      errorClass === AggregateError
        ? new AggregateError([], message)
        : new (errorClass as ErrorConstructor)(message),
    )
    const { name, stack, ...facts } = this.#facts(raw, node)
    if (name !== error.name) setOwn(error, 'name', name)
    const hidden = { writable: true, enumerable: false, configurable: true }
    Object.defineProperty(error, 'stack', { ...hidden, value: stack ?? String(error) })
    for (const [key, value] of Object.entries(facts)) {
      if (key === 'message') continue
      if (key === 'cause' || (key === 'errors' && errorClass === AggregateError))
        Object.defineProperty(error, key, { ...hidden, value })
      else setOwn(error, key, value)
    }
    return error
  }

  /** The properties of an error, which is already known, because they may contain it. */
  #facts(raw: object, node: TypeNode): Record<string, unknown> {
    for (const [step, inner] of node.inner) {
      setOwn(raw, step, this.valueOf(inner, ownMember(raw, step)))
    }
    const { name, stack } = raw as Record<string, unknown>
    if (typeof name !== 'string' || (stack !== undefined && typeof stack !== 'string'))
      throw new Error('it has an error whose name or stack is not text')
    return raw as Record<string, unknown>
  }

  #decode(name: string, inner: unknown, raw: unknown, node: TypeNode): unknown {
    const type = this.#format.named(name)
    if (type === undefined) throw new UnknownValueType(name)
    const data = this.#make(inner, raw, node)
    node.state = 'begun'
    return type.decode(data)
  }
}

const numbers = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

const leaves: Readonly<Record<string, (raw: unknown) => unknown>> = {
  undefined: () => undefined,
  number: numberOf,
  bigint: bigintOf,
  Date: (raw) => {
    const date = new Date(textOf(raw))
    if (Number.isNaN(date.getTime())) throw new Error('it has a Date that is not a date')
    return date
  },
  regexp: (raw) => {
    const text = textOf(raw)
    const end = text.lastIndexOf('/')
    if (!text.startsWith('/') || end < 1 || end > maxRegExpLength + 1)
      throw new Error('it has a RegExp that is not one')
    return new RegExp(text.slice(1, end), text.slice(end + 1))
  },
  URL: (raw) => new URL(textOf(raw)),
  ArrayBuffer: (raw) => bytesOf(raw).buffer,
  DataView: (raw) => new DataView(bytesOf(raw).buffer),
}

function numberOf(raw: unknown): number {
  if (Object.is(raw, -0)) return -0
  const number = numbers.get(raw as string)
  if (number === undefined) throw new Error('it has a number that is not one')
  return number
}

function bigintOf(raw: unknown): bigint {
  const text = textOf(raw)
  if (!/^-?\d+$/.test(text)) throw new Error('it has a bigint that is not one')
  if (text.length > maxBigIntDigits + 1)
    throw new Error(`it has a bigint of more than ${maxBigIntDigits} digits`)
  return BigInt(text)
}

function makeTypedArray(name: string, elements: readonly unknown[]): NodeJS.TypedArray {
  const typedArray = typedArrayClasses.get(name)
  if (typedArray === undefined)
    throw new Error(`it has a typed array of a class that does not exist here: ${JSON.stringify(name)}`)
  if (name.startsWith('Big')) return new typedArray(elements.map(bigintOf) as never[])
  // The engine fills it at once from numbers, several times as fast as a loop.
  const made = elements.every((element) => typeof element === 'number')
    ? elements
    : elements.map((element) => (typeof element === 'number' ? element : numberOf(element)))
  return new typedArray(made as never[])
}

function bytesOf(raw: unknown): Uint8Array<ArrayBuffer> {
  const bytes = bytesOfBase64(textOf(raw))
  if (bytes === null) throw new Error('it has bytes that are not base64')
  return bytes
}

function textOf(raw: unknown): string {
  if (typeof raw !== 'string') throw new Error('it has no text where its types name one')
  return raw
}

function arrayOf(raw: unknown): readonly unknown[] {
  if (!Array.isArray(raw)) throw new Error('it has no array where its types name one')
  return raw
}

/** An own property of an object of the text, or an item of an array. */
function ownMember(raw: unknown, step: string): unknown {
  const has =
    typeof raw === 'object' &&
    raw !== null &&
    (Array.isArray(raw) ? isIndex(step, raw.length) : Object.hasOwn(raw, step))
  if (!has) throw new Error('its types name a part that it does not have')
  return (raw as Record<string, unknown>)[step]
}

function isIndex(step: string, length: number): boolean {
  const index = Number(step)
  return String(index) === step && Number.isInteger(index) && index >= 0 && index < length
}

function checkSteps(node: TypeNode, length: number): void {
  for (const step of node.inner.keys())
    if (!isIndex(step, length)) throw new Error('its types name a part that it does not have')
}

/** Its type is one that this reader does not declare: the value is not damaged. */
export class UnknownValueType extends Error {
  constructor(name: string) {
    super(`it has a value of type '${name}': add this value type to valueTypes of open`)
  }
}
