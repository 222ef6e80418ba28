import type { Pattern } from '../key/pattern.types.ts'
import type { SearchDefinition } from '../schema/search-definition.ts'

/** An index over fields of the values of one collection. */
export interface IndexDeclaration {
  readonly fields: readonly string[]
  readonly unique: boolean
  /** Those of its fields that are bigints, and that it is to hold in their order. */
  readonly bigints?: readonly string[]
}

/** A collection as a program declares it. */
export interface Collection {
  readonly name: string
  readonly pattern: Pattern
  /** The schema's output as JSON Schema, where the schema can tell it. */
  readonly schema: object | null
  readonly indexes: readonly IndexDeclaration[]
  /** Fields that hold the id of a row of another collection, and that one's name. */
  readonly references: { readonly [field: string]: string }
  /** The searches over its texts: a program declares one at most. Left out if there are none. */
  readonly search?: readonly SearchDefinition[]
}

/** An index that the database knows. */
export interface KnownIndex extends IndexDeclaration {
  /** Whether it is there: one that was declared may be missing, as where other programs have dropped it. */
  readonly built: boolean
  /** Whether it holds bigints in their order. */
  readonly ordersBigints: boolean
}

/** A search that the database knows. */
export interface KnownSearch extends SearchDefinition {
  /** Whether its index is there. */
  readonly built: boolean
}

/** A collection as the database keeps it: all that the programs which have opened it have declared. */
export interface KnownCollection extends Collection {
  readonly indexes: readonly KnownIndex[]
  readonly search?: readonly KnownSearch[]
  /** The version of the commit with which a migration last brought it to its schema; 0: none has. */
  readonly migrated: number
}

/** A schema that a collection has had by migrations, or that a program had declared for it when one came. */
export interface PastSchema {
  /** The name of the collection. */
  readonly name: string
  /** Its pattern, as `patternText` writes it. */
  readonly pattern: string
  readonly schema: object | null
  /** The tag of the migration since which its values no longer fit; `null` if they do. */
  readonly replacedBy: string | null
}

/** What a database knows by itself, and the version of the commit that last changed it. */
export interface Catalog {
  readonly version: number
  readonly collections: readonly KnownCollection[]
  /** No two are of one collection and take the same values. */
  readonly past: readonly PastSchema[]
}

export function sameIndex(a: IndexDeclaration, b: IndexDeclaration): boolean {
  return a.unique === b.unique && sameFields(a.fields, b.fields)
}

export function sameFields(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((field, at) => field === b[at])
}
