import { sameIndex } from '../../../catalog/catalog.ts'
import type { Migration } from '../../migration.ts'
import { type BuiltIndex, declaredIndexes } from '../tables/indexes.ts'
import type { TypedIndex } from '../tables/typed-index.ts'

/** A declared index that a statement of a migration creates. */
export interface CreatedIndex extends TypedIndex {
  readonly name: string
}

const created = /^CREATE (?:UNIQUE )?INDEX "((?:[^"]|"")+)" ON "kv" /

/** The declared index that a statement creates; `null` if it creates none. */
export function indexOf(statement: string, { snapshot }: Migration): CreatedIndex | null {
  const name = created.exec(statement)?.[1]?.replaceAll('""', '"')
  const index = name === undefined ? undefined : declaredIndexes(snapshot.collections).get(name)
  return index === undefined ? null : { ...index, name: name! }
}

/** Whether an existing index is the wanted one. */
export function isServing({ index }: BuiltIndex, wanted: CreatedIndex): boolean {
  return (
    index !== null &&
    index.collection === wanted.collection &&
    sameIndex(index, wanted) &&
    index.forms.every((form, at) => form === wanted.forms[at])
  )
}
