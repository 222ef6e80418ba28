import type { Catalog, Collection } from '../catalog/catalog.ts'
import { parsePatternText, patternText } from '../key/pattern-text.ts'
import type { MigratedCollection } from './migration.ts'

/** Collections after a migration, for a catalogue. */
export function asCollections(migrated: readonly MigratedCollection[]): Collection[] {
  return migrated.map(({ name, pattern, schema, indexes, references = {}, search }) => ({
    name,
    pattern: parsePatternText(pattern),
    schema,
    indexes,
    references,
    ...(search !== undefined && { search }),
  }))
}

/** How the catalogue changes when a migration registers its collections. */
export interface Registration {
  /** Collections with the name or pattern of these are removed. */
  readonly replaced: readonly Collection[]
  readonly added: readonly Collection[]
}

export function registration({ collections }: Catalog, migrated: readonly Collection[]): Registration {
  const patterns = new Set(migrated.map((it) => patternText(it.pattern)))
  const names = new Map(migrated.map((it) => [it.name, it]))
  const replaced = collections.filter((it) => {
    const named = names.get(it.name)
    return named === undefined ? patterns.has(patternText(it.pattern)) : !isSame(named, it)
  })
  const added = migrated.filter((it) => !collections.some((known) => isSame(it, known)))
  return { replaced, added }
}

/** The names of collections that a catalogue did not know, or that differed there. */
export function changedNames(before: Catalog, migrated: readonly Collection[]): string[] {
  return migrated.filter((it) => !isKnown(before, it)).map(({ name }) => name)
}

/** Whether both file the same rows under the same name. */
function isSame(a: Collection, b: Collection): boolean {
  return a.name === b.name && patternText(a.pattern) === patternText(b.pattern)
}

function isKnown({ collections }: Catalog, { name, pattern, schema }: Collection): boolean {
  const text = (it: Pick<Collection, 'pattern' | 'schema'>) =>
    JSON.stringify([patternText(it.pattern), it.schema])
  const known = collections.find((it) => it.name === name)
  return known !== undefined && text(known) === text({ pattern, schema })
}
