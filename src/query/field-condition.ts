import { QueryError } from '../errors.ts'
import { type Field, type FieldTypes, isBigint } from '../schema/fields.ts'
import type { Comparison, Condition } from './condition.ts'
import { describe } from './describe.ts'
import { foldCase, patternParts, untilNul } from './like.ts'
import type { Slots } from './operand.ts'
import type { Semantics } from './operators.ts'
import { isList } from './query-reader.ts'
import { itemReader, readBigint, readNumber, readText, scalarReader } from './scalar.ts'
import type { OperandSyntax } from './syntax.ts'
import { endOfPrefix } from './text-order.ts'

/** What is asked of a field. */
interface Asked<S extends Semantics = Semantics> {
  readonly operator: string
  readonly semantics: S
  readonly operand: OperandSyntax
  readonly field: Field
  /** What an element may be where the field is an array. */
  readonly element: Field
}

type AskedFor<Takes extends Semantics['takes']> = Asked<Extract<Semantics, { takes: Takes }>>

/** The condition of an operator that takes an operand. Throws a QueryError for one that the field cannot be compared with. */
export function fieldCondition(asked: Asked, slots: Slots): Condition {
  switch (asked.semantics.takes) {
    case 'scalar':
      return compare(asked, 'eq', slots)
    case 'ordered':
      return compare(asked, asked.semantics.comparison, slots)
    case 'list':
      return oneOf(asked, slots)
    case 'pattern':
      return like(asked as AskedFor<'pattern'>, slots)
    case 'text':
      return part(asked as AskedFor<'text'>, slots)
    case 'true':
      return isNull(asked)
    case 'items':
      return includes(asked, slots)
    case 'elements':
      throw new TypeError('The elements of an array are conditions of their own')
  }
}

function compare({ operator, operand, field }: Asked, comparison: Comparison, slots: Slots): Condition {
  const { value, leaf } = operand
  const of = `${operator} on '${field.path}'`
  if (typeof value === 'boolean') {
    if (comparison !== 'eq')
      throw new QueryError(`${of} compares numbers, texts, dates or bigints: use eq for a boolean`)
    expect(field.types.boolean, of, value, field)
    return { type: 'boolean', field, value }
  }
  if (value === 0 && comparison === 'eq' && field.types.number) return { type: 'zero', field }
  const kind = kindFor(value, field, of)
  const rounding = comparison === 'eq' ? 'none' : comparison === 'gt' || comparison === 'lte' ? 'down' : 'up'
  switch (kind) {
    case 'number':
      return {
        type: 'compare',
        field,
        operator: comparison,
        operand: slots.add(kind, leaf, (it) => readNumber(it, of)),
      }
    case 'bigint':
      return { type: 'compare', field, operator: comparison, operand: slots.add(kind, leaf, readBigint) }
    case 'text': {
      const read = scalarReader(field, of, rounding)
      // Between two milliseconds, what comes behind the first comes from the second on.
      return { type: 'compare', field, operator: comparison, operand: slots.add(kind, leaf, read) }
    }
  }
}

/** Texts, numbers, bigints and booleans of one list are compared apart; which booleans it has is part of the shape. */
function oneOf({ operator, operand, field }: Asked, slots: Slots): Condition {
  const { value, leaf } = operand
  const of = `${operator} on '${field.path}'`
  if (!Array.isArray(value)) throw new QueryError(`${of} takes an array: got ${describe(value)}`)
  if (!isList(value)) throw new QueryError(`${of} takes an array of scalars: it has an object`)
  const kinds = new Set(
    value.filter((item) => typeof item !== 'boolean').map((item) => kindFor(item, field, of)),
  )
  const conditions: Condition[] = []
  const picked =
    <T>(belongs: (item: unknown) => boolean, read: (item: unknown) => T) =>
    (list: unknown) =>
      (list as unknown[]).filter(belongs).map(read)
  if (kinds.has('number')) {
    const numbers = picked(
      (item) => typeof item === 'number',
      (item) => readNumber(item, of),
    )
    conditions.push({ type: 'in', field, items: slots.add('numbers', leaf, numbers) })
  }
  if (kinds.has('text')) {
    const read = scalarReader(field, of, 'none')
    const texts = picked((item) => typeof item === 'string' || item instanceof Date, read)
    conditions.push({ type: 'in', field, items: slots.add('texts', leaf, texts) })
  }
  if (kinds.has('bigint')) {
    const bigints = picked((item) => typeof item === 'bigint', readBigint)
    conditions.push({ type: 'in', field, items: slots.add('bigints', leaf, bigints) })
  }
  for (const one of [true, false]) {
    if (!value.includes(one)) continue
    expect(field.types.boolean, of, one, field)
    conditions.push({ type: 'boolean', field, value: one })
  }
  if (conditions.length === 0) return { type: 'constant', value: false }
  return conditions.length === 1 ? conditions[0]! : { type: 'or', conditions }
}

const longestPattern = 10_000

function like({ operator, semantics, operand, field }: AskedFor<'pattern'>, slots: Slots): Condition {
  const of = `${operator} on '${field.path}'`
  if (typeof operand.value !== 'string')
    throw new QueryError(`${of} takes a pattern, as 'A%': got ${describe(operand.value)}`)
  expect(field.types.string, of, operand.value, field)
  const { folded } = semantics
  const pattern = slots.add('text', operand.leaf, (leaf) => {
    const read = untilNul(readText(leaf, of))
    if (read.length > longestPattern)
      throw new QueryError(`The pattern of ${of} is longer than ${longestPattern} characters`)
    if (read.endsWith('\\') && patternParts(read) === null)
      throw new QueryError(`The pattern of ${of} ends with a backslash, which escapes nothing: write two`)
    return read
  })
  return { type: 'like', field, folded, pattern }
}

function part({ operator, semantics, operand, field }: AskedFor<'text'>, slots: Slots): Condition {
  const of = `${operator} on '${field.path}'`
  if (typeof operand.value !== 'string')
    throw new QueryError(`${of} takes a text: got ${describe(operand.value)}`)
  expect(field.types.string, of, operand.value, field)
  const { at, folded } = semantics
  const read = (leaf: unknown) => (folded ? foldCase(readText(leaf, of)) : readText(leaf, of))
  const text = slots.add('text', operand.leaf, read)
  if (at !== 'start') return { type: 'substring', field, at, folded, text }
  const end = slots.add('end', operand.leaf, (leaf) => endOfPrefix(read(leaf)))
  return { type: 'prefix', field, folded, text, end }
}

function isNull({ operator, operand, field }: Asked): Condition {
  if (operand.value !== true)
    throw new QueryError(`${operator} on '${field.path}' takes true: got ${describe(operand.value)}`)
  return { type: 'null', field }
}

/** Bigints are looked for apart: whether there are any is part of the shape. */
function includes({ operator, operand, field, element }: Asked, slots: Slots): Condition {
  const { value, leaf } = operand
  const of = `${operator} on '${field.path}'`
  expect(field.types.structure, of, value, field)
  if (typeof value === 'boolean') throw new QueryError(`${of} takes an array, as [${value}]`)
  const read = itemReader(element.types, of)
  const listOf = (given: unknown): readonly unknown[] => (Array.isArray(given) ? given : [given])
  const isBigint = (item: unknown) => typeof item === 'bigint'
  const others = slots.add('items', leaf, (given) =>
    listOf(given)
      .filter((item) => !isBigint(item))
      .map(read),
  )
  const condition: Condition = { type: 'includes', field, element, items: others }
  if (!listOf(value).some(isBigint)) return condition
  const bigints = slots.add('bigints', leaf, (given) => listOf(given).filter(isBigint).map(readBigint))
  return { type: 'and', conditions: [condition, { ...condition, items: bigints }] }
}

/** How an operand is compared with a field. */
function kindFor(value: unknown, field: Field, of: string): 'number' | 'text' | 'bigint' {
  const { types } = field
  if (typeof value === 'number') {
    expect(types.number, of, value, field)
    return 'number'
  }
  if (typeof value === 'string') {
    expect(types.string || types.date, of, value, field)
    return 'text'
  }
  if (typeof value === 'bigint') {
    expect(types.bigint, of, value, field)
    return 'bigint'
  }
  if (value instanceof Date) {
    expect(types.date, of, value, field)
    return 'text'
  }
  if (value === null) throw new QueryError(`${of} is never true of null: use isNull or isNotNull`)
  if (value === undefined) throw new QueryError(`${of} has no operand: it is undefined`)
  throw new QueryError(`${of} takes a text, a number, a boolean, a date or a bigint: got ${describe(value)}`)
}

function expect(possible: boolean, of: string, value: unknown, { types }: Field): void {
  if (!possible) throw new QueryError(`${of} cannot compare ${nameTypes(types)} with ${describe(value)}`)
}

/** Throws a QueryError where a field may be a bigint, and something else as well: they have no order in common. */
export function checkOrdered({ path, types }: Field, what: string): void {
  if (!types.bigint || types.structure || isBigint(types)) return
  throw new QueryError(
    `${what} cannot order '${path}': bigints among other values have no order; keep a number beside it`,
  )
}

function nameTypes({ number, string, boolean, date, bigint, structure }: FieldTypes): string {
  const names = [
    number && 'a number',
    string && 'a text',
    boolean && 'a boolean',
    date && 'a date',
    bigint && 'a bigint',
    structure && 'an object or array',
  ]
  return names.filter((name) => name !== false).join(' or ') || 'what is always null'
}
