/** The subpath `valkeyrie/schema`, for schema modules. It loads no engine, so drizzle-kit and other tools can import them. */
export {
  type IndexedCollection,
  type KvCollectionsTable,
  type KvLogTable,
  type KvTable,
  type KvTables,
  kvTables,
} from './driver/sqlite/tables/table.ts'
export type { IdKind, Pattern, PatternPart, TypedId, Wildcard } from './key/pattern.types.ts'
export { id } from './key/typed-id.ts'
export { defineSchema } from './schema/definition.ts'
export type {
  AnyDefinition,
  Definition,
  DefinitionOf,
  DefinitionOptions,
  IndexDefinition,
  IndexOptions,
  References,
} from './schema/definition.types.ts'
export type { SearchDefinition, SearchOptions, SearchTokenizer } from './schema/search-definition.ts'
export { defineValueType, type ValueType } from './value/value-type.ts'
