import type { SearchDefinition } from '../schema/search-definition.ts'
import type { ValueChange } from './value-change.ts'

/** What a migration does to stored data, whichever engine keeps it. */
export type StoredChange =
  /** Removes expired rows, as a commit of its own. */
  | { readonly type: 'removeExpired' }
  /** Moves the rows of a collection to another one, or to none. */
  | { readonly type: 'refile'; readonly from: string; readonly to: string | null }
  /** Reports the keys of a collection as deleted, as a commit of its own, before `rekey` writes the first row of the next. */
  | { readonly type: 'tellGone'; readonly collection: string }
  /** Gives the encoded keys of a collection another beginning. */
  | {
      readonly type: 'rekey'
      readonly collection: string
      readonly from: Uint8Array
      readonly to: Uint8Array
    }
  /** Changes the values of a collection. Rows with nothing to change stay as they are. */
  | { readonly type: 'values'; readonly collection: string; readonly change: ValueChange }
  /** Ends a commit: all rows that were changed so far. */
  | { readonly type: 'commit' }
  /** Removes a collection from the catalogue. */
  | { readonly type: 'forget'; readonly collection: string }
  /** Adds a collection to the catalogue; `schema` is JSON Schema, or null. */
  | {
      readonly type: 'declare'
      readonly collection: string
      readonly pattern: string
      readonly schema: unknown
    }
  | { readonly type: 'redeclare'; readonly collection: string; readonly schema: unknown }
  /** Tells programs that have the database open that rows are filed differently now. */
  | { readonly type: 'renewCatalog' }
  /** Drops a search, or builds it from the existing rows. */
  | {
      readonly type: 'dropSearch' | 'buildSearch'
      readonly collection: string
      readonly search: SearchDefinition
    }

/** Changes that belong together, and a sentence that says what they do. */
export interface ToldChanges {
  readonly told: string
  readonly changes: readonly StoredChange[]
}
