import type { FieldTypes } from '../schema/fields.ts'

/** What an operator takes, and what it asks. */
export type Semantics = (
  | { readonly takes: 'scalar' }
  | { readonly takes: 'ordered'; readonly comparison: 'gt' | 'gte' | 'lt' | 'lte' }
  | { readonly takes: 'list' }
  | { readonly takes: 'pattern'; readonly folded: boolean }
  | { readonly takes: 'text'; readonly at: 'start' | 'anywhere' | 'end'; readonly folded: boolean }
  | { readonly takes: 'true' }
  | { readonly takes: 'items' }
  | { readonly takes: 'elements'; readonly quantifier: 'some' | 'every' }
) & {
  /** In words, for docs/queries.md. */
  readonly meaning: string
}

/** An operator that is true if another one is false, and unknown if that one is unknown. */
export interface Negation {
  readonly negates: Operator
  readonly meaning: string
}

const folding = 'but A to Z and a to z are the same letters'

/**
 * All operators of a query and their meaning, in one place. The parser, the types, the tests that compare SQL with JavaScript, and
 * the table in docs/queries.md are derived from it.
 */
export const operators = {
  eq: { takes: 'scalar', meaning: 'equal; the value alone means the same' },
  ne: { negates: 'eq', meaning: 'not equal' },
  gt: {
    takes: 'ordered',
    comparison: 'gt',
    meaning: 'greater: numbers, bigints, dates, and texts by their UTF-8 bytes',
  },
  gte: { takes: 'ordered', comparison: 'gte', meaning: 'greater or equal' },
  lt: { takes: 'ordered', comparison: 'lt', meaning: 'less' },
  lte: { takes: 'ordered', comparison: 'lte', meaning: 'less or equal' },
  in: { takes: 'list', meaning: 'equal to one of these; an empty array is never true' },
  notIn: { negates: 'in', meaning: 'equal to none of these' },
  like: {
    takes: 'pattern',
    folded: false,
    meaning: '`%` stands for any text, `_` for one character, and the character after `\\` stands for itself',
  },
  notLike: { negates: 'like', meaning: 'not `like`' },
  ilike: { takes: 'pattern', folded: true, meaning: `like \`like\`, ${folding}` },
  notIlike: { negates: 'ilike', meaning: 'not `ilike`' },
  contains: { takes: 'text', at: 'anywhere', folded: false, meaning: 'contains this text' },
  startsWith: { takes: 'text', at: 'start', folded: false, meaning: 'begins with this text' },
  endsWith: { takes: 'text', at: 'end', folded: false, meaning: 'ends with this text' },
  icontains: { takes: 'text', at: 'anywhere', folded: true, meaning: `like \`contains\`, ${folding}` },
  istartsWith: { takes: 'text', at: 'start', folded: true, meaning: `like \`startsWith\`, ${folding}` },
  iendsWith: { takes: 'text', at: 'end', folded: true, meaning: `like \`endsWith\`, ${folding}` },
  isNull: { takes: 'true', meaning: 'null or missing' },
  isNotNull: { negates: 'isNull', meaning: 'present and not null' },
  arrayContains: { takes: 'items', meaning: 'the array has this item, or each of these' },
  some: {
    takes: 'elements',
    quantifier: 'some',
    meaning: 'at least one element of the array meets the conditions; with `{}`, the array is not empty',
  },
  every: {
    takes: 'elements',
    quantifier: 'every',
    meaning: 'every element of the array meets the conditions',
  },
  none: {
    negates: 'some',
    meaning: 'no element of the array meets the conditions; with `{}`, the array is empty',
  },
} as const satisfies Readonly<
  Record<string, Semantics | { readonly negates: string; readonly meaning: string }>
>

export type Operator = keyof typeof operators

/** The operator of this name; `undefined` for any other text. */
export function semanticsOf(name: string): Semantics | Negation | undefined {
  return Object.hasOwn(operators, name) ? operators[name as Operator] : undefined
}

/** The operators that a field of these types can have. `isArray`: it may be an array. */
export function operatorsFor(types: FieldTypes, isArray: boolean): Operator[] {
  const { number, string, boolean, date, bigint } = types
  const isOrdered = number || string || date || bigint
  const serves = (semantics: Semantics | Negation): boolean => {
    if ('negates' in semantics) return serves(operators[semantics.negates])
    switch (semantics.takes) {
      case 'scalar':
      case 'list':
        return isOrdered || boolean
      case 'ordered':
        return isOrdered
      case 'pattern':
      case 'text':
        return string
      case 'items':
      case 'elements':
        return isArray
      case 'true':
        return true
    }
  }
  return (Object.keys(operators) as Operator[]).filter((name) => serves(operators[name]))
}
