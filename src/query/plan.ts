import type { Field } from '../schema/fields.ts'
import type { Condition, SearchCondition } from './condition.ts'
import type { HighlightedField } from './highlight.ts'
import type { Operand, Slot } from './operand.ts'

export type Direction = 'asc' | 'desc'

export interface OrderTerm {
  readonly field: Field
  readonly direction: Direction
}

/** The rows of a collection for which `where` is true, and whose key lies in the range in these slots. */
export interface Selection {
  readonly collection: string
  readonly where: Condition | null
  readonly range: { readonly start: Slot<'key'>; readonly end: Slot<'key'> } | null
}

/** Where a page continues: after the row with these values (`null`: the value is null) and this key. */
export interface AfterPlan {
  readonly values: readonly (Slot<'number'> | Slot<'text'> | Slot<'bigint'> | null)[]
  readonly key: Slot<'key'>
}

/** The search in the `where` of a plan that ranks its rows. */
export interface RankedSearch {
  readonly condition: SearchCondition
  /** Whether the rows are ordered by rank. */
  readonly orders: boolean
  readonly highlight: readonly HighlightedField[]
}

/** Ordered rows: by the terms, then by the key, so the order is total. */
export interface FindPlan extends Selection {
  readonly type: 'find'
  /** Equal for all queries of the collection that differ only in their operands. */
  readonly shape: string
  readonly order: readonly OrderTerm[]
  readonly keyDirection: Direction
  /** Of the rows with the same values in all of these fields, only the first; if empty, every row. */
  readonly distinct: readonly Field[]
  readonly after: AfterPlan | null
  readonly limit: Slot<'count'> | null
  readonly offset: Slot<'count'> | null
  /** The search that orders the rows, and the fields whose hits to show; null: neither is asked for. */
  readonly ranked: RankedSearch | null
}

/**
 * The rows of a `find` for each of many parents: `below` their keys, or `at` the keys themselves. `parents` is the slot of a list
 * of keys; limit and offset apply to each parent.
 */
export interface RelatedPlan extends Omit<FindPlan, 'type'> {
  readonly type: 'related'
  readonly relation: 'below' | 'at'
  readonly parents: Slot<'keys'>
}

export interface CountPlan extends Selection {
  readonly type: 'count'
  readonly shape: string
}

/** One figure of an aggregate. Only `count` has no field. */
export interface Measure {
  readonly name: 'count' | 'countDistinct' | 'sum' | 'avg' | 'min' | 'max'
  readonly field: Field | null
}

/** A condition on the figures of a group: like `Condition`, but over the measure with this index. */
export type HavingCondition =
  | { readonly type: 'and' | 'or'; readonly conditions: readonly HavingCondition[] }
  | { readonly type: 'not'; readonly condition: HavingCondition }
  | {
      readonly type: 'compare'
      readonly measure: Measure
      readonly operator: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'
      readonly operand: Slot<'number'> | Slot<'text'> | Slot<'bigint'>
    }

export interface AggregatePlan extends Selection {
  readonly type: 'aggregate'
  readonly shape: string
  readonly measures: readonly Measure[]
  readonly groupBy: readonly Field[]
  readonly having: HavingCondition | null
  /** The order of the groups; the fields of the groups themselves come last. */
  readonly order: readonly { readonly by: Measure | Field; readonly direction: Direction }[]
  readonly limit: Slot<'count'> | null
}

export type Plan = FindPlan | RelatedPlan | CountPlan | AggregatePlan

/** A plan, and the operands in its slots: plain data for a driver. */
export interface Planned<P extends Plan = Plan> {
  readonly plan: P
  readonly operands: readonly Operand[]
}
