// The operands of all operators are checked in one file, so that all messages use the same words.
import { QueryError } from '../contract/errors.ts'
import { type Field, isBigint, none } from '../schema/fields.ts'
import type { Comparison, Condition } from './condition.ts'
import { describe } from './describe.ts'
import { foldCase, patternParts, untilNul } from './like.ts'
import type { Slots } from './operand.ts'
import type { Semantics } from './operators.ts'
import { isList } from './query-reader.ts'
import { itemReader, readBigint, readNumber, readText, scalarReader } from './scalar.ts'
import type { OperandSyntax } from './syntax.ts'
import { endOfPrefix } from './text-order.ts'

/** An operator, its operand and its field. */
interface Asked<S extends Semantics = Semantics> {
  /** As written: `ne` has the semantics of `eq`. */
  readonly operator: string
  readonly semantics: S
  readonly operand: OperandSyntax
  readonly field: Field
  /** The field in messages, such as `'age'` or `an element of 'tags'`. */
  readonly label: string
  /** The types of the elements, if the field is an array. */
  readonly element: Field
}

type AskedFor<Takes extends Semantics['takes']> = Asked<Extract<Semantics, { takes: Takes }>>

/** The condition of an operator with an operand. Throws a QueryError for an operand that the field cannot be compared with. */
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
      throw new TypeError('The elements of an array need their own conditions')
  }
}

function compare(asked: Asked, comparison: Comparison, slots: Slots): Condition {
  const { operator, operand, field, label } = asked
  const { value, leaf } = operand
  const of = `${operator} on ${label}`
  if (typeof value === 'boolean') {
    if (comparison !== 'eq')
      throw new QueryError(`${of} compares numbers, texts, dates or bigints: use eq for a boolean`)
    expect(field.types.boolean, asked, value)
    return { type: 'boolean', field, value }
  }
  if (value === 0 && comparison === 'eq' && field.types.number) return { type: 'zero', field }
  const kind = kindFor(value, asked)
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
      // An instant between two milliseconds: "after the first" is "from the second on".
      return { type: 'compare', field, operator: comparison, operand: slots.add(kind, leaf, read) }
    }
  }
}

/** Texts, numbers, bigints and booleans in one list are compared separately. Which booleans it has is part of the shape. */
function oneOf(asked: Asked, slots: Slots): Condition {
  const { operator, operand, field, label } = asked
  const { value, leaf } = operand
  const of = `${operator} on ${label}`
  if (!Array.isArray(value)) throw new QueryError(`${of} takes an array: got ${describe(value)}`)
  if (!isList(value)) throw new QueryError(`${of} takes an array of scalars: yours has an object`)
  const kinds = new Set(value.filter((item) => typeof item !== 'boolean').map((item) => kindFor(item, asked)))
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
    expect(field.types.boolean, asked, one)
    conditions.push({ type: 'boolean', field, value: one })
  }
  if (conditions.length === 0) return { type: 'constant', value: false }
  return conditions.length === 1 ? conditions[0]! : { type: 'or', conditions }
}

const longestPattern = 10_000

function like(asked: AskedFor<'pattern'>, slots: Slots): Condition {
  const { operator, semantics, operand, field, label } = asked
  const of = `${operator} on ${label}`
  if (typeof operand.value !== 'string')
    throw new QueryError(`${of} takes a pattern, such as 'A%': got ${describe(operand.value)}`)
  expect(field.types.string, asked, operand.value)
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

function part(asked: AskedFor<'text'>, slots: Slots): Condition {
  const { operator, semantics, operand, field, label } = asked
  const of = `${operator} on ${label}`
  if (typeof operand.value !== 'string')
    throw new QueryError(`${of} takes a text: got ${describe(operand.value)}`)
  expect(field.types.string, asked, operand.value)
  const { at, folded } = semantics
  const read = (leaf: unknown) => (folded ? foldCase(readText(leaf, of)) : readText(leaf, of))
  const text = slots.add('text', operand.leaf, read)
  if (at !== 'start') return { type: 'substring', field, at, folded, text }
  const end = slots.add('end', operand.leaf, (leaf) => endOfPrefix(read(leaf)))
  return { type: 'prefix', field, folded, text, end }
}

function isNull({ operator, operand, field, label }: Asked): Condition {
  if (operand.value !== true)
    throw new QueryError(`${operator} on ${label} takes true: got ${describe(operand.value)}`)
  return { type: 'null', field }
}

/** Bigints are looked for separately. Whether there are any is part of the shape. */
function includes(asked: Asked, slots: Slots): Condition {
  const { operator, operand, field, label, element } = asked
  const { value, leaf } = operand
  const of = `${operator} on ${label}`
  if (!field.types.structure) {
    const instead = field.types.string ? ': to find a part of a text, use contains' : ''
    throw new QueryError(`${operator} finds items of an array, but ${label} is not an array${instead}`)
  }
  const items: Asked = {
    ...asked,
    field: element,
    element: { ...element, types: none },
    label: `the items of ${label}`,
  }
  const readItem = itemReader(element.types, of)
  const read = (item: unknown) => {
    if (mayBe(element)) expectItem(items, item)
    return readItem(item)
  }
  const listOf = (given: unknown): readonly unknown[] => (Array.isArray(given) ? given : [given])
  const isBigint = (item: unknown) => typeof item === 'bigint'
  const others = slots.add('items', leaf, (given) =>
    listOf(given)
      .filter((item) => !isBigint(item))
      .map(read),
  )
  const condition: Condition = { type: 'includes', field, element, items: others }
  const bigint = listOf(value).find(isBigint)
  if (bigint === undefined) return condition
  if (mayBe(element)) expect(element.types.bigint, items, bigint)
  const bigints = slots.add('bigints', leaf, (given) => listOf(given).filter(isBigint).map(readBigint))
  return { type: 'and', conditions: [condition, { ...condition, items: bigints }] }
}

/** Throws a QueryError for a scalar that no item of the array can equal. */
function expectItem(items: Asked, item: unknown): void {
  const { boolean, number, string, date } = items.field.types
  if (typeof item === 'boolean') expect(boolean, items, item)
  else if (typeof item === 'number') expect(number, items, item)
  else if (typeof item === 'string') expect(string || date, items, item)
  else if (item instanceof Date) expect(date, items, item)
}

/** How an operand is compared with a field. */
function kindFor(value: unknown, asked: Asked): 'number' | 'text' | 'bigint' {
  const { number, string, date, bigint } = asked.field.types
  if (typeof value === 'number') {
    expect(number, asked, value)
    return 'number'
  }
  if (typeof value === 'string') {
    expect(string || date, asked, value)
    return 'text'
  }
  if (typeof value === 'bigint') {
    expect(bigint, asked, value)
    return 'bigint'
  }
  if (value instanceof Date) {
    expect(date, asked, value)
    return 'text'
  }
  const of = `${asked.operator} on ${asked.label}`
  if (value === null) throw new QueryError(`${of} is never true for null: use isNull or isNotNull`)
  if (value === undefined) throw new QueryError(`${of} has no operand: it is undefined`)
  if (value instanceof RegExp)
    throw new QueryError(
      `${of} takes no RegExp: use like with a pattern, such as { like: 'A%' }, or contains, startsWith or endsWith`,
    )
  if (Array.isArray(value)) {
    expect(!isStructure(asked.field), asked, value)
    throw new QueryError(
      `${of} takes one value: got an array; ${asked.operator === 'ne' ? 'notIn' : 'in'} takes several`,
    )
  }
  throw new QueryError(`${of} takes a text, a number, a boolean, a date or a bigint: got ${describe(value)}`)
}

function expect(possible: boolean, asked: Asked, value: unknown): void {
  if (possible) return
  const { operator, label } = asked
  throw new QueryError(
    `${operator} on ${label} cannot compare ${nameTypes(asked)} with ${describe(value)}${remedy(asked, value)}`,
  )
}

/** What to write if a field cannot be compared as a whole. */
function remedy({ field, element }: Asked, value: unknown): string {
  if (isBigint(field.types) && typeof value === 'number') return ': a bigint is written as 1n'
  if (!isStructure(field)) return ''
  if (mayBe(element)) return ': find its items with arrayContains, or with conditions in some, every and none'
  const name = field.names.at(-1)
  return `: put conditions on its fields, ${name === undefined ? '{ … }' : `{ ${name}: { … } }`}`
}

/** Whether a field is always an object or an array, if present. */
function isStructure({ types: { structure, absent: _, ...others } }: Field): boolean {
  return structure && !Object.values(others).includes(true)
}

/** Whether the field can have any value at all. */
function mayBe({ types }: Field): boolean {
  return Object.values(types).includes(true)
}

/**
 * Throws a QueryError for a field whose values have no order: one that is always an object or an array, or one that is sometimes a
 * bigint.
 */
export function checkOrdered(field: Field, what: string): void {
  const { path, types } = field
  if (isStructure(field))
    throw new QueryError(
      `${what} cannot order '${path}': objects, arrays, Maps and Sets have no order; name a field in it, or store what to order by beside it`,
    )
  if (!types.bigint || types.structure || isBigint(types)) return
  throw new QueryError(
    `${what} cannot order '${path}': bigints among other values have no order; store a number beside it`,
  )
}

function nameTypes({ field, element }: Asked): string {
  const { number, string, boolean, date, bigint, structure } = field.types
  const names = [
    number && 'a number',
    string && 'a text',
    boolean && 'a boolean',
    date && 'a date',
    bigint && 'a bigint',
    structure && (mayBe(element) ? 'an array' : 'an object'),
  ]
  return names.filter((name) => name !== false).join(' or ') || 'what is always null'
}
