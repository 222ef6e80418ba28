import { QueryError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { encodePrefix, encodeStoredKey } from '../key/codec.ts'
import { keyOfId, wildcardCount } from '../key/pattern.ts'
import type { IdKind, IdOf, Pattern } from '../key/pattern.types.ts'
import { checkIdKinds } from '../key/typed-id.ts'
import type { Comparison, Condition } from './condition.ts'
import { describe } from './describe.ts'
import type { Slots } from './operand.ts'
import type { Syntax } from './syntax.ts'

const idOperators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'notIn', 'startsWith'] as const

type IdOperator = (typeof idOperators)[number]

/** For messages. */
export const idOperatorNames = idOperators.join(', ')

export function isIdOperator(name: string): name is IdOperator {
  return (idOperators as readonly string[]).includes(name)
}

/** What is known of the ids of a collection. */
export interface IdContext {
  readonly collection: string
  readonly pattern: Pattern
  /** The kind of ids at each part of the pattern; null for any. */
  readonly idKinds: readonly (IdKind | null)[]
  readonly slots: Slots
}

/**
 * A condition on the id. It becomes a condition on the key, so it follows the order of keys and needs no index. An operand is an
 * id: one part for one wildcard, a tuple for several. `written`: the operator that the query has, for messages.
 */
export function idCondition(
  operator: IdOperator,
  operand: Syntax,
  context: IdContext,
  written: IdOperator = operator,
): Condition {
  const { pattern, slots } = context
  if (wildcardCount(pattern) === 0)
    throw new QueryError('There is at most one row here, and it has no id: leave out the condition on the id')
  if (operand.type !== 'operand')
    throw new QueryError(
      `${written} on '$id' takes an id: got ${operand.type === 'list' ? 'an array of objects' : 'an object'}`,
    )
  const { leaf, value } = operand
  const of = `${written} on '$id'`
  const compare = (comparison: Comparison): Condition => ({
    type: 'key',
    operator: comparison,
    key: slots.add('key', leaf, (id) => keyOf(context, id, of)),
  })
  switch (operator) {
    case 'ne':
      return { type: 'not', condition: compare('eq') }
    case 'notIn':
      return { type: 'not', condition: idCondition('in', operand, context, operator) }
    case 'in': {
      if (!Array.isArray(value)) throw new QueryError(`${of} takes an array of ids: got ${describe(value)}`)
      const keys = (ids: unknown) => (ids as unknown[]).map((id) => keyOf(context, id, of))
      return { type: 'keyIn', keys: slots.add('keys', leaf, keys) }
    }
    case 'startsWith': {
      if (typeof value !== 'string') throw new QueryError(`${of} takes a text: got ${describe(value)}`)
      if (wildcardCount(pattern) > 1)
        throw new QueryError(`${of} works on an id of one part: for leading ids, use the prefix of the query`)
      const start = slots.add('key', leaf, (text) => textStart(context, text as string, of))
      const end = slots.add('key', leaf, (text) => textEnd(textStart(context, text as string, of)))
      const from: Condition = { type: 'key', operator: 'gte', key: start }
      return { type: 'and', conditions: [from, { type: 'key', operator: 'lt', key: end }] }
    }
    default:
      return compare(operator)
  }
}

/** Between which bytes the keys lie whose only id is a text. */
interface AnyTextId {
  readonly start: Uint8Array
  readonly end: Uint8Array
}

/** Null if the ids of the pattern have several parts, or none. */
export function anyTextId(pattern: Pattern): AnyTextId | null {
  if (wildcardCount(pattern) !== 1) return null
  const start = startOfTexts(pattern, '')
  return { start, end: textEnd(start) }
}

function keyOf({ collection, pattern, idKinds }: IdContext, id: unknown, of: string): Uint8Array {
  return asOperand(of, () => {
    const key = keyOfId(pattern, id as IdOf<Pattern>)
    checkIdKinds(idKinds, key, collection)
    return encodeStoredKey(key)
  })
}

/** The first bytes of the keys whose only id begins with this text. */
function textStart({ collection, pattern, idKinds }: IdContext, text: string, of: string): Uint8Array {
  return asOperand(of, () => {
    checkIdKinds(idKinds, partsUpTo(pattern, text), collection)
    return startOfTexts(pattern, text)
  })
}

function startOfTexts(pattern: Pattern, text: string): Uint8Array {
  // Without the NUL that ends a text.
  return encodePrefix(partsUpTo(pattern, text), Number.POSITIVE_INFINITY).subarray(0, -1)
}

/** The parts before the only wildcard, and this one in its place. */
function partsUpTo(pattern: Pattern, text: string): Key {
  return [...pattern.slice(0, pattern.indexOf('*')), text]
}

/** After all keys that begin with these bytes. A text that ends in NUL ends in 00 FF, and no other byte of a text is FF. */
function textEnd(start: Uint8Array): Uint8Array {
  const end = Buffer.from(start.at(-1) === 0xff ? start.subarray(0, -1) : start)
  end[end.length - 1]! += 1
  return end
}

function asOperand<T>(of: string, encode: () => T): T {
  try {
    return encode()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw new QueryError(`${of} takes an id: ${error.message}`)
    throw error
  }
}
