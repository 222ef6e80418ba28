import { parsePatternText, patternText } from '../key/pattern-text.ts'
import { isStamp } from '../key/versionstamp.ts'
import { parseJson } from '../value/parse-json.ts'
import {
  type Catalog,
  type Collection,
  type IndexDeclaration,
  type KnownCollection,
  type KnownIndex,
  type PastSchema,
  sameIndex,
} from './catalog.ts'

/** A collection as a row of `kv_collections`, by its columns. Older releases have fewer of them. */
export interface StoredCollection {
  readonly name: string
  readonly pattern: string
  readonly schema: string | null
  readonly indexes: string
  readonly references: string
}

/** An index that exists, whoever has created it. */
export interface BuiltDeclaration extends Pick<KnownIndex, 'fields' | 'unique' | 'ordersBigints'> {
  readonly collection: string
}

/** A row of the catalogue is damaged, or another program has written it. */
export class DamagedCollection extends Error {
  readonly collection: string
  /** What to do without a backup. */
  readonly mend: string

  /** `reason`: what is wrong with it, for example "its pattern cannot be read". */
  constructor(
    collection: string,
    reason: string,
    cause?: unknown,
    mend = 'delete this row of kv_collections and open the database with that schema',
  ) {
    super(reason, { cause })
    this.collection = collection
    this.mend = mend
  }
}

/** The columns to store for a collection. The caller gives it a version, and tells others. */
export function storedCollection({
  name,
  pattern,
  schema,
  indexes,
  references,
}: Collection): StoredCollection {
  return {
    name,
    pattern: patternText(pattern),
    schema: schema && JSON.stringify(schema),
    indexes: JSON.stringify(indexes.map(({ fields, unique }) => ({ fields, unique }))),
    references: JSON.stringify(references),
  }
}

/** A past schema as a row of `kv_past_schemas`, by its columns. */
export type StoredPastSchema = readonly [
  name: string,
  pattern: string,
  schema: string | null,
  replacedBy: string | null,
]

export function storedPastSchema({ name, pattern, schema, replacedBy }: PastSchema): StoredPastSchema {
  return [name, pattern, schema && JSON.stringify(schema), replacedBy]
}

/**
 * What a database knows, from the rows of `kv_collections`, the indexes that exist, and the rows of `kv_past_schemas`. Read the
 * last after the others, so that they show a migration that comes in between. Throws a DamagedCollection.
 */
export function catalogOf(
  rows: readonly Readonly<Record<string, unknown>>[],
  built: readonly BuiltDeclaration[],
  past: readonly (readonly unknown[])[],
): Catalog {
  const collections = rows.map((row) =>
    readCollection(
      row,
      built.filter(({ collection }) => collection === row['name']),
    ),
  )
  const patterns = new Map(collections.map((it) => [patternText(it.pattern), it.name]))
  for (const { name, pattern } of collections) {
    const other = patterns.get(patternText(pattern))
    if (other !== name) throw new DamagedCollection(name, `its pattern is that of ${other}`)
  }
  return {
    version: rows.reduce((newest, row) => Math.max(newest, Number(row['version'])), 0),
    collections,
    past: past.map(pastSchema),
  }
}

function pastSchema([name, pattern, schema, replacedBy]: readonly unknown[]): PastSchema {
  try {
    return {
      name: text(name),
      pattern: text(pattern),
      schema: schema === null ? null : object(parseJson(text(schema))),
      replacedBy: replacedBy === null ? null : text(replacedBy),
    }
  } catch (cause) {
    const mend = 'delete this row of kv_past_schemas'
    throw new DamagedCollection(String(name), 'what it was before cannot be read', cause, mend)
  }
}

function readCollection(
  row: Readonly<Record<string, unknown>>,
  built: readonly BuiltDeclaration[],
): KnownCollection {
  const { name, pattern, schema, version, indexes = null, references = null, migrated = null } = row
  if (typeof name !== 'string') throw new DamagedCollection(String(name), 'its name is not text')
  const read = <T>(column: string, parse: () => T): T => {
    try {
      return parse()
    } catch (cause) {
      throw new DamagedCollection(name, `its ${column} cannot be read`, cause)
    }
  }
  if (!isStamp(version)) throw new DamagedCollection(name, 'its version is not a version')
  if (migrated !== null && !Number.isSafeInteger(migrated))
    throw new DamagedCollection(name, 'its last migration is not a number')
  return {
    name,
    pattern: read('pattern', () => parsePatternText(text(pattern))),
    schema: read('schema', () => (schema === null ? null : object(parseJson(text(schema))))),
    indexes: read('indexes', () => knownIndexes(indexes === null ? [] : JSON.parse(text(indexes)), built)),
    references: read('references', () =>
      references === null ? {} : referencesOf(object(parseJson(text(references)))),
    ),
    migrated: (migrated as number | null) ?? 0,
  }
}

/** The declared indexes that are stored, and others that exist. */
function knownIndexes(kept: unknown, built: readonly BuiltDeclaration[]): KnownIndex[] {
  if (!Array.isArray(kept)) throw new TypeError('not an array of indexes')
  const declared = kept.map((index): IndexDeclaration => {
    const { fields, unique } = object(index) as { fields?: unknown; unique?: unknown }
    if (!Array.isArray(fields) || typeof unique !== 'boolean') throw new TypeError('no index')
    return { fields: fields.map(text), unique }
  })
  const others = built.filter((index) => !declared.some((it) => sameIndex(it, index)))
  return [...declared, ...others].map(({ fields, unique }) => {
    const same = built.find((index) => sameIndex(index, { fields, unique }))
    return { fields, unique, built: same !== undefined, ordersBigints: same?.ordersBigints ?? false }
  })
}

function referencesOf(kept: object): Record<string, string> {
  return Object.fromEntries(Object.entries(kept).map(([field, name]) => [field, text(name)]))
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('no text')
  return value
}

function object(value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('no object')
  return value
}
