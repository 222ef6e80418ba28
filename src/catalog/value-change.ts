import type { Move } from './move-order.ts'

/** The names that lead to a field: `['address', 'city']`. */
export type FieldPath = readonly string[]

/**
 * A change of the stored values of a collection that needs no decision, in the order in which changes are made. `path` uses the
 * present names, `was` those before the migration.
 */
export type ValueChange =
  /** Gives the field to rows without it; `value` is JSON. */
  | { readonly type: 'add'; readonly path: FieldPath; readonly value: unknown }
  | { readonly type: 'remove'; readonly path: FieldPath; readonly was: FieldPath }
  /** Renames fields of the object at `path`; `spare` is a name that it does not have. */
  | {
      readonly type: 'rename'
      readonly path: FieldPath
      readonly was: FieldPath
      readonly moves: readonly Move[]
      readonly spare: string
    }
  /** Replaces a value of an enumeration. */
  | {
      readonly type: 'replace'
      readonly path: FieldPath
      readonly was: FieldPath
      readonly from: string
      readonly to: string
    }

/** How two schemas of a collection differ. */
export interface SchemaComparison {
  readonly changes: readonly ValueChange[]
  /** Why SQL cannot compute the new values, as sentences; empty if it can. */
  readonly reasons: readonly string[]
}

/** `address.city` */
export function pathText(path: FieldPath): string {
  return path.join('.')
}

/** The names and values of a change that must be written in SQL, in a JSON path or as a text. */
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
