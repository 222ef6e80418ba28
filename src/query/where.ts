import { QueryError } from '../errors.ts'
import type { Comparable, Condition, Slot } from './condition.ts'
import { isFieldName } from './field-name.ts'
import { type Field, type Fields, type FieldTypes, type Place, typesOf } from './fields.ts'
import type { SlotSource } from './operand.ts'
import { isList, isPlainObject, kindOf } from './shape.ts'

const operators = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'notIn',
  'like',
  'notLike',
  'ilike',
  'notIlike',
  'isNull',
  'isNotNull',
  'arrayContains',
] as const

type Operator = (typeof operators)[number]
type Order = 'gt' | 'gte' | 'lt' | 'lte'

const known: ReadonlySet<string> = new Set(operators)
const logic: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT'])

/** A position in a value: the names that lead there, and what the schema has there. */
interface Position {
  readonly path: readonly string[]
  readonly place: Place
}

/**
 * Checks a `where` against the fields of its collection and makes the condition of it. Its leaves are counted as by
 * `Shape`, and `sources` takes the slots.
 *
 * Throws a QueryError for a name that is no field and no operator, and for an operand that the field cannot be compared with.
 */
export class WhereParser {
  readonly #fields: Fields
  readonly #collection: string
  readonly #sources: SlotSource[]
  #leaf = 0

  constructor(fields: Fields, collection: string, sources: SlotSource[]) {
    this.#fields = fields
    this.#collection = collection
    this.#sources = sources
  }

  /** How many leaves the conditions had that were parsed. */
  get leaves(): number {
    return this.#leaf
  }

  parse(where: unknown): Condition | null {
    if (where === undefined) return null
    const condition = this.#object(where, { path: [], place: this.#fields.root }, 'where')
    return condition.type === 'and' && condition.conditions.length === 0 ? null : condition
  }

  #object(value: unknown, position: Position, name: string): Condition {
    if (typeof value !== 'object' || value === null || !isPlainObject(value)) {
      throw new QueryError(
        `${name} is an object of conditions, as { age: { gte: 18 } }: got ${describe(value)}`,
      )
    }
    const conditions = Object.keys(value).map((key) => this.#entry(key, value[key], position))
    return conditions.length === 1 ? conditions[0]! : { type: 'and', conditions }
  }

  #entry(key: string, value: unknown, position: Position): Condition {
    if (value === undefined) {
      throw new QueryError(
        `'${[...position.path, key].join('.')}' is undefined: leave it out, or ask for isNull`,
      )
    }
    if (logic.has(key)) return this.#logic(key, value, position)
    const isOperator = position.path.length > 0 && known.has(key)
    if (isOperator && !this.#fields.names(position.place).includes(key)) {
      const field = { path: position.path.join('.'), types: typesOf(position.place) }
      return this.#operator(key as Operator, value, field)
    }
    return this.#field(key, value, position)
  }

  #logic(key: string, value: unknown, position: Position): Condition {
    if (key === 'NOT') return { type: 'not', condition: this.#object(value, position, 'NOT') }
    if (!Array.isArray(value))
      throw new QueryError(`${key} takes an array of conditions: got ${describe(value)}`)
    if (value.length > 0 && isList(value)) {
      throw new QueryError(`${key} takes an array of conditions: got one of ${describe(value[0])}`)
    }
    // An empty array counts as a list: one leaf.
    if (value.length === 0) this.#leaf++
    const conditions = value.map((item) => this.#object(item, position, `Each of ${key}`))
    return { type: key === 'AND' ? 'and' : 'or', conditions }
  }

  #field(name: string, value: unknown, { path, place }: Position): Condition {
    const child = isFieldName(name) ? this.#fields.child(place, name) : null
    if (child === null) throw this.#unknown(name, path, place)
    const position = { path: [...path, name], place: child }
    const dotted = position.path.join('.')
    const isObject =
      typeof value === 'object' && value !== null && !Array.isArray(value) && isPlainObject(value)
    if (!isObject) return this.#operator('eq', value, { path: dotted, types: typesOf(child) })
    if (Object.keys(value).length === 0) {
      throw new QueryError(`There is no condition on '${dotted}': give one, as { eq: … }, or leave it out`)
    }
    return this.#object(value, position, `'${dotted}'`)
  }

  #unknown(name: string, path: readonly string[], place: Place): QueryError {
    const names = this.#fields.names(place)
    const under = path.length === 0 ? `the values of '${this.#collection}'` : `'${path.join('.')}'`
    const there = names.length === 0 ? '' : `: there are ${names.slice(0, 30).join(', ')}`
    const what = path.length === 0 ? 'field' : 'field or operator'
    return new QueryError(`There is no ${what} ${quote(name)} in ${under}${there}`)
  }

  #operator(operator: Operator, value: unknown, field: Field): Condition {
    switch (operator) {
      case 'eq':
        return this.#equal(operator, value, field)
      case 'ne':
        return { type: 'not', condition: this.#equal(operator, value, field) }
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        return this.#order(operator, value, field)
      case 'in':
        return this.#in(operator, value, field)
      case 'notIn':
        return { type: 'not', condition: this.#in(operator, value, field) }
      case 'like':
      case 'ilike':
        return this.#like(operator, value, field)
      case 'notLike':
      case 'notIlike':
        return { type: 'not', condition: this.#like(operator, value, field) }
      case 'isNull':
      case 'isNotNull':
        return this.#null(operator, value, field)
      case 'arrayContains':
        return this.#contains(operator, value, field)
    }
  }

  #equal(operator: Operator, value: unknown, field: Field): Condition {
    if (typeof value === 'boolean') {
      this.#expect(field.types.boolean, operator, value, field)
      return { type: 'boolean', field, value }
    }
    const kind = this.#kind(operator, value, field)
    return { type: 'compare', field, operator: 'eq', kind, operand: this.#slot(operator, field, 'scalar') }
  }

  #order(operator: Order, value: unknown, field: Field): Condition {
    if (typeof value === 'boolean')
      throw new QueryError(
        `${operator} on '${field.path}' compares numbers, texts or dates: use eq for a boolean`,
      )
    checkOrdered(field, operator)
    if (typeof value === 'bigint') throw bigintOrder(field, operator)
    const kind = this.#kind(operator, value, field)
    return { type: 'compare', field, operator, kind, operand: this.#slot(operator, field, 'scalar') }
  }

  /** Texts, numbers and booleans of one list are compared apart; which booleans it has is part of the shape. */
  #in(operator: Operator, value: unknown, field: Field): Condition {
    if (!Array.isArray(value))
      throw new QueryError(`${operator} on '${field.path}' takes an array: got ${describe(value)}`)
    if (!isList(value))
      throw new QueryError(
        `${operator} on '${field.path}' takes an array of scalars: it has ${describe(value.find((item) => typeof item === 'object'))}`,
      )
    const conditions: Condition[] = []
    const kinds = new Set<Comparable>()
    for (const item of value) if (typeof item !== 'boolean') kinds.add(this.#kind(operator, item, field))
    const leaf = this.#leaf++
    for (const kind of ['number', 'string'] as const) {
      if (!kinds.has(kind)) continue
      const items = this.#slotOf(leaf, operator, field, kind === 'number' ? 'numbers' : 'strings')
      conditions.push({ type: 'in', field, kind, items })
    }
    for (const one of [true, false]) {
      if (!value.includes(one)) continue
      this.#expect(field.types.boolean, operator, one, field)
      conditions.push({ type: 'boolean', field, value: one })
    }
    if (conditions.length === 0) return { type: 'constant', value: false }
    return conditions.length === 1 ? conditions[0]! : { type: 'or', conditions }
  }

  #like(operator: Operator, value: unknown, field: Field): Condition {
    if (typeof value !== 'string')
      throw new QueryError(`${operator} on '${field.path}' takes a pattern, as 'A%': got ${describe(value)}`)
    this.#expect(field.types.string, operator, value, field)
    const caseSensitive = !operator.toLowerCase().endsWith('ilike')
    return { type: 'like', field, caseSensitive, pattern: this.#slot(operator, field, 'pattern') }
  }

  #null(operator: Operator, value: unknown, field: Field): Condition {
    if (value !== true)
      throw new QueryError(`${operator} on '${field.path}' takes true: got ${describe(value)}`)
    const condition: Condition = { type: 'null', field }
    return operator === 'isNull' ? condition : { type: 'not', condition }
  }

  #contains(operator: Operator, value: unknown, field: Field): Condition {
    this.#expect(field.types.structure, operator, value, field)
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    const wrong = items.find((item) => !'snidb'.includes(kindOf(item)))
    if (wrong !== undefined || items.includes(undefined) || items.includes(null)) {
      throw new QueryError(
        `${operator} on '${field.path}' takes texts, numbers, booleans and dates: got ${describe(wrong ?? null)}`,
      )
    }
    if (typeof value === 'boolean')
      throw new QueryError(`${operator} on '${field.path}' takes an array, as [${value}]`)
    return { type: 'contains', field, items: this.#slot(operator, field, 'items') }
  }

  #kind(operator: Operator, value: unknown, field: Field): Comparable {
    switch (kindOf(value)) {
      case 's':
      case 'd':
        this.#expect(field.types.string, operator, value, field)
        return 'string'
      case 'i':
        this.#expect(field.types.bigint, operator, value, field)
        return 'string'
      case 'n':
        this.#expect(field.types.number, operator, value, field)
        return 'number'
      case 'z':
        throw new QueryError(`${operator} on '${field.path}' is never true of null: use isNull or isNotNull`)
      case 'u':
        throw new QueryError(`${operator} on '${field.path}' has no operand: it is undefined`)
      default:
        throw new QueryError(
          `${operator} on '${field.path}' takes a text, a number, a boolean, a date or a bigint: got ${describe(value)}`,
        )
    }
  }

  #expect(possible: boolean, operator: Operator, value: unknown, { path, types }: Field): void {
    if (!possible)
      throw new QueryError(
        `${operator} cannot compare '${path}', ${nameTypes(types)}, with ${describe(value)}`,
      )
  }

  #slot(operator: string, field: Field, as: SlotSource['as']): Slot {
    return this.#slotOf(this.#leaf++, operator, field, as)
  }

  #slotOf(leaf: number, operator: string, { path }: Field, as: SlotSource['as']): Slot {
    return this.#sources.push({ leaf, as, of: `${operator} on '${path}'` }) - 1
  }
}

/** Throws a QueryError where a field may be a bigint: as text, 10 comes before 9. */
export function checkOrdered(field: Field, operator: string): void {
  if (field.types.bigint && !field.types.structure) throw bigintOrder(field, operator)
}

function bigintOrder({ path }: Field, operator: string): QueryError {
  return new QueryError(
    `${operator} cannot order '${path}': bigints are stored as their digits, which do not sort as numbers do; keep a number beside it`,
  )
}

function nameTypes({ number, string, boolean, bigint, structure }: FieldTypes): string {
  const names = [
    number && 'a number',
    string && 'a text',
    boolean && 'a boolean',
    bigint && 'a bigint',
    structure && 'an object or array',
  ]
  return names.filter((name) => name !== false).join(' or ') || 'always null'
}

/** What a value is, for messages; what it holds may be secret or huge. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Date) return 'a Date'
  const type = typeof value
  return type === 'object' ? 'an object' : type === 'string' ? 'a text' : `a ${type}`
}

export function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
}
