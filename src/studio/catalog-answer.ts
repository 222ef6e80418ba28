import { basename } from 'node:path'
import { count, isNull } from 'drizzle-orm'
import { compareParts } from '../key/codec.ts'
import { keyJson } from '../key/key-json.ts'
import { jsonSchemaOf } from '../schema/json-schema.ts'
import type { OpenFile } from './open-file.ts'

/** What the database knows of its collections: their schemas, indexes and references. */
export async function catalogAnswer(file: OpenFile): Promise<object> {
  const definitions = await file.definitions()
  return {
    name: basename(file.path),
    path: file.path,
    readOnly: file.readOnly,
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
export async function countsAnswer(file: OpenFile): Promise<object> {
  const db = await file.database()
  const counts: [string, number][] = []
  for (const [name, repository] of Object.entries(db.repositories))
    counts.push([name, await repository.count()])
  const { kv } = db.tables
  const others = db.drizzle.select({ count: count() }).from(kv).where(isNull(kv.collection)).get()
  return { repositories: Object.fromEntries(counts), others: others?.count ?? 0 }
}
