import { QueryError } from '../errors.ts'
import type { ParameterValues } from './fill-parameters.ts'
import { parameterName } from './parameter.ts'

const deepest = 32
const mostNodes = 1_000

/**
 * The shape of a `where` or `having`: its names and the kinds of its operands, as text that is the same for two of
 * them only where their checked conditions are. What differs is left: the leaves, in the order of a walk through the keys.
 */
export class Shape {
  text = ''
  readonly leaves: unknown[] = []
  /** The leaves that parameters have given, by their places. */
  readonly parameters = new Map<number, string>()
  readonly #values: ParameterValues | undefined
  #nodes = 0

  /** `values`: what stands in the places of parameters; without it, a parameter is a leaf of its own. */
  constructor(values?: ParameterValues) {
    this.#values = values
  }

  add(value: unknown, depth = 0): void {
    const name = this.#values && parameterName(value)
    if (name !== undefined) this.#addParameter(name, this.#values![name], depth)
    else this.#addPart(value, depth)
  }

  #addPart(value: unknown, depth: number): void {
    if (depth > deepest)
      throw new QueryError(`A query nests at most ${deepest} conditions: this one nests deeper`)
    if (++this.#nodes > mostNodes)
      throw new QueryError(`A query has at most ${mostNodes} conditions: this one has more`)
    if (value === true) this.text += 't'
    else if (value === false) this.text += 'f'
    else if (typeof value !== 'object' || value === null) {
      this.text += kindOf(value)
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
        this.leaves.push(value)
    } else if (Array.isArray(value)) this.#addArray(value, depth)
    else if (value instanceof Date) this.#addLeaf('d', value)
    else if (isPlainObject(value)) {
      this.text += '{'
      for (const name of Object.keys(value)) {
        this.text += `${name.length}:${name}`
        this.add((value as Record<string, unknown>)[name], depth + 1)
      }
      this.text += '}'
    } else this.#addLeaf(parameterName(value) === undefined ? 'x' : 'p', value)
  }

  #addParameter(name: string, value: unknown, depth: number): void {
    const place = this.leaves.length
    this.add(value, depth)
    if (this.leaves.length > place) this.parameters.set(place, name)
  }

  #addLeaf(kind: string, value: unknown): void {
    this.text += kind
    this.leaves.push(value)
  }

  #addArray(items: readonly unknown[], depth: number): void {
    if (!isList(items)) {
      this.text += '['
      for (const item of items) this.add(item, depth + 1)
      this.text += ']'
      return
    }
    this.#addLeaf(operandKinds(items), items)
  }
}

/** Whether an array is one operand, a list of scalars, and not a list of conditions. */
export function isList(items: readonly unknown[]): boolean {
  return !items.some((item) => typeof item === 'object' && item !== null && isPlainObject(item))
}

/** What an operand is, a scalar or a list of them, so far as its condition depends on it. */
export function operandKinds(operand: unknown): string {
  if (!Array.isArray(operand)) return scalarKind(operand)
  return `(${[...new Set(operand.map(scalarKind))].sort().join('')})`
}

/** As `kindOf`; `true` and `false` are conditions of their own. */
function scalarKind(value: unknown): string {
  return value === true ? 't' : value === false ? 'f' : kindOf(value)
}

/** One character for what a scalar is. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 's'
    case 'number':
      return 'n'
    case 'bigint':
      return 'i'
    case 'boolean':
      return 'b'
    case 'undefined':
      return 'u'
    default:
      return value === null ? 'z' : value instanceof Date ? 'd' : 'x'
  }
}

/** Parameters are no plain objects: they have a symbol, which JSON cannot give. */
export function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && parameterName(value) === undefined
}

/** The text of a part of a query that has no operands: the same for two of them only where they are alike. */
export function structureText(part: unknown): string {
  try {
    return JSON.stringify(part, (_, value: unknown) => (isJson(value) ? value : { '': typeof value }))
  } catch {
    throw new QueryError('A query is plain data: this one holds something that is not')
  }
}

function isJson(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol'
}
