import { QueryError } from '../errors.ts'
import { parameterName } from '../query/parameter.ts'
import { checkQueryOptions } from '../query/planner.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { RowEntry, RowStore } from '../store/row-store.ts'
import { findMany, findPage } from './find.ts'
import type { UntypedQuery } from './found-rows.ts'

type Values = Readonly<Record<string, unknown>>

/** A query with named parameters, for many executions; `PreparedQuery` of query-methods.types.ts is its typed face. */
export class StorePreparedQuery {
  readonly #store: RowStore
  readonly #definition: AnyDefinition
  readonly #names: ReadonlySet<string>
  readonly #fill: (values: Values) => unknown

  constructor(store: RowStore, definition: AnyDefinition, query: UntypedQuery) {
    checkQueryOptions(query, 'prepare')
    const names = new Set<string>()
    this.#store = store
    this.#definition = definition
    this.#fill = filler(query, names)
    this.#names = names
  }

  async execute(values: Values = {}): Promise<RowEntry[]> {
    return findMany(this.#store, this.#definition, this.#query(values))
  }

  async first(values: Values = {}): Promise<RowEntry | null> {
    const [entry] = await findMany(this.#store, this.#definition, { ...this.#query(values), limit: 1 })
    return entry ?? null
  }

  async page(values: Values = {}) {
    return findPage(this.#store, this.#definition, this.#query(values))
  }

  #query(values: Values): UntypedQuery {
    for (const name of this.#names) {
      if (!Object.hasOwn(values, name))
        throw new QueryError(`The prepared query has a parameter '${name}': give it a value`)
    }
    for (const name of Object.keys(values)) {
      if (!this.#names.has(name))
        throw new QueryError(`The prepared query has no parameter ${JSON.stringify(name)}`)
    }
    return this.#fill(values) as UntypedQuery
  }
}

/** A function that copies a part of a query with its parameters filled in; parts without any are not copied. */
function filler(part: unknown, names: Set<string>): (values: Values) => unknown {
  const name = parameterName(part)
  if (name !== undefined) {
    names.add(name)
    return (values) => operand(values[name], name)
  }
  if (typeof part !== 'object' || part === null || part instanceof Date) return () => part
  const before = names.size
  const members = Object.entries(part).map(([key, inner]) => [key, filler(inner, names)] as const)
  if (names.size === before && !holdsParameter(part)) return () => part
  return (values) => {
    const copy: Record<string, unknown> = Array.isArray(part) ? ([] as never) : {}
    for (const [key, fill] of members) copy[key] = fill(values)
    return copy
  }
}

function holdsParameter(part: unknown): boolean {
  if (parameterName(part) !== undefined) return true
  return typeof part === 'object' && part !== null && Object.values(part).some(holdsParameter)
}

/** A parameter stands for an operand: an object would be conditions of its own. */
function operand(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && !(value instanceof Date)
  if (
    !isObject ||
    (Array.isArray(value) && value.every((item) => typeof item !== 'object' || item instanceof Date))
  )
    return value
  throw new QueryError(
    `The parameter '${name}' is an operand: a text, a number, a boolean, a date, or an array of them`,
  )
}
