import { MigrationError } from '../contract/errors.ts'
import { takesKeysOf } from '../key/pattern.ts'
import { patternText } from '../key/pattern-text.ts'
import { accepts } from '../schema/accepts.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import { parseJson } from '../value/parse-json.ts'
import { type Catalog, type Collection, type KnownCollection, sameIndex } from './catalog.ts'
import { replacedBy } from './replacement.ts'

/** Why a process cannot continue with one of its schemas. */
export interface Difference {
  readonly error: MigrationError
  /** Whether reads are wrong too, and not only writes. */
  readonly reads: boolean
}

/**
 * What others have changed in the catalogue, since a process has read it, that no longer fits what that process declares, by the
 * names of its schemas. Harmless changes are left out: added indexes and references, added patterns that have taken no rows,
 * dropped indexes without `unique`, and schemas that accept what this process writes.
 */
export function differences(
  declared: readonly Collection[],
  before: Catalog,
  now: Catalog,
): ReadonlyMap<string, Difference> {
  const found = new Map<string, Difference>()
  const knownBefore = new Map(before.collections.map((it) => [it.name, it]))
  const known = new Map(now.collections.map((it) => [it.name, it]))
  for (const collection of declared) {
    const { name } = collection
    const there = known.get(name)
    const replacement = replacedBy(collection, now)
    const reason =
      there === undefined || patternText(there.pattern) !== patternText(collection.pattern)
        ? moved(collection, there, now)
        : replacement !== null
          ? `the migration ${replacement} has replaced it`
          : (schemaChanged(collection, knownBefore.get(name), there) ??
            rowsTaken(collection, declared, knownBefore, now))
    if (reason !== null) found.set(name, { error: error(name, reason, replacement), reads: true })
    else if (there !== undefined) {
      const lost = lostUnique(collection, there)
      if (lost !== null) found.set(name, { error: error(name, lost, null), reads: false })
    }
  }
  return found
}

function moved(
  { pattern }: Collection,
  there: KnownCollection | undefined,
  { collections }: Catalog,
): string {
  const text = patternText(pattern)
  const renamed = collections.find((it) => patternText(it.pattern) === text)
  if (renamed !== undefined) return `the database now names it '${renamed.name}'`
  return there === undefined
    ? 'a migration has taken it out of the database'
    : `the database now has it under the pattern ${patternText(there.pattern)}, but here it has ${text}`
}

/**
 * The declarations of another opener bind nobody else; what a migration did to the rows binds everyone, even a process whose schema
 * no migration has seen.
 */
function schemaChanged(
  { schema }: Collection,
  before: KnownCollection | undefined,
  { migrated, schema: now }: KnownCollection,
): string | null {
  if (migrated === (before?.migrated ?? 0) || schema === null || now === null) return null
  if (accepts(now as JsonSchema, parseJson(JSON.stringify(schema)) as JsonSchema)) return null
  return 'a migration has changed its values, and those that this process writes would no longer fit'
}

/** Opening adds a pattern without taking rows. A migration takes them, and so does an opener that asks for it. */
function rowsTaken(
  { pattern }: Collection,
  declared: readonly Collection[],
  before: ReadonlyMap<string, KnownCollection>,
  { collections }: Catalog,
): string | null {
  const taker = collections.find(
    (it) =>
      it.migrated > 0 &&
      patternText(it.pattern) !== patternOf(before.get(it.name)) &&
      !declared.some(({ name }) => name === it.name) &&
      takesKeysOf(it.pattern, pattern),
  )
  return taker === undefined
    ? null
    : `'${taker.name}' has taken the rows of the pattern ${patternText(taker.pattern)} out of it`
}

function patternOf(known: KnownCollection | undefined): string | null {
  return known === undefined ? null : patternText(known.pattern)
}

function lostUnique({ indexes }: Collection, there: KnownCollection): string | null {
  const lost = indexes.find(
    (index) => index.unique && !there.indexes.some((it) => it.built && sameIndex(it, index)),
  )
  return lost === undefined
    ? null
    : `its unique index on ${lost.fields.join(' and ')} was dropped, so nothing would keep two rows from having the same values`
}

function error(repository: string, reason: string, replacedBy: string | null): MigrationError {
  return new MigrationError(
    `The schema '${repository}' no longer fits the database that this process has open: ${reason}. Open it again with the current schemas`,
    { repository, replacedBy },
  )
}
