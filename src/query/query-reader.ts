import { QueryError } from '../contract/errors.ts'
import type { ParameterValues } from './fill-parameters.ts'
import { parameterName } from './parameter.ts'
import type { Syntax } from './syntax.ts'

const deepest = 32
/** Each may bind a few operands, and every engine accepts at least 32,766. */
const mostConditions = 5_000

/**
 * Walks through a `where` or `having`. Names and kinds of operands become the `text` of its shape, which is the same only for
 * queries with the same checked condition. The operands become the leaves, in the order of the walk. If asked, the walk also builds
 * the syntax tree, which a known shape does not need.
 */
export class QueryReader {
  text: string
  readonly leaves: unknown[] = []
  /** The leaves that are parameters, by their places. */
  readonly parameters = new Map<number, string>()
  readonly #values: ParameterValues | undefined
  readonly #makesTree: boolean
  #conditions = 0

  /** `text` is how the text begins. `values`: the values of the parameters; without it, a parameter is itself a leaf. */
  constructor(text: string, values: ParameterValues | undefined, makesTree: boolean) {
    this.text = text
    this.#values = values
    this.#makesTree = makesTree
  }

  /** The tree of `value`, if trees are built. */
  read(value: unknown, depth = 0): Syntax | null {
    const name = this.#values && parameterName(value)
    return name === undefined
      ? this.#readPart(value, depth)
      : this.#readParameter(name, this.#values![name], depth)
  }

  #readPart(value: unknown, depth: number): Syntax | null {
    if (depth > deepest)
      throw new QueryError(`A query nests at most ${deepest} conditions: this one nests deeper`)
    if (typeof value !== 'object' || value === null) {
      this.text += kindOf(value)
      return this.#operand(value)
    }
    if (Array.isArray(value)) return this.#readArray(value, depth)
    if (value instanceof Date) this.text += 'd'
    else if (isPlainObject(value)) return this.#readObject(value, depth)
    else this.text += parameterName(value) === undefined ? 'x' : 'p'
    return this.#operand(value)
  }

  #readObject(value: Readonly<Record<string, unknown>>, depth: number): Syntax | null {
    const entries: [string, Syntax][] | null = this.#makesTree ? [] : null
    const names = Object.keys(value)
    if (names.length === 0) {
      if (Reflect.ownKeys(value).length > 0)
        throw new QueryError(
          'Conditions name fields by text: these are under a symbol or a property that is not enumerable',
        )
      this.#countCondition()
    }
    this.text += '{'
    for (const name of names) {
      this.text += `${name.length}:${name}`
      const part = this.read(value[name], depth + 1)
      if (entries !== null) entries.push([name, part!])
    }
    this.text += '}'
    return entries && { type: 'object', entries }
  }

  #readArray(items: readonly unknown[], depth: number): Syntax | null {
    if (isList(items)) {
      this.text += operandKinds(items)
      return this.#operand(items)
    }
    this.text += '['
    const parts = items.map((item) => this.read(item, depth + 1))
    this.text += ']'
    return this.#makesTree ? { type: 'list', items: parts as Syntax[] } : null
  }

  #readParameter(name: string, value: unknown, depth: number): Syntax | null {
    const place = this.leaves.length
    const part = this.read(value, depth)
    if (this.leaves.length > place) this.parameters.set(place, name)
    return part
  }

  #countCondition(): void {
    if (++this.#conditions > mostConditions)
      throw new QueryError(`A query has at most ${mostConditions} conditions: this one has more`)
  }

  #operand(value: unknown): Syntax | null {
    this.#countCondition()
    const leaf = this.leaves.push(value) - 1
    return this.#makesTree ? { type: 'operand', value, leaf } : null
  }
}

/** Whether an array is one operand (a list of scalars), and not a list of conditions. */
export function isList(items: readonly unknown[]): boolean {
  return !items.some((item) => typeof item === 'object' && item !== null && isPlainObject(item))
}

/** The kinds of an operand, a scalar or a list, as far as its condition depends on them. */
export function operandKinds(operand: unknown): string {
  return Array.isArray(operand) ? `(${[...new Set(operand.map(kindOf))].sort().join('')})` : kindOf(operand)
}

/**
 * One character for the kind of a scalar. `true` and `false` have conditions of their own, and so has 0, which also equals a stored
 * -0.
 */
function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 's'
    case 'number':
      return value === 0 ? 'o' : 'n'
    case 'bigint':
      return 'i'
    case 'boolean':
      return value ? 't' : 'f'
    case 'undefined':
      return 'u'
    default:
      return value === null ? 'z' : value instanceof Date ? 'd' : Array.isArray(value) ? 'a' : 'x'
  }
}

/** A parameter is not a plain object: it has a symbol, which JSON cannot produce. */
export function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && parameterName(value) === undefined
}

/** The text of a part of a query without operands; equal only for equal parts. */
export function structureText(part: unknown): string {
  try {
    return JSON.stringify(part, (_, value: unknown) => (isJson(value) ? value : { '': typeof value }))
  } catch {
    throw new QueryError('A query must be plain data: this one is not')
  }
}

function isJson(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol'
}
