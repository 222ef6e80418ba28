import type { Field } from '../schema/fields.ts'
import type { SearchDefinition } from '../schema/search-definition.ts'
import type { Slot } from './operand.ts'

export type Comparison = 'eq' | 'gt' | 'gte' | 'lt' | 'lte'

/**
 * A checked condition of a `where`. For a row it is true, false or unknown, as in SQL; a query finds the rows for which it is true.
 */
export type Condition =
  | { readonly type: 'and' | 'or'; readonly conditions: readonly Condition[] }
  | { readonly type: 'not'; readonly condition: Condition }
  | { readonly type: 'constant'; readonly value: boolean }
  /** Texts here are also dates, in their stored form. */
  | {
      readonly type: 'compare'
      readonly field: Field
      readonly operator: Comparison
      readonly operand: Slot<'number'> | Slot<'text'> | Slot<'bigint'>
    }
  /** Equals `true` or `false`. */
  | { readonly type: 'boolean'; readonly field: Field; readonly value: boolean }
  /** Equals 0, also -0, which files of earlier releases contain as a text. */
  | { readonly type: 'zero'; readonly field: Field }
  /** Equals one of the items of the operand. */
  | {
      readonly type: 'in'
      readonly field: Field
      readonly items: Slot<'numbers'> | Slot<'texts'> | Slot<'bigints'>
    }
  /** Matches a pattern: `%` stands for any text, `_` for one character. */
  | { readonly type: 'like'; readonly field: Field; readonly folded: boolean; readonly pattern: Slot<'text'> }
  /** Contains this text, or ends with it. `folded`: A to Z and a to z are the same letters; the operand is in lower case. */
  | {
      readonly type: 'substring'
      readonly field: Field
      readonly at: 'anywhere' | 'end'
      readonly folded: boolean
      readonly text: Slot<'text'>
    }
  /** Begins with this text: lies between it and the first text after all that begin with it. */
  | {
      readonly type: 'prefix'
      readonly field: Field
      readonly folded: boolean
      readonly text: Slot<'text'>
      readonly end: Slot<'end'>
    }
  /** Is null or missing. */
  | { readonly type: 'null'; readonly field: Field }
  /** Is an array that contains each item of the operand; `element`: the types of its elements. */
  | {
      readonly type: 'includes'
      readonly field: Field
      readonly element: Field
      readonly items: Slot<'items'> | Slot<'bigints'>
    }
  /**
   * Is an array with some elements that meet a condition, or only such elements; the fields of the condition are those of an
   * element.
   */
  | {
      readonly type: 'elements'
      readonly quantifier: 'some' | 'every'
      readonly field: Field
      readonly condition: Condition | null
    }
  /** Compares the row's key, in the order of keys. */
  | { readonly type: 'key'; readonly operator: Comparison; readonly key: Slot<'key'> }
  | { readonly type: 'keyIn'; readonly keys: Slot<'keys'> }
  | SearchCondition

/** The texts of the row contain these words, according to the index of a search. */
export interface SearchCondition {
  readonly type: 'search'
  readonly collection: string
  readonly search: SearchDefinition
  readonly words: Slot<'words'>
}

/** A search anywhere in a condition; null if there is none. */
export function searchIn(condition: Condition | null): SearchCondition | null {
  if (condition === null) return null
  switch (condition.type) {
    case 'and':
    case 'or':
      return condition.conditions.map(searchIn).find((one) => one !== null) ?? null
    case 'not':
      return searchIn(condition.condition)
    case 'search':
      return condition
    case 'constant':
    case 'null':
    case 'compare':
    case 'boolean':
    case 'zero':
    case 'in':
    case 'like':
    case 'substring':
    case 'prefix':
    case 'includes':
    case 'elements':
    case 'key':
    case 'keyIn':
      return null
  }
}

/** The conditions that must all be true for this one to be true. */
export function conjuncts(condition: Condition | null): readonly Condition[] {
  if (condition === null) return []
  return condition.type === 'and' ? condition.conditions.flatMap(conjuncts) : [condition]
}
