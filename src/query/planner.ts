// One class makes all kinds of plans, because they share one cache of shapes.
import { ArgumentRangeError } from '../arguments/argument-error.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { QueryError } from '../contract/errors.ts'
import { patternRange } from '../key/pattern.ts'
import type { IdKind, Pattern } from '../key/pattern.types.ts'
import type { KeyRange } from '../key/range.ts'
import { Fields, isBigint } from '../schema/fields.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import type { SearchDefinition } from '../schema/search-definition.ts'
import { parseAggregate } from './aggregate.ts'
import { BoundedCache } from './bounded-cache.ts'
import type { SearchCondition } from './condition.ts'
import { decodeCursor } from './cursor.ts'
import { describe } from './describe.ts'
import { parsePaths } from './field-paths.ts'
import type { ParameterValues } from './fill-parameters.ts'
import { parseHighlight } from './highlight.ts'
import {
  fillSlots,
  type Operand,
  type OperandType,
  type OperandTypes,
  type Slot,
  type SlotSource,
  Slots,
} from './operand.ts'
import { defaultOrder, parseOrder } from './order.ts'
import type {
  AfterPlan,
  AggregatePlan,
  CountPlan,
  FindPlan,
  Plan,
  Planned,
  RankedSearch,
  RelatedPlan,
  Selection,
} from './plan.ts'
import { QueryReader, structureText } from './query-reader.ts'
import { isRank, rankedSearch, rankField, rankName } from './rank.ts'
import type { Syntax } from './syntax.ts'
import type { UncheckedAggregate, UncheckedQuery } from './unchecked.types.ts'
import { parseWhere } from './where.ts'

/** What the planner knows of a collection. */
export interface PlannedCollection {
  readonly name: string
  readonly pattern: Pattern
  /** The kind of ids at each part of the pattern; null for any. */
  readonly idKinds: readonly (IdKind | null)[]
  /** The output of its schema; `null` if unknown. */
  readonly schema: JsonSchema | null
  readonly indexes: readonly { readonly fields: readonly string[] }[]
  /** Its search; null or left out if it declares none. */
  readonly search?: SearchDefinition | null
}

interface Template<P extends Plan = Plan> {
  readonly plan: P
  readonly sources: readonly SlotSource[]
}

/** A template, and what fills its slots for one query. */
interface Filled<P extends Plan> extends Template<P> {
  readonly leaves: readonly unknown[]
  /** The leaves that are parameters, by their places. */
  readonly parameters: ReadonlyMap<number, string>
}

const mostPlans = 500
/** A shape with a longer text is planned each time: hundreds of them would take too much memory. */
const longestShape = 20_000

/** Plans the queries on one collection, each shape once. Plans and operands are plain data. */
export class Planner {
  readonly #collection: PlannedCollection
  readonly #range: KeyRange
  readonly #fields: Fields
  readonly #templates = new BoundedCache<Template>(mostPlans)

  constructor(collection: PlannedCollection) {
    this.#collection = collection
    this.#range = patternRange(collection.pattern)
    this.#fields = new Fields(collection.schema)
  }

  /** The fields of the collection's values. */
  get fields(): Fields {
    return this.#fields
  }

  /** Throws a QueryError for an invalid query, and a RangeError for an invalid limit or offset. */
  find(query: UncheckedQuery, range: KeyRange | null): Planned<FindPlan> {
    const { plan, sources, leaves } = this.template(query, range)
    return this.behind({ plan, operands: fillSlots(sources, leaves) }, query.after, range)
  }

  /** The plan of the rows after a cursor, if there is one. Throws a QueryError for anything but a cursor of such a query. */
  behind(planned: Planned<FindPlan>, after: unknown, range: KeyRange | null): Planned<FindPlan> {
    if (after === undefined || after === null) return planned
    return continueAfter(planned, after, range ?? this.#range)
  }

  /**
   * The plan of a query without its cursor, and the leaves that fill its slots. `values`: the values of the parameters of its
   * condition. Throws as `find` does.
   */
  template(query: UncheckedQuery, range: KeyRange | null, values?: ParameterValues): Filled<FindPlan> {
    const { where, orderBy, limit, offset, distinct, highlight } = query
    const reader = new QueryReader('find ', values, false)
    reader.read(where)
    if (orderBy !== undefined) reader.text += `o${structureText(orderBy)}`
    if (distinct !== undefined) reader.text += `d${structureText(distinct)}`
    if (highlight !== undefined) reader.text += `h${structureText(highlight)}`
    const rest = readRest(reader, range, limit, offset)
    const { text, leaves, parameters } = reader
    const { plan, sources } = this.#known<FindPlan>(text) ?? this.#planFind(query, values, text, rest, range)
    return { plan, sources, leaves, parameters }
  }

  #planFind(
    query: UncheckedQuery,
    values: ParameterValues | undefined,
    text: string,
    rest: number,
    range: KeyRange | null,
  ): Template<FindPlan> {
    const given = new GivenSlots(new Slots(), rest)
    const condition = this.#where(new QueryReader('', values, true).read(query.where), given.slots)
    const plan = this.#findPlan(query, condition, text, given, range)
    return this.#keep(text, { plan, sources: given.slots.sources })
  }

  count(where: unknown, range: KeyRange | null): Planned<CountPlan> {
    const reader = new QueryReader('count ', undefined, false)
    reader.read(where)
    const rest = readRest(reader, range)
    const { text, leaves } = reader
    const plan = (): Template<CountPlan> => {
      const given = new GivenSlots(new Slots(), rest)
      const condition = this.#where(new QueryReader('', undefined, true).read(where), given.slots)
      const selection = this.#selection(condition, given, range)
      return { plan: { type: 'count', shape: text, ...selection }, sources: given.slots.sources }
    }
    const template = this.#known<CountPlan>(text) ?? this.#keep(text, plan())
    return { plan: template.plan, operands: fillSlots(template.sources, leaves) }
  }

  aggregate(query: UncheckedAggregate, range: KeyRange | null): Planned<AggregatePlan> {
    const { where, having, limit, ...structure } = query
    const read = (reader: QueryReader) => {
      const condition = reader.read(where)
      reader.text += 'h'
      return { where: condition, having: reader.read(having) }
    }
    const reader = new QueryReader('aggregate ', undefined, false)
    read(reader)
    reader.text += structureText(structure)
    const rest = readRest(reader, range, limit)
    const { text, leaves } = reader
    const plan = (): Template<AggregatePlan> => {
      const given = new GivenSlots(new Slots(), rest)
      const trees = read(new QueryReader('', undefined, true))
      const selection = this.#selection(this.#where(trees.where, given.slots), given, range)
      const context = { fields: this.#fields, collection: this.#collection.name, slots: given.slots }
      const aggregate = parseAggregate({ ...query, having: trees.having }, context)
      const most = limit === undefined ? null : given.next('count')
      return {
        plan: { type: 'aggregate', shape: text, ...selection, ...aggregate, limit: most },
        sources: given.slots.sources,
      }
    }
    const template = this.#known<AggregatePlan>(text) ?? this.#keep(text, plan())
    return { plan: template.plan, operands: fillSlots(template.sources, leaves) }
  }

  /** The text of a template starts with the type of its plan. */
  #known<P extends Plan>(text: string): Template<P> | undefined {
    return this.#templates.get(text) as Template<P> | undefined
  }

  #keep<P extends Plan>(text: string, template: Template<P>): Template<P> {
    if (text.length <= longestShape) this.#templates.set(text, template)
    return template
  }

  #where(where: Syntax | null, slots: Slots) {
    const { name: collection, pattern, idKinds, search = null } = this.#collection
    return parseWhere(where, { collection, pattern, idKinds, search, fields: this.#fields, slots })
  }

  #selection(where: Selection['where'], given: GivenSlots, range: KeyRange | null): Selection {
    const keys = range === null ? null : { start: given.next('key'), end: given.next('key') }
    return { collection: this.#collection.name, where, range: keys }
  }

  #findPlan(
    { orderBy, limit, offset, distinct, highlight }: UncheckedQuery,
    where: Selection['where'],
    shape: string,
    given: GivenSlots,
    range: KeyRange | null,
  ): FindPlan {
    const { name, indexes } = this.#collection
    const selection = this.#selection(where, given, range)
    const asked = parseOrder(orderBy, this.#fields, name)
    const searched = rankedSearch(where)
    const order =
      orderBy === undefined && searched !== null
        ? [{ field: rankField, direction: 'desc' as const }]
        : orderBy !== undefined || range !== null
          ? asked.terms
          : defaultOrder(where, indexes)
    return {
      type: 'find',
      shape,
      ...selection,
      order,
      keyDirection: asked.keyDirection,
      distinct: parsePaths(distinct, 'distinct', this.#fields, name),
      after: null,
      limit: limit === undefined ? null : given.next('count'),
      offset: offset === undefined ? null : given.next('count'),
      ranked: rankedBy(searched, order, highlight),
    }
  }
}

/** Throws a QueryError if rows should be ranked or highlighted by a search, but there is no single search that finds all of them. */
function rankedBy(
  condition: SearchCondition | null,
  order: FindPlan['order'],
  highlight: unknown,
): RankedSearch | null {
  const orders = order.some(({ field }) => isRank(field))
  const shows = highlight !== undefined && highlight !== false
  if (!orders && !shows) return null
  if (condition === null)
    throw new QueryError(
      `${shows ? 'highlight' : `orderBy ${rankName}`} needs one $search that finds every row: in the where itself or in its AND, not in OR or NOT`,
    )
  return { condition, orders, highlight: shows ? parseHighlight(highlight, condition.search) : [] }
}

/**
 * Reads the options beside the conditions whose values are leaves: a range of keys, a limit, an offset. Returns the place of the
 * first such leaf. A plan takes their slots from GivenSlots in the same order.
 */
function readRest(reader: QueryReader, range: KeyRange | null, limit?: unknown, offset?: unknown): number {
  const { leaves } = reader
  const first = leaves.length
  if (range !== null) {
    reader.text += 'r'
    leaves.push(range.start, range.end)
  }
  if (limit !== undefined) {
    reader.text += 'l'
    leaves.push(checkCount(limit, 'limit'))
  }
  if (offset !== undefined) {
    reader.text += '+'
    leaves.push(checkCount(offset, 'offset'))
  }
  return first
}

/** Slots of options beside the conditions. Their leaves come after those of the conditions, in the order of the calls. */
class GivenSlots {
  readonly slots: Slots
  #leaf: number

  constructor(slots: Slots, leaf: number) {
    this.slots = slots
    this.#leaf = leaf
  }

  next<Type extends OperandType>(type: Type): Slot<Type> {
    return this.slots.add(type, this.#leaf++, (leaf) => leaf as OperandTypes[Type])
  }
}

/** The plan of the rows that belong to each of many parents, given their encoded keys. */
export function relate(
  { plan, operands }: Planned<FindPlan>,
  relation: RelatedPlan['relation'],
  parents: readonly Uint8Array[],
): Planned<RelatedPlan> {
  const related: RelatedPlan = {
    ...plan,
    type: 'related',
    shape: `${relation} ${plan.shape}`,
    relation,
    parents: { type: 'keys', at: operands.length },
  }
  return { plan: related, operands: [...operands, parents] }
}

function continueAfter(
  { plan, operands }: Planned<FindPlan>,
  after: unknown,
  range: KeyRange,
): Planned<FindPlan> {
  const cursor = decodeCursor(after, plan, range)
  const filled: Operand[] = [...operands]
  const slot = <Type extends OperandType>(type: Type, operand: OperandTypes[Type]): Slot<Type> => ({
    type,
    at: filled.push(operand) - 1,
  })
  const values = cursor.values.map((value, i) => {
    if (value === null) return null
    if (typeof value === 'number') return slot('number', value)
    return slot(isBigint(plan.order[i]!.field.types) ? 'bigint' : 'text', value)
  })
  const afterPlan: AfterPlan = { values, key: slot('key', cursor.key) }
  const shape = `${plan.shape}a${values.map((value) => (value === null ? '0' : value.type)).join()}`
  return { plan: { ...plan, shape, after: afterPlan }, operands: filled }
}

/** Throws a RangeError for an invalid number of rows. */
export function checkCount(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new ArgumentRangeError(
    `${name} must be a whole number of at least 0: got ${typeof value === 'number' ? value : describe(value)}`,
  )
}

const findOptions = [
  'where',
  'orderBy',
  'limit',
  'offset',
  'after',
  'columns',
  'prefix',
  'with',
  'distinct',
  'highlight',
]

/** Throws a TypeError for an option that no query has. */
export function checkQueryOptions(
  query: object,
  call: string,
  options: readonly string[] = findOptions,
): void {
  checkOptionNames(query, options, call)
}
