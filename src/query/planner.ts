import type { KeyRange } from '../key/range.ts'
import { checkOptionNames } from '../option-names.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import { parseAggregate } from './aggregate.ts'
import { BoundedCache } from './bounded-cache.ts'
import type { Operand } from './condition.ts'
import { decodeCursor } from './cursor.ts'
import { Fields } from './fields.ts'
import { fillSlots, type SlotSource } from './operand.ts'
import { defaultOrder, parseOrder } from './order.ts'
import type { AfterPlan, AggregatePlan, CountPlan, FindPlan, Plan, Planned, RelatedPlan } from './plan.ts'
import { Shape, structureText } from './shape.ts'
import type { UncheckedAggregate, UncheckedQuery } from './unchecked.types.ts'
import { describe, WhereParser } from './where.ts'

/** What the planner knows of a collection. */
export interface PlannedCollection {
  readonly name: string
  /** The output of its schema; `null` where it is not known. */
  readonly schema: JsonSchema | null
  readonly indexes: readonly { readonly fields: readonly string[] }[]
  /** The keys of the pattern. */
  readonly range: KeyRange
}

interface Template<P extends Plan> {
  readonly plan: P
  readonly sources: readonly SlotSource[]
}

const mostPlans = 500

/** Makes plans of the queries on one collection, each shape once. Plans and operands are plain data. */
export class Planner {
  readonly #collection: PlannedCollection
  readonly #fields: Fields
  readonly #finds = new BoundedCache<Template<FindPlan>>(mostPlans)
  readonly #counts = new BoundedCache<Template<CountPlan>>(mostPlans)
  readonly #aggregates = new BoundedCache<Template<AggregatePlan>>(mostPlans)

  constructor(collection: PlannedCollection) {
    this.#collection = collection
    this.#fields = new Fields(collection.schema)
  }

  /** The fields of the collection's values. */
  get fields(): Fields {
    return this.#fields
  }

  /** Throws a QueryError for a query that is not right, a RangeError for a limit or an offset that is none. */
  find(query: UncheckedQuery, range: KeyRange | null): Planned<FindPlan> {
    const { plan, sources, leaves } = this.template(query, range)
    return this.behind({ plan, operands: fillSlots(sources, leaves) }, query.after, range)
  }

  /** What goes on behind a cursor, where there is one. Throws a QueryError for what is no cursor of such a query. */
  behind(planned: Planned<FindPlan>, after: unknown, range: KeyRange | null): Planned<FindPlan> {
    if (after === undefined || after === null) return planned
    return continueAfter(planned, after, range ?? this.#collection.range)
  }

  /** The plan of a query, its cursor aside, with the leaves that fill its slots. Throws as `find` does. */
  template(
    query: UncheckedQuery,
    range: KeyRange | null,
  ): Template<FindPlan> & { readonly leaves: readonly unknown[] } {
    const { where, orderBy, limit, offset } = query
    const shape = new Shape()
    shape.add(where)
    const { leaves } = shape
    let text = shape.text
    if (orderBy !== undefined) text += `o${structureText(orderBy)}`
    if (range !== null) {
      text += 'r'
      leaves.push(range.start, range.end)
    }
    if (limit !== undefined) {
      text += 'l'
      leaves.push(checkCount(limit, 'limit'))
    }
    if (offset !== undefined) {
      text += '+'
      leaves.push(checkCount(offset, 'offset'))
    }
    const { plan, sources } = this.#finds.get(text) ?? this.#planFind(query, range, text, leaves.length)
    return { plan, sources, leaves }
  }

  count(where: unknown, range: KeyRange | null): Planned<CountPlan> {
    const shape = new Shape()
    shape.add(where)
    let text = shape.text
    if (range !== null) {
      text += 'r'
      shape.leaves.push(range.start, range.end)
    }
    let template = this.#counts.get(text)
    if (template === undefined) {
      const { selection, sources } = this.#select(where, range)
      template = { plan: { type: 'count', shape: text, ...selection }, sources }
      this.#counts.set(text, template)
    }
    return { plan: template.plan, operands: fillSlots(template.sources, shape.leaves) }
  }

  aggregate(query: UncheckedAggregate, range: KeyRange | null): Planned<AggregatePlan> {
    const { where, having, limit, ...structure } = query
    const shape = new Shape()
    shape.add(where)
    const whereLeaves = shape.leaves.length
    shape.text += 'h'
    shape.add(having)
    const { leaves } = shape
    let text = shape.text + structureText(structure)
    const havingLeaves = leaves.length - whereLeaves
    if (range !== null) {
      text += 'r'
      leaves.push(range.start, range.end)
    }
    if (limit !== undefined) {
      text += 'l'
      leaves.push(checkCount(limit, 'limit'))
    }
    let template = this.#aggregates.get(text)
    if (template === undefined) {
      const { selection, sources } = this.#select(where, range, havingLeaves)
      const aggregate = parseAggregate(query, this.#fields, this.#collection.name, sources, whereLeaves)
      const slot =
        limit === undefined ? null : sources.push({ leaf: leaves.length - 1, as: 'given', of: 'limit' }) - 1
      template = {
        plan: { type: 'aggregate', shape: text, ...selection, ...aggregate, limit: slot },
        sources,
      }
      this.#aggregates.set(text, template)
    }
    return { plan: template.plan, operands: fillSlots(template.sources, leaves) }
  }

  #planFind(
    query: UncheckedQuery,
    range: KeyRange | null,
    text: string,
    leafCount: number,
  ): Template<FindPlan> {
    const { selection, sources } = this.#select(query.where, range)
    let leaf = leafCount - (query.limit === undefined ? 0 : 1) - (query.offset === undefined ? 0 : 1)
    const given = (value: unknown, of: string) =>
      value === undefined ? null : sources.push({ leaf: leaf++, as: 'given', of }) - 1
    const page = { limit: given(query.limit, 'limit'), offset: given(query.offset, 'offset') }
    const asked = parseOrder(query.orderBy, this.#fields, this.#collection.name)
    const order =
      query.orderBy !== undefined || range !== null
        ? asked
        : defaultOrder(selection.where, this.#collection.indexes)
    const plan: FindPlan = {
      type: 'find',
      shape: text,
      ...selection,
      order,
      keyDirection: order.at(-1)?.direction ?? 'asc',
      after: null,
      ...page,
    }
    const template = { plan, sources }
    this.#finds.set(text, template)
    return template
  }

  /** `skipped`: leaves between those of the condition and those of the range. */
  #select(where: unknown, range: KeyRange | null, skipped = 0) {
    const sources: SlotSource[] = []
    const parser = new WhereParser(this.#fields, this.#collection.name, sources)
    const condition = parser.parse(where)
    const first = parser.leaves + skipped
    const slot = (leaf: number) => sources.push({ leaf, as: 'given', of: 'prefix' }) - 1
    const selection = {
      collection: this.#collection.name,
      where: condition,
      range: range === null ? null : { start: slot(first), end: slot(first + 1) },
    }
    return { selection, sources }
  }
}

/** The plan of the rows that belong to each of many parents, whose encoded keys are given in hexadecimal. */
export function relate(
  { plan, operands }: Planned<FindPlan>,
  relation: RelatedPlan['relation'],
  parents: readonly string[],
): Planned<RelatedPlan> {
  const { type: _, ...rest } = plan
  const related: RelatedPlan = {
    type: 'related',
    ...rest,
    shape: `${relation}${plan.shape}`,
    relation,
    parents: operands.length,
  }
  return { plan: related, operands: [...operands, parents] }
}

function continueAfter(
  { plan, operands }: Planned<FindPlan>,
  after: unknown,
  range: KeyRange,
): Planned<FindPlan> {
  const cursor = decodeCursor(after, plan, range)
  const filled = [...operands]
  const slot = (operand: Operand) => filled.push(operand) - 1
  const values = cursor.values.map((value) => (value === null ? null : slot(value)))
  const afterPlan: AfterPlan = { values, key: slot(cursor.key) }
  // Whether a value is a text or a number is part of what is bound, not of the statement.
  const shape = `${plan.shape}a${values.map((value) => (value === null ? '0' : '1')).join('')}`
  return { plan: { ...plan, shape, after: afterPlan }, operands: filled }
}

/** Throws a RangeError for what is no number of rows. */
export function checkCount(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new RangeError(
    `${name} is a whole number of at least 0: got ${typeof value === 'number' ? value : describe(value)}`,
  )
}

const findOptions = ['where', 'orderBy', 'limit', 'offset', 'after', 'columns', 'prefix', 'with']

/** Throws a TypeError for an option that no query has. */
export function checkQueryOptions(
  query: object,
  call: string,
  options: readonly string[] = findOptions,
): void {
  checkOptionNames(query, options, call)
}
