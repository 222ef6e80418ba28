import type { Field } from './fields.ts'

/** The place of an operand: queries that differ in their operands only have one plan. */
export type Slot = number

/** What an operand is bound as. A Date is its ISO string and a bigint its digits, as they are stored. */
export type Operand = string | number | null | Uint8Array | readonly (string | number | boolean)[]

/** How values compare: `string` includes dates and bigints, as they are stored. */
export type Comparable = 'number' | 'string'

/** The condition of a `where`, checked. It is true, false or unknown of a row, as in SQL: rows where it is true are found. */
export type Condition =
  | { readonly type: 'and' | 'or'; readonly conditions: readonly Condition[] }
  | { readonly type: 'not'; readonly condition: Condition }
  | {
      readonly type: 'compare'
      readonly field: Field
      readonly operator: 'eq' | 'gt' | 'gte' | 'lt' | 'lte'
      readonly kind: Comparable
      readonly operand: Slot
    }
  /** Equals `true` or `false`. */
  | { readonly type: 'boolean'; readonly field: Field; readonly value: boolean }
  /** Equals one of the operand's items. */
  | { readonly type: 'in'; readonly field: Field; readonly kind: Comparable; readonly items: Slot }
  /** `%` stands for any text, `_` for one character. */
  | {
      readonly type: 'like'
      readonly field: Field
      readonly caseSensitive: boolean
      readonly pattern: Slot
    }
  /** Is null, or not there. */
  | { readonly type: 'null'; readonly field: Field }
  /** Is an array in which each of the operand's items occurs. */
  | { readonly type: 'contains'; readonly field: Field; readonly items: Slot }
  | { readonly type: 'constant'; readonly value: boolean }

/** The conditions that must all be true for this one to be. */
export function conjuncts(condition: Condition | null): readonly Condition[] {
  if (condition === null) return []
  return condition.type === 'and' ? condition.conditions.flatMap(conjuncts) : [condition]
}
