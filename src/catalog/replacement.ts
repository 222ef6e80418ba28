import { MigrationError } from '../contract/errors.ts'
import { patternText } from '../key/pattern-text.ts'
import { sameValues } from '../schema/accepts.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import type { Catalog, Collection, PastSchema } from './catalog.ts'

/** The tag of the migration that has replaced the declared schema of a collection; `null` if none has. */
export function replacedBy({ name, pattern, schema }: Collection, { past }: Catalog): string | null {
  if (past.length === 0) return null
  const declared = { name, pattern: patternText(pattern), schema }
  return past.find((it) => it.replacedBy !== null && isSameSchema(it, declared))?.replacedBy ?? null
}

/** Whether both are schemas of the same collection and accept the same values. */
export function isSameSchema(a: Omit<PastSchema, 'replacedBy'>, b: Omit<PastSchema, 'replacedBy'>): boolean {
  if (a.name !== b.name || a.pattern !== b.pattern) return false
  if (a.schema === null || b.schema === null) return a.schema === b.schema
  return sameValues(a.schema as JsonSchema, b.schema as JsonSchema)
}

/** Throws a MigrationError if a migration has replaced the schema of one of the declared collections. */
export function assertNotReplaced(declared: readonly Collection[], catalog: Catalog): void {
  for (const collection of declared) {
    const tag = replacedBy(collection, catalog)
    if (tag !== null) throw replaced(collection, tag, catalog)
  }
}

function replaced({ name, pattern }: Collection, tag: string, { collections }: Catalog): MigrationError {
  const text = patternText(pattern)
  const isKept = collections.some((it) => it.name === name && patternText(it.pattern) === text)
  const message = isKept
    ? `The migration ${tag} has replaced the schema that '${name}' has here, so this program would misread its values and write them in their old shape: deploy the release with the current schemas, or make this one current with "valkeyrie generate" and "valkeyrie migrate"`
    : `The migration ${tag} has taken '${name}' with the pattern ${text} out of the database, so no other program would see what this one writes there: deploy the release with the current schemas, or declare it under another name if it is a new one`
  return new MigrationError(message, { repository: name, replacedBy: tag })
}
