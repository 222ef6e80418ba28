import { compareParts } from '../key/codec.ts'
import { keyJson } from '../key/key-json.ts'
import { jsonSchemaOf } from '../schema/json-schema.ts'
import type { OpenedDatabase } from './opened-database.ts'
import { OwnTables } from './own-tables.ts'

/** What the database knows of its collections: their schemas, indexes and references. */
export async function catalogAnswer(opened: OpenedDatabase): Promise<object> {
  const definitions = await opened.definitions()
  return {
    name: opened.name,
    path: opened.shown,
    engine: (await opened.database()).engine,
    readOnly: opened.readOnly,
    repositories: definitions.map(({ name, pattern, schema, indexes, search, references }) => ({
      name,
      pattern: keyJson(pattern),
      schema: jsonSchemaOf(schema),
      indexes,
      searched: search?.fields ?? [],
      references: Object.fromEntries(
        Object.entries(references ?? {}).map(([field, target]) => [field, target.name]),
      ),
      nested: definitions
        .filter((it) => it.pattern.length > pattern.length)
        .filter((it) => pattern.every((part, at) => compareParts(part, it.pattern[at]!) === 0))
        .map((it) => it.name),
    })),
  }
}

/** How many rows each repository has, and how many keys belong to none. */
export async function countsAnswer(opened: OpenedDatabase): Promise<object> {
  const db = await opened.database()
  const counts: [string, number][] = []
  for (const [name, repository] of Object.entries(db.repositories))
    counts.push([name, await repository.count()])
  const others = await new OwnTables(db).countOthers()
  return { repositories: Object.fromEntries(counts), others }
}
