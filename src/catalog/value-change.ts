import type { Move } from './move-order.ts'

/** The names that lead to a field: `['address', 'city']`. */
export type FieldPath = readonly string[]

/**
 * A change of the stored values of a collection that needs no judgement, in the order in which they are made. `path` has the present
 * names, `was` those before the migration.
 */
export type ValueChange =
  /** Rows without the field are given it; `value` is JSON. */
  | { readonly type: 'add'; readonly path: FieldPath; readonly value: unknown }
  | { readonly type: 'remove'; readonly path: FieldPath; readonly was: FieldPath }
  /** Fields of the object at `path` have other names; `spare` is none of its names. */
  | {
      readonly type: 'rename'
      readonly path: FieldPath
      readonly was: FieldPath
      readonly moves: readonly Move[]
      readonly spare: string
    }
  /** One value of an enumeration becomes another. */
  | {
      readonly type: 'replace'
      readonly path: FieldPath
      readonly was: FieldPath
      readonly from: string
      readonly to: string
    }

/** What two schemas of a collection differ in. */
export interface SchemaComparison {
  readonly changes: readonly ValueChange[]
  /** Why SQL cannot make the new values, as sentences; empty where it can. */
  readonly reasons: readonly string[]
}

/** `address.city` */
export function pathText(path: FieldPath): string {
  return path.join('.')
}

/** The names and values of a change that have to be written in SQL, within a JSON path or as a text. */
export function wordsOf(change: ValueChange): readonly string[] {
  switch (change.type) {
    case 'add':
    case 'remove':
      return change.path
    case 'rename':
      return [...change.path, ...change.moves.flat()]
    case 'replace':
      return [...change.path, change.from, change.to]
  }
}
