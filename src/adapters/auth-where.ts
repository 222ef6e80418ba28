import type { CleanedWhere } from 'better-auth/adapters'

type Condition = Readonly<Record<string, unknown>>

/** Matches no row: the result of ordering against null. */
const never = { in: [] }

/** Translates a `where` of better-auth: all of the AND conditions, and at least one of the OR conditions. */
export function toWhere(clauses: readonly CleanedWhere[] = []): Condition {
  const all = clauses.filter(({ connector }) => connector !== 'OR').map(toCondition)
  const some = clauses.filter(({ connector }) => connector === 'OR').map(toCondition)
  const conditions = some.length === 0 ? all : [...all, { OR: some }]
  if (conditions.length === 0) return {}
  return conditions.length === 1 ? conditions[0]! : { AND: conditions }
}

function toCondition({ field, operator, value, mode }: CleanedWhere): Condition {
  const conditions = mode === 'insensitive' ? insensitive(operator, value) : sensitive(operator, value)
  // The id is part of the row's key, which finds the row directly.
  const isOfKey = field === 'id' && ('eq' in conditions || 'in' in conditions)
  return { [isOfKey ? '$id' : field]: conditions }
}

function sensitive(operator: CleanedWhere['operator'], value: CleanedWhere['value']): Condition {
  if (value === null) {
    if (operator === 'eq') return { isNull: true }
    return operator === 'ne' ? { isNotNull: true } : never
  }
  switch (operator) {
    case 'eq':
    case 'ne':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'in':
    case 'contains':
      return { [operator]: value }
    case 'not_in':
      return { notIn: value }
    case 'starts_with':
      return { startsWith: value }
    default:
      return { endsWith: value }
  }
}

function insensitive(operator: CleanedWhere['operator'], value: CleanedWhere['value']): Condition {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) {
    if (operator === 'in')
      return value.length === 0 ? never : { OR: value.map((one) => ({ ilike: literal(one) })) }
    if (operator === 'not_in')
      return { isNotNull: true, AND: value.map((one) => ({ notIlike: literal(one) })) }
  }
  if (typeof value !== 'string') return sensitive(operator, value)
  switch (operator) {
    case 'eq':
      return { ilike: literal(value) }
    case 'ne':
      return { notIlike: literal(value) }
    case 'contains':
      return { icontains: value }
    case 'starts_with':
      return { istartsWith: value }
    case 'ends_with':
      return { iendsWith: value }
    default:
      return sensitive(operator, value)
  }
}

/** Escapes a text for `ilike`, so that each character stands for itself. */
function literal(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
