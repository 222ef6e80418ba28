import { QueryError } from '../contract/errors.ts'
import { isFieldName } from '../schema/field-path.ts'
import { type Fields, fieldAt, type Place } from '../schema/fields.ts'
import type { SearchDefinition } from '../schema/search-definition.ts'
import { joinPath } from '../value/dotted-path.ts'
import type { Condition } from './condition.ts'
import { describe, quote } from './describe.ts'
import { fieldCondition } from './field-condition.ts'
import { type IdContext, idCondition, idOperatorNames, isIdOperator } from './id-condition.ts'
import { type Semantics, semanticsOf } from './operators.ts'
import { parseSearch } from './search-words.ts'
import type { ObjectSyntax, Syntax } from './syntax.ts'
import { conditionHint, fieldHint } from './unknown-name.ts'

/** What a `where` is checked against. */
export interface WhereContext extends IdContext {
  readonly fields: Fields
  /** The search of the collection; null if it declares none. */
  readonly search: SearchDefinition | null
}

/** A position in a value: the names that lead there, and the schema there. */
interface Position {
  readonly names: readonly string[]
  readonly place: Place
  /** The row itself has an id and no operators; an element of an array has operators. */
  readonly isRow: boolean
  /** In messages, what the names lead from, such as `an element of 'tags'`; null for the row. */
  readonly within: string | null
}

/** A position in messages, such as `'address.city'`, `an element of 'tags'` or `'sku' in an element of 'lines'`. */
function labelOf({ names, within }: Pick<Position, 'names' | 'within'>): string {
  if (names.length === 0 && within !== null) return within
  return within === null ? `'${joinPath(names)}'` : `'${joinPath(names)}' in ${within}`
}

const logicNames = ['AND', 'OR', 'NOT'] as const

/** The name of the id in a `where` and an `orderBy`. */
export const idName = '$id'

/** The name of the search in a `where`. */
const searchName = '$search'

/**
 * The condition of a `where`; `null` if it has none. Throws a QueryError for a name that is neither a field nor an operator, and
 * for an operand that the field cannot be compared with.
 */
export function parseWhere(where: Syntax | null, context: WhereContext): Condition | null {
  if (where === null || (where.type === 'operand' && where.value === undefined)) return null
  const root = { names: [], place: context.fields.root, isRow: true, within: null }
  const condition = parseObject(where, root, 'where', context)
  return isEmpty(condition) ? null : condition
}

function isEmpty(condition: Condition): boolean {
  return condition.type === 'and' && condition.conditions.length === 0
}

function parseObject(part: Syntax, position: Position, name: string, context: WhereContext): Condition {
  const { entries } = objectSyntax(part, name)
  const conditions = entries.map(([key, value]) => parseEntry(key, value, position, context))
  return conditions.length === 1 ? conditions[0]! : { type: 'and', conditions }
}

function objectSyntax(part: Syntax, name: string): ObjectSyntax {
  if (part.type === 'object') return part
  const got = part.type === 'list' ? 'an array' : describe(part.value)
  throw new QueryError(`${name} must be an object of conditions, such as { age: { gte: 18 } }: got ${got}`)
}

function parseEntry(key: string, value: Syntax, position: Position, context: WhereContext): Condition {
  if (value.type === 'operand' && value.value === undefined) {
    const path = labelOf({ ...position, names: [...position.names, key] })
    throw new QueryError(`${path} is undefined: leave it out, or ask for isNull`)
  }
  if (key === 'AND' || key === 'OR' || key === 'NOT') return parseLogic(key, value, position, context)
  if (position.isRow && key === idName) return parseId(value, context)
  if (position.isRow && key === searchName) return parseWords(value, context)
  const semantics = position.isRow ? undefined : semanticsOf(key)
  if (semantics !== undefined) return parseOperator(key, value, position, context)
  return parseField(fieldName(key), value, position, context)
}

/** The field that a name in a query stands for: after a backslash, any name is a field. */
export function fieldName(key: string): string {
  return key.startsWith('\\') ? key.slice(1) : key
}

function parseLogic(
  key: 'AND' | 'OR' | 'NOT',
  value: Syntax,
  position: Position,
  context: WhereContext,
): Condition {
  const isCompared = value.type === 'operand' && !Array.isArray(value.value)
  if (isCompared && context.fields.child(position.place, key) !== null)
    throw new QueryError(`${key} joins conditions: write a field of this name as '\\\\${key}'`)
  if (key === 'NOT') return { type: 'not', condition: parseObject(value, position, 'NOT', context) }
  const type = key === 'AND' ? 'and' : 'or'
  if (value.type === 'list') {
    const conditions = value.items.map((item) => parseObject(item, position, `Each of ${key}`, context))
    return { type, conditions }
  }
  if (value.type === 'operand' && Array.isArray(value.value)) {
    if (value.value.length === 0) return { type, conditions: [] }
    throw new QueryError(`${key} takes an array of conditions: got one of ${describe(value.value[0])}`)
  }
  const got = value.type === 'object' ? 'an object' : describe(value.value)
  throw new QueryError(`${key} takes an array of conditions: got ${got}`)
}

function parseId(value: Syntax, context: WhereContext): Condition {
  if (value.type !== 'object') return idCondition('eq', value, context)
  if (value.entries.length === 0)
    throw new QueryError(`There is no condition on '${idName}': give one, such as { eq: … }, or leave it out`)
  const conditions = value.entries.map(([key, part]): Condition => {
    if (part.type === 'operand' && part.value === undefined)
      throw new QueryError(`${key} on '${idName}' has no operand: it is undefined`)
    if (key === 'NOT') return { type: 'not', condition: parseId(part, context) }
    if (key === 'AND' || key === 'OR') {
      if (part.type !== 'list') throw new QueryError(`${key} on '${idName}' takes an array of conditions`)
      const type = key === 'AND' ? 'and' : 'or'
      return { type, conditions: part.items.map((item) => parseId(item, context)) }
    }
    if (isIdOperator(key)) return idCondition(key, part, context)
    throw new QueryError(
      `There is no operator ${quote(key)} on '${idName}', which is compared as a whole, with ${idOperatorNames}`,
    )
  })
  return conditions.length === 1 ? conditions[0]! : { type: 'and', conditions }
}

function parseWords(value: Syntax, { collection, search, slots }: WhereContext): Condition {
  if (search === null)
    throw new QueryError(
      `'${collection}' cannot be searched: declare the fields to search, such as { search: ['title'] }, in the options of its schema`,
    )
  if (value.type !== 'operand') throw new QueryError('$search takes a text, the words to find')
  return { type: 'search', collection, search, words: slots.add('words', value.leaf, parseSearch) }
}

function parseField(name: string, value: Syntax, outer: Position, context: WhereContext): Condition {
  const { names, place } = outer
  const child = isFieldName(name) ? context.fields.child(place, name) : null
  if (child === null) throw unknownField(name, outer, context)
  const position = { ...outer, names: [...names, name], place: child, isRow: false }
  if (value.type !== 'object') return parseOperator('eq', value, position, context)
  const path = labelOf(position)
  if (value.entries.length === 0)
    throw new QueryError(`There is no condition on ${path}: give one, such as { eq: … }, or leave it out`)
  return parseObject(value, position, path, context)
}

function unknownField(name: string, position: Position, { fields, collection }: WhereContext): QueryError {
  const { place, isRow } = position
  if (!isRow) {
    const hint = conditionHint(name, place, fields)
    return new QueryError(`There is no field or operator ${quote(name)} in ${labelOf(position)}${hint}`)
  }
  const logic = logicNames.find((one) => one.toLowerCase() === name.toLowerCase())
  const hint =
    name === 'id'
      ? `: the id of a row is ${idName}`
      : logic === undefined
        ? fieldHint(name, place, fields)
        : `: write ${logic}`
  return new QueryError(`There is no field ${quote(name)} in the values of '${collection}'${hint}`)
}

/** `written`: the operator that the query has, for messages. */
function parseOperator(
  operator: string,
  operand: Syntax,
  position: Position,
  context: WhereContext,
  written = operator,
): Condition {
  const semantics = semanticsOf(operator)!
  if ('negates' in semantics) {
    return {
      type: 'not',
      condition: parseOperator(semantics.negates, operand, position, context, written),
    }
  }
  if (semantics.takes === 'elements') return elements(written, semantics, operand, position, context)
  const label = labelOf(position)
  if (operand.type !== 'operand')
    throw new QueryError(
      `${written} on ${label} takes an operand: got ${operand.type === 'list' ? 'an array of objects' : 'an object'}`,
    )
  const field = fieldAt(position.names, position.place)
  const element = fieldAt([], context.fields.elements(position.place))
  return fieldCondition({ operator: written, semantics, operand, field, label, element }, context.slots)
}

function elements(
  operator: string,
  { quantifier }: Extract<Semantics, { takes: 'elements' }>,
  operand: Syntax,
  position: Position,
  context: WhereContext,
): Condition {
  const field = fieldAt(position.names, position.place)
  const label = labelOf(position)
  if (!field.types.structure)
    throw new QueryError(`${operator} is about the elements of an array, but ${label} is not an array`)
  const within = `an element of ${label}`
  const element = { names: [], place: context.fields.elements(position.place), isRow: false, within }
  if (operand.type !== 'object') {
    const condition = parseOperator('eq', operand, element, context)
    return { type: 'elements', quantifier, field, condition }
  }
  const condition = parseObject(operand, element, `${operator} on ${label}`, context)
  if (!isEmpty(condition)) return { type: 'elements', quantifier, field, condition }
  if (quantifier === 'every')
    throw new QueryError(`${operator} on ${label} has no condition, so every array meets it`)
  return { type: 'elements', quantifier, field, condition: null }
}
