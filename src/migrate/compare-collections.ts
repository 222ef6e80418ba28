import { isDeepStrictEqual } from 'node:util'
import type { MigratedCollection } from '../driver/sqlite/migrations/folder.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import { accepts } from './accepts.ts'
import { compareSchemas, type DefaultOf } from './compare-schemas.ts'
import type { DecideRename } from './renames.ts'
import type { SchemaComparison } from './value-change.ts'

/** A collection that was there before and is there now. */
export interface KeptCollection extends SchemaComparison {
  readonly last: MigratedCollection
  readonly next: MigratedCollection
}

export interface CollectionComparison {
  readonly kept: readonly KeptCollection[]
  readonly added: readonly MigratedCollection[]
  readonly removed: readonly MigratedCollection[]
  /** Nothing differs, indexes aside. */
  readonly same: boolean
}

/** Pairs the collections of two snapshots, by name, by pattern, and by the renames decided, and compares each pair. */
export async function compareCollections(
  last: readonly MigratedCollection[],
  next: readonly MigratedCollection[],
  decide: DecideRename,
  defaultsOf: (name: string) => DefaultOf,
): Promise<CollectionComparison> {
  const pairs: [MigratedCollection, MigratedCollection][] = []
  const removed = new Set(last)
  const added = new Set(next)
  const pair = (before: MigratedCollection, after: MigratedCollection | undefined) => {
    if (after === undefined) return
    pairs.push([before, after])
    removed.delete(before)
    added.delete(after)
  }
  for (const before of last)
    pair(
      before,
      next.find(({ name }) => name === before.name),
    )
  for (const before of [...removed])
    pair(
      before,
      [...added].find(({ pattern }) => pattern === before.pattern),
    )
  for (const before of [...removed]) {
    for (const after of [...added]) {
      const rename = { repository: before.name, field: undefined, value: undefined, to: after.name }
      const alike =
        before.schema !== null &&
        after.schema !== null &&
        accepts(after.schema as JsonSchema, before.schema as JsonSchema)
      if (!removed.has(before) || !(await decide(rename, alike))) continue
      pair(before, after)
    }
  }
  const kept: KeptCollection[] = []
  for (const [before, after] of pairs) {
    const comparison = await compareSchemas(
      before.schema as JsonSchema | null,
      after.schema as JsonSchema | null,
      after.name,
      decide,
      defaultsOf(after.name),
    )
    kept.push({ last: before, next: after, ...comparison })
  }
  const same =
    added.size + removed.size === 0 &&
    kept.every(
      ({ last, next }) =>
        last.name === next.name &&
        last.pattern === next.pattern &&
        isDeepStrictEqual(last.schema, plain(next.schema)),
    )
  return { kept, added: [...added], removed: [...removed], same }
}

function plain(schema: object | null): object | null {
  return schema && JSON.parse(JSON.stringify(schema))
}
