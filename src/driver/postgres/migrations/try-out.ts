import type { Migration } from '../../migration.ts'
import type { Drift } from '../../migration-database.ts'
import { driftOf } from '../../migration-database.ts'
import { indexStatements } from './table-sql.ts'

const created = /^CREATE (?:UNIQUE )?INDEX "([^"]+)" ON "kv" /
const dropped = /^DROP INDEX (?:IF EXISTS )?"([^"]+)"/

/**
 * Implements the dialect's `tryOut`. There may be no server when migrations are generated, so this reads their statements: the
 * indexes that they leave must be the declared ones.
 */
export function tryOut(migrations: readonly Migration[]): readonly Drift[] {
  const left = new Map<string, string>()
  for (const text of migrations.flatMap(({ drizzle }) => drizzle.sql)) {
    const statement = text.trim().replace(/;$/, '')
    const [, name] = created.exec(statement) ?? []
    const [, gone] = dropped.exec(statement) ?? []
    if (name !== undefined) left.set(name, statement)
    if (gone !== undefined) left.delete(gone)
  }
  const { snapshot } = migrations.at(-1)!
  // The first migrations of a folder may come before these tables.
  if (snapshot.collections.length === 0) return []
  const wanted = indexStatements(snapshot.collections)
  return [
    ...Array.from(wanted, ([name, text]) =>
      left.has(name) ? (left.get(name) === text ? null : 'is not as declared') : 'is missing',
    ).flatMap((what, at) => (what === null ? [] : driftOf('index', [...wanted.keys()][at]!, what))),
    ...[...left.keys()]
      .filter((name) => !wanted.has(name))
      .map((name) => driftOf('index', name, 'is not declared')),
  ]
}
