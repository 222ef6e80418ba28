import type { SchemaComparison } from '../catalog/value-change.ts'
import type { MigratedCollection } from '../driver/migration.ts'
import { accepts, sameConstraints } from '../schema/accepts.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import { parseJson } from '../value/parse-json.ts'
import { compareSchemas, type DefaultOf, narrowedUnsaid } from './compare-schemas.ts'
import type { RenameDecisions } from './renames.ts'

/** A collection that exists before and after. */
export interface KeptCollection extends SchemaComparison {
  readonly last: MigratedCollection
  readonly next: MigratedCollection
}

export interface CollectionComparison {
  readonly kept: readonly KeptCollection[]
  readonly added: readonly MigratedCollection[]
  readonly removed: readonly MigratedCollection[]
  /** Nothing differs. */
  readonly same: boolean
}

/** Pairs the collections of two snapshots, and compares each pair. */
export async function compareCollections(
  last: readonly MigratedCollection[],
  next: readonly MigratedCollection[],
  decisions: RenameDecisions,
  defaultsOf: (name: string) => Promise<DefaultOf>,
  isWritable: (word: string) => boolean,
): Promise<CollectionComparison> {
  const pairs = await pairCollections(last, next, decisions)
  const kept: KeptCollection[] = []
  for (const [before, after] of pairs) {
    const comparison = await compareSchemas(
      before.schema as JsonSchema | null,
      after.schema as JsonSchema | null,
      [before.name, after.name],
      decisions,
      await defaultsOf(after.name),
      isWritable,
    )
    kept.push({ last: before, next: after, ...comparison })
  }
  const stayed = new Set(pairs.values())
  const added = next.filter((collection) => !stayed.has(collection))
  const removed = last.filter((collection) => !pairs.has(collection))
  const same = sameCollections(last, next) && kept.every(({ changes }) => changes.length === 0)
  return { kept, added, removed, same }
}

/** Pairs old collections with new ones. A pattern says more than a name: rows whose pattern still exists stay where they are. */
async function pairCollections(
  last: readonly MigratedCollection[],
  next: readonly MigratedCollection[],
  decisions: RenameDecisions,
): Promise<Map<MigratedCollection, MigratedCollection>> {
  const pairs = new Map<MigratedCollection, MigratedCollection>()
  const free = new Set(next)
  const find = (isPair: (before: MigratedCollection, after: MigratedCollection) => boolean) => {
    for (const before of last) {
      for (const after of free) {
        if (pairs.has(before) || !isPair(before, after)) continue
        pairs.set(before, after)
        free.delete(after)
      }
    }
  }
  const renameOf = (before: MigratedCollection, after: MigratedCollection) => ({
    repository: [before.name] as const,
    to: after.name,
  })
  find((before, after) => before.name === after.name && before.pattern === after.pattern)
  find((before, after) => decisions.isGiven(renameOf(before, after)))
  find((before, after) => before.pattern === after.pattern)
  find((before, after) => before.name === after.name)
  for (const before of last.filter((it) => !pairs.has(it))) {
    const candidates = [...free].filter((after) => areAlike(before, after))
    const after = await decisions.chosen(candidates, (it) => renameOf(before, it))
    if (after === undefined) continue
    pairs.set(before, after)
    free.delete(after)
  }
  return pairs
}

function areAlike(before: MigratedCollection, after: MigratedCollection): boolean {
  if (before.schema === null || after.schema === null) return false
  return accepts(after.schema as JsonSchema, before.schema as JsonSchema)
}

/** Whether two snapshots declare the same, in any order or wording. */
export function sameCollections(a: readonly MigratedCollection[], b: readonly MigratedCollection[]): boolean {
  const [one, other] = [a, b].map((collections) => JSON.stringify(collections.map(withoutSchema)))
  const areSame = (last: object | null, next: object | null) =>
    sameConstraints(last, next) && narrowedUnsaid(last, next) === null
  return one === other && a.every(({ schema }, at) => areSame(schema, plain(b[at]!.schema)))
}

function withoutSchema({ name, pattern, schema, indexes, search = [] }: MigratedCollection): unknown {
  // How an index keeps bigints is the engine's: its tables show whether that differs.
  const declared = indexes.map(({ fields, unique }) => JSON.stringify({ fields, unique })).sort()
  return [name, pattern, schema === null, search, declared]
}

function plain(schema: object | null): object | null {
  return schema && (parseJson(JSON.stringify(schema)) as object)
}
