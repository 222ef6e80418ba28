import { QueryError } from '../contract/errors.ts'
import type { Pattern } from '../key/pattern.types.ts'
import type { Condition } from './condition.ts'
import { anyTextId } from './id-condition.ts'
import { type Operand, operandAt } from './operand.ts'
import type { Planned, Selection } from './plan.ts'

/**
 * Throws a QueryError for a `where` without a condition, or one that is true whatever a row contains, because a forgotten filter
 * leaves such a `where`: `{ AND: [] }`, `{ n: { notIn: [] } }`, `{ OR: [{ a: 1 }, {}] }`, `{ NOT: { $search: '' } }`, or
 * `{ s: { contains: '' } }`, which is true for every text.
 */
export function checkNarrows(
  { plan: { where }, operands }: Pick<Planned, 'operands'> & { readonly plan: Selection },
  pattern: Pattern,
  call: string,
): void {
  if (where !== null && hasCondition(where) && truth(where, { operands, pattern }) !== true) return
  throw new QueryError(
    `The where of ${call} has no condition, so it would touch every row: if you mean all rows, say where: {}`,
  )
}

/** Whether any part of it is about a field. */
function hasCondition(condition: Condition): boolean {
  if (condition.type === 'and' || condition.type === 'or') return condition.conditions.some(hasCondition)
  return condition.type === 'not' ? hasCondition(condition.condition) : true
}

interface Known {
  readonly operands: readonly Operand[]
  readonly pattern: Pattern
}

/** What a condition is for every row; `null` if that depends on the row. */
function truth(condition: Condition, known: Known): boolean | null {
  const { operands, pattern } = known
  switch (condition.type) {
    case 'and':
    case 'or': {
      const decisive = condition.type === 'or'
      const parts = condition.conditions.map((one) => truth(one, known))
      if (parts.includes(decisive)) return decisive
      return parts.includes(null) ? null : !decisive
    }
    case 'not': {
      const inner = truth(condition.condition, known)
      return inner === null ? null : !inner
    }
    case 'constant':
      return condition.value
    case 'keyIn':
      return operandAt(operands, condition.keys).length === 0 ? false : null
    case 'includes':
      return operandAt(operands, condition.items).length === 0 ? true : null
    case 'like':
      return /^%+$/.test(operandAt(operands, condition.pattern)) ? true : null
    case 'substring':
    case 'prefix':
      return operandAt(operands, condition.text) === '' ? true : null
    case 'elements': {
      const inner = condition.condition === null ? null : truth(condition.condition, known)
      return inner === (condition.quantifier === 'every') ? inner : null
    }
    case 'key': {
      const anyText = anyTextId(pattern)
      const end = condition.operator === 'gte' ? anyText?.start : condition.operator === 'lt' && anyText?.end
      return end && Buffer.compare(operandAt(operands, condition.key), end) === 0 ? true : null
    }
    case 'search':
      return operandAt(operands, condition.words).all.some(({ text }) => /[\p{L}\p{N}\p{Co}]/u.test(text))
        ? null
        : false
    case 'null':
    case 'compare':
    case 'boolean':
    case 'zero':
    case 'in':
      return null
  }
}
