import type { InspectOptions } from 'node:util'
import { type CallOptions, checkCallOptions } from '../../arguments/call-options.ts'
import { QueryError } from '../../contract/errors.ts'
import { inspected, inspectName } from '../../contract/inspected.ts'
import type { Key } from '../../contract/key.types.ts'
import type { KeyRange } from '../../key/range.ts'
import { fillParameters, type ParameterValues, parametersIn } from '../../query/fill-parameters.ts'
import type { FindPlan, Planned } from '../../query/plan.ts'
import { checkQueryOptions } from '../../query/planner.ts'
import { PreparedPlan } from '../../query/prepared-plan.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import { storeUnder } from '../../store/abortable-store.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import { traceCalls } from '../../trace/trace-calls.ts'
import { allOf, findPage, findPlanned, firstOf } from './find.ts'
import type { UntypedQuery } from './found-rows.ts'
import { plannerOf, prefixKeys } from './planner-of.ts'

/** A query with named parameters, for many executions; `PreparedQuery` of query-methods.types.ts is its typed face. */
export class StorePreparedQuery {
  readonly #store: RowStore
  readonly #definition: AnyDefinition
  readonly #query: UntypedQuery
  readonly #names: readonly string[]
  /** Whether the related rows, and the prefix, depend on parameters, too. */
  readonly #open: { readonly with: boolean; readonly prefix: boolean }
  readonly #all: PreparedPlan
  readonly #one: PreparedPlan
  #range: KeyRange | null | undefined

  static {
    const subjectOf = (query: StorePreparedQuery) => ({
      database: query.#store.path,
      repository: query.#definition.name,
      pattern: query.#definition.pattern,
    })
    traceCalls(StorePreparedQuery.prototype, ['execute', 'first', 'page'], subjectOf, 'rows')
  }

  constructor(store: RowStore, definition: AnyDefinition, query: UntypedQuery) {
    checkQueryOptions(query, 'prepare')
    // A copy, because the caller may change the query later.
    const own = fillParameters(query) as UntypedQuery
    this.#store = store
    this.#definition = definition
    this.#query = own
    this.#names = [...parametersIn(own)]
    this.#open = { with: parametersIn(own.with).size > 0, prefix: parametersIn(own.prefix).size > 0 }
    const planner = plannerOf(definition)
    this.#all = new PreparedPlan(planner, own)
    this.#one = new PreparedPlan(planner, { ...own, limit: 1 })
  }

  [inspectName](_depth: number, options: InspectOptions): string {
    const facts = { repository: this.#definition.name, query: this.#query, parameters: this.#names }
    return inspected('PreparedQuery', facts, options)
  }

  execute(values: ParameterValues = {}, options?: CallOptions): Promise<RowEntry[]> {
    if (options !== undefined) return this.#findUnder(options, 'execute', this.#all, values, allOf)
    return this.#find(this.#store, this.#all, values, allOf)
  }

  first(values: ParameterValues = {}, options?: CallOptions): Promise<RowEntry | null> {
    if (options !== undefined) return this.#findUnder(options, 'first', this.#one, values, firstOf)
    return this.#find(this.#store, this.#one, values, firstOf)
  }

  async page(values: ParameterValues = {}, options: CallOptions = {}) {
    checkCallOptions(options, 'page')
    const store = storeUnder(this.#store, options.signal)
    store.assertOpen()
    this.#check(values)
    return findPage(store, this.#definition, this.#filled(values))
  }

  async #findUnder<T>(
    options: CallOptions,
    call: string,
    prepared: PreparedPlan,
    values: ParameterValues,
    pick: (entries: RowEntry[]) => T,
  ): Promise<T> {
    checkCallOptions(options, call)
    return this.#find(storeUnder(this.#store, options.signal), prepared, values, pick)
  }

  #find<T>(
    store: RowStore,
    prepared: PreparedPlan,
    values: ParameterValues,
    pick: (entries: RowEntry[]) => T,
  ): Promise<T> {
    if (this.#open.with) return this.#findRelated(store, prepared, values, pick)
    return findPlanned(store, this.#definition, this.#query, () => this.#plan(prepared, values), pick)
  }

  async #findRelated<T>(
    store: RowStore,
    prepared: PreparedPlan,
    values: ParameterValues,
    pick: (entries: RowEntry[]) => T,
  ): Promise<T> {
    const planned = this.#plan(prepared, values)
    return findPlanned(store, this.#definition, this.#filled(values), () => planned, pick)
  }

  #plan(prepared: PreparedPlan, values: ParameterValues): Planned<FindPlan> {
    this.#store.assertOpen()
    this.#check(values)
    return prepared.plan(values, this.#rangeOf(values))
  }

  #rangeOf(values: ParameterValues): KeyRange | null {
    const { prefix } = this.#query
    if (!this.#open.prefix) {
      this.#range ??= prefixKeys(this.#store, this.#definition, prefix)
      return this.#range
    }
    return prefixKeys(this.#store, this.#definition, fillParameters(prefix, values) as Key)
  }

  #filled(values: ParameterValues): UntypedQuery {
    return fillParameters(this.#query, values) as UntypedQuery
  }

  /** Throws a QueryError if a parameter has no value, or a value has no parameter. */
  #check(values: ParameterValues): void {
    if (typeof values !== 'object' || values === null)
      throw new TypeError("A prepared query takes its values by name, such as { email: 'alice@example.com' }")
    for (const name of this.#names) {
      if (!Object.hasOwn(values, name))
        throw new QueryError(`The prepared query has a parameter '${name}': pass a value for it`)
    }
    for (const name in values) {
      if (!this.#names.includes(name))
        throw new QueryError(`The prepared query has no parameter ${JSON.stringify(name)}`)
    }
  }
}
