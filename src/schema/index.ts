export { defineSchema } from './definition.ts'
export type {
  AnyDefinition,
  Definition,
  DefinitionOptions,
  IndexDefinition,
  IndexOptions,
  References,
} from './definition.types.ts'
