/** The names that lead to a field: `['address', 'city']`. */
export type FieldPath = readonly string[]

/** A change of the stored values of a collection that needs no judgement, in the order in which they are made. */
export type ValueChange =
  /** Rows without the field are given it; `value` is JSON. */
  | { readonly type: 'add'; readonly path: FieldPath; readonly value: unknown }
  | { readonly type: 'remove'; readonly path: FieldPath }
  /** A field goes to another name in the same object. */
  | { readonly type: 'rename'; readonly path: FieldPath; readonly to: string }
  /** One value of an enumeration becomes another. */
  | { readonly type: 'replace'; readonly path: FieldPath; readonly from: string; readonly to: string }

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
