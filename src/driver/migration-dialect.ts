import type { ToldChanges } from '../catalog/stored-change.ts'
import type { FieldPath } from '../catalog/value-change.ts'

/** How an engine writes a migration: what is to change comes as data, and goes as its statements. */
export interface MigrationDialect {
  /** The statements that make these changes, in their order; each group under a comment that says what it does. */
  statements(groups: readonly ToldChanges[]): string[]
  /** Whether a statement can hold a word, as a text and as the name of a field. */
  isWritable(word: string): boolean
  /** A field as statements name it; null where they cannot. */
  fieldPath(path: FieldPath): string | null
}
