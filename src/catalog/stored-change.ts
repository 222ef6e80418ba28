import type { SearchDefinition } from '../schema/search-definition.ts'
import type { ValueChange } from './value-change.ts'

/** What a migration does to what is stored, whichever engine stores it. */
export type StoredChange =
  /** Rows that have expired go, as a commit of their own. */
  | { readonly type: 'removeExpired' }
  /** The rows of a collection are those of another one, or of none. */
  | { readonly type: 'refile'; readonly from: string; readonly to: string | null }
  /** The encoded keys of a collection have another beginning. The old ones are told as deleted. */
  | {
      readonly type: 'rekey'
      readonly collection: string
      readonly from: Uint8Array
      readonly to: Uint8Array
    }
  /** The values of a collection. Rows that have nothing to change stay as they are. */
  | { readonly type: 'values'; readonly collection: string; readonly change: ValueChange }
  /** All rows that were changed so far are one commit. */
  | { readonly type: 'commit' }
  /** A collection leaves the catalogue. */
  | { readonly type: 'forget'; readonly collection: string }
  /** A collection comes into the catalogue; `schema` as JSON Schema, or null. */
  | {
      readonly type: 'declare'
      readonly collection: string
      readonly pattern: string
      readonly schema: unknown
    }
  | { readonly type: 'redeclare'; readonly collection: string; readonly schema: unknown }
  /** Programs that have the database open learn that rows are filed otherwise now. */
  | { readonly type: 'renewCatalog' }
  /** A search goes, or is built of the rows that exist then. */
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
