import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Pattern } from '../key/pattern.types.ts'
import { bigintFields } from '../schema/bigint-fields.ts'
import type { AnyDefinition, Definition, IndexDefinition } from '../schema/definition.types.ts'
import { checkName } from '../schema/definition-options.ts'
import { indexName } from '../schema/index-name.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import { knownSchema } from '../schema/known-schema.ts'
import { setOwn } from '../value/set-own.ts'
import type { KnownCollection, KnownIndex } from './catalog.ts'

/** What a database knows of a schema that you have not declared: any name, and values of any type. */
export interface KnownDefinition
  extends Definition<Pattern, StandardSchemaV1<unknown, unknown>, string, Record<never, never>> {}

/** The definitions of the collections in the catalogue, with the indexes that exist, and with references to each other. */
export function knownDefinitions(collections: readonly KnownCollection[]): KnownDefinition[] {
  const references = new Map<string, Record<string, AnyDefinition>>()
  const definitions = new Map<string, AnyDefinition>()
  const taken = new Set<string>()
  // Somebody may have built a second index under a name of their own: then no query can use it.
  const isNamed = (name: string, index: KnownIndex) => {
    const found = indexName(name, index)
    return !taken.has(found) && taken.add(found)
  }
  for (const { name, pattern, schema, indexes, search = [] } of collections) {
    checkName(name)
    const own: Record<string, AnyDefinition> = {}
    references.set(name, own)
    const searched = search.find(({ built }) => built)
    definitions.set(name, {
      pattern,
      idKinds: [],
      schema: knownSchema(schema as JsonSchema | null),
      name,
      indexes: indexes
        .filter((index) => index.built && isNamed(name, index))
        .map((index) => indexOf(index, schema)),
      references: own,
      ...(searched !== undefined && { search: searched }),
    })
  }
  for (const collection of collections) {
    for (const [field, target] of Object.entries(collection.references)) {
      const definition = definitions.get(target)
      if (definition !== undefined) setOwn(references.get(collection.name)!, field, definition)
    }
  }
  for (const own of references.values()) Object.freeze(own)
  return [...definitions.values()].map((definition) => Object.freeze(definition) as KnownDefinition)
}

function indexOf({ fields, unique, ordersBigints }: KnownIndex, schema: object | null): IndexDefinition {
  return ordersBigints
    ? { fields, unique, bigints: bigintFields(fields, schema as JsonSchema | null) }
    : { fields, unique }
}
