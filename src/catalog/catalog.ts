import type { Pattern } from '../key/pattern.types.ts'
import type { SearchDefinition } from '../schema/search-definition.ts'

/** An index over fields of the values of one collection. */
export interface IndexDeclaration {
  readonly fields: readonly string[]
  readonly unique: boolean
  /** Its bigint fields that the index keeps in order. */
  readonly bigints?: readonly string[]
}

/** A collection as a program declares it. */
export interface Collection {
  readonly name: string
  readonly pattern: Pattern
  /** The schema's output as JSON Schema; null if the schema cannot say. */
  readonly schema: object | null
  readonly indexes: readonly IndexDeclaration[]
  /** Fields that hold the id of a row of another collection, with the name of that collection. */
  readonly references: { readonly [field: string]: string }
  /** The searches over its texts; a program declares at most one. Left out if there are none. */
  readonly search?: readonly SearchDefinition[]
}

/** An index in the catalogue. */
export interface KnownIndex extends IndexDeclaration {
  /** Whether it exists: a declared index may be missing, for example because another program has dropped it. */
  readonly built: boolean
  /** Whether it keeps bigints in order. */
  readonly ordersBigints: boolean
}

/** A search in the catalogue. */
export interface KnownSearch extends SearchDefinition {
  /** Whether its index exists. */
  readonly built: boolean
}

/** A collection in the catalogue: everything that the programs which have opened the database have declared. */
export interface KnownCollection extends Collection {
  readonly indexes: readonly KnownIndex[]
  readonly search?: readonly KnownSearch[]
  /** The version of the commit by which a migration last brought it to its schema; 0 if none has. */
  readonly migrated: number
}

/** A schema that a collection had when a migration came: by the migrations so far, or because a program had declared it. */
export interface PastSchema {
  /** The name of the collection. */
  readonly name: string
  /** Its pattern, as `patternText` writes it. */
  readonly pattern: string
  readonly schema: object | null
  /** The tag of the first migration since which its values no longer fit; `null` if they do. */
  readonly replacedBy: string | null
}

/** What a database knows of its collections, and the version of the commit that last changed that. */
export interface Catalog {
  readonly version: number
  readonly collections: readonly KnownCollection[]
  /** No two entries of one collection accept the same values. */
  readonly past: readonly PastSchema[]
}

export function sameIndex(a: IndexDeclaration, b: IndexDeclaration): boolean {
  return a.unique === b.unique && sameFields(a.fields, b.fields)
}

export function sameFields(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((field, at) => field === b[at])
}
