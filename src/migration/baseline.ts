import type { Collection } from '../catalog/catalog.ts'
import { MigrationError } from '../contract/errors.ts'
import type { Migration, ValueSnapshot } from '../driver/migration.ts'
import type { MigrationDatabase } from '../driver/migration-database.ts'
import { patternText } from '../key/pattern-text.ts'
import { sameConstraints } from '../schema/accepts.ts'

/**
 * The migrations to record for a database that was created without them. Unless the last one is named, it is the last one that
 * leads to the schemas in the catalogue; if the catalogue has none of theirs, the first. Throws a MigrationError if none does, or if
 * several do and a later one changes values: the schemas do not tell whether they have been changed.
 */
export async function takenOver(
  db: MigrationDatabase,
  migrations: readonly Migration[],
  baseline: string | true,
): Promise<readonly Migration[]> {
  if (baseline !== true) return upTo(migrations, baseline)
  const patterns = new Set(migrations.flatMap(({ snapshot }) => snapshot.collections.map((it) => it.pattern)))
  const known = (await db.collections()).filter(
    ({ pattern, schema }) => schema !== null && patterns.has(patternText(pattern)),
  )
  if (known.length === 0) return migrations.slice(0, 1)
  const fits = migrations.filter(({ snapshot }) => hasSchemasOf(snapshot, known))
  const last = fits.at(-1)
  const isClear = fits.slice(1).every(({ snapshot }) => snapshot.steps.length === 0)
  if (last !== undefined && isClear) return migrations.slice(0, migrations.indexOf(last) + 1)
  const names = known.map(({ name }) => `'${name}'`).join(', ')
  const how = last === undefined ? 'No migration leads' : 'Several migrations lead'
  throw new MigrationError(
    `${how} to the schemas that the database has of ${names}: name the last one whose values it holds, as --baseline <tag>, or baseline: '<tag>' in a program, one of ${tagsOf(last === undefined ? migrations : fits)}`,
  )
}

/** Whether a snapshot has all of these schemas. */
function hasSchemasOf({ collections }: ValueSnapshot, known: readonly Collection[]): boolean {
  return known.every(({ name, pattern, schema }) => {
    const there = collections.find((it) => it.name === name && it.pattern === patternText(pattern))
    return there !== undefined && sameConstraints(there.schema, schema)
  })
}

/** The migrations up to the one with this tag. Throws a MigrationError if there is none. */
export function upTo(migrations: readonly Migration[], tag: string): readonly Migration[] {
  const last = migrations.findIndex((it) => it.tag === tag)
  if (last >= 0) return migrations.slice(0, last + 1)
  throw new MigrationError(
    `The baseline ${tag} is not a migration: there are ${tagsOf(migrations)}. On the command line, name the database before --baseline`,
  )
}

function tagsOf(migrations: readonly Migration[]): string {
  return migrations.map(({ tag }) => tag).join(', ')
}
