import type { Catalog, PastSchema } from '../catalog/catalog.ts'
import { isSameSchema } from '../catalog/replacement.ts'
import { patternText } from '../key/pattern-text.ts'
import { accepts } from '../schema/accepts.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import type { MigratedCollection, Migration } from './migration.ts'

/**
 * The past schemas of a database after one of these migrations. `before` is its catalogue when that migration began. The schemas
 * that programs had declared by then count too, if a migration knows their collection: their values were made for them.
 */
export function pastSchemas(
  migrations: readonly Migration[],
  migration: Migration,
  { past, collections }: Catalog,
): readonly PastSchema[] {
  const earlier = migrations.filter(({ drizzle }) => drizzle.folderMillis < migration.drizzle.folderMillis)
  const migrated = [...earlier, migration].flatMap(({ snapshot }) => snapshot.collections)
  const declared = collections
    .map(({ name, pattern, schema }) => pastSchema({ name, pattern: patternText(pattern), schema }))
    .filter((it) => migrated.some((other) => isOfOne(it, other)))
  return after([...remembered(earlier, past), ...declared], migration)
}

/**
 * The past schemas of a database that is marked as one that has had these migrations. The declared schemas do not count: they may
 * be older or newer than the last migration.
 */
export function takenPastSchemas(migrations: readonly Migration[], { past }: Catalog): readonly PastSchema[] {
  return after(remembered(migrations.slice(0, -1), past), migrations.at(-1)!)
}

/** The past schemas after these migrations. Goes through all of them again if the database has no record of the last one. */
function remembered(migrations: readonly Migration[], past: readonly PastSchema[]): readonly PastSchema[] {
  const last = migrations.at(-1)?.snapshot.collections ?? []
  const isRemembered = past.length > 0 && last.every((it) => past.some((other) => isSameSchema(it, other)))
  return isRemembered ? past : [...migrations.reduce<readonly PastSchema[]>(after, []), ...past]
}

function after(past: readonly PastSchema[], { tag, snapshot }: Migration): readonly PastSchema[] {
  const all: PastSchema[] = []
  for (const it of [...past, ...snapshot.collections.map(pastSchema)])
    if (!all.some((other) => isSameSchema(it, other))) all.push(it)
  return all.map((it) => ({
    ...it,
    replacedBy: fits(it, snapshot.collections) ? null : (it.replacedBy ?? tag),
  }))
}

function pastSchema({ name, pattern, schema }: Omit<PastSchema, 'replacedBy'>): PastSchema {
  return { name, pattern, schema, replacedBy: null }
}

/**
 * Whether values of a past schema fit the current one. If either gives no JSON Schema, they count as fitting, because nobody can
 * tell.
 */
function fits(past: PastSchema, collections: readonly MigratedCollection[]): boolean {
  const now = collections.find((it) => isOfOne(past, it))
  if (now === undefined) return false
  if (past.schema === null || now.schema === null) return true
  return accepts(now.schema as JsonSchema, past.schema as JsonSchema)
}

function isOfOne(a: Pick<PastSchema, 'name' | 'pattern'>, b: Pick<PastSchema, 'name' | 'pattern'>): boolean {
  return a.name === b.name && a.pattern === b.pattern
}
