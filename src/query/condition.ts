import type { Field } from '../schema/fields.ts'
import type { SearchDefinition } from '../schema/search-definition.ts'
import type { Slot } from './operand.ts'

export type Comparison = 'eq' | 'gt' | 'gte' | 'lt' | 'lte'

/** The condition of a `where`, checked. It is true, false or unknown of a row, as in SQL: rows where it is true are found. */
export type Condition =
  | { readonly type: 'and' | 'or'; readonly conditions: readonly Condition[] }
  | { readonly type: 'not'; readonly condition: Condition }
  | { readonly type: 'constant'; readonly value: boolean }
  /** Texts are dates too, in the form in which they are stored. */
  | {
      readonly type: 'compare'
      readonly field: Field
      readonly operator: Comparison
      readonly operand: Slot<'number'> | Slot<'text'> | Slot<'bigint'>
    }
  /** Equals `true` or `false`. */
  | { readonly type: 'boolean'; readonly field: Field; readonly value: boolean }
  /** Equals 0: also where it is -0, which files of earlier releases hold as a text. */
  | { readonly type: 'zero'; readonly field: Field }
  /** Equals one of the operand's items. */
  | {
      readonly type: 'in'
      readonly field: Field
      readonly items: Slot<'numbers'> | Slot<'texts'> | Slot<'bigints'>
    }
  /** Matches a pattern in which `%` stands for any text, `_` for one character. */
  | { readonly type: 'like'; readonly field: Field; readonly folded: boolean; readonly pattern: Slot<'text'> }
  /** Has this text somewhere in it, or at its end. `folded`: the letters A to Z are those of a to z, as in the operand. */
  | {
      readonly type: 'substring'
      readonly field: Field
      readonly at: 'anywhere' | 'end'
      readonly folded: boolean
      readonly text: Slot<'text'>
    }
  /** Begins with this text: lies from it up to the first text behind all that begin with it. */
  | {
      readonly type: 'prefix'
      readonly field: Field
      readonly folded: boolean
      readonly text: Slot<'text'>
      readonly end: Slot<'end'>
    }
  /** Is null, or not there. */
  | { readonly type: 'null'; readonly field: Field }
  /** Is an array in which each of the operand's items occurs; `element`: what those of the array may be. */
  | {
      readonly type: 'includes'
      readonly field: Field
      readonly element: Field
      readonly items: Slot<'items'> | Slot<'bigints'>
    }
  /** Is an array of which some elements, or all of them, meet a condition, whose fields are those of an element. */
  | {
      readonly type: 'elements'
      readonly quantifier: 'some' | 'every'
      readonly field: Field
      readonly condition: Condition | null
    }
  /** Of the row's key, in the order of keys. */
  | { readonly type: 'key'; readonly operator: Comparison; readonly key: Slot<'key'> }
  | { readonly type: 'keyIn'; readonly keys: Slot<'keys'> }
  | SearchCondition

/** The row's texts hold these words, by the index of a search. */
export interface SearchCondition {
  readonly type: 'search'
  readonly collection: string
  readonly search: SearchDefinition
  readonly words: Slot<'words'>
}

/** A search anywhere in a condition; null: there is none. */
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

/** The conditions that must all be true for this one to be. */
export function conjuncts(condition: Condition | null): readonly Condition[] {
  if (condition === null) return []
  return condition.type === 'and' ? condition.conditions.flatMap(conjuncts) : [condition]
}
