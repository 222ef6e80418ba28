import { ValidationError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { MigratedCollection } from '../driver/migration.ts'
import { sameConstraints } from '../schema/accepts.ts'
import type { Result } from '../schema/anatomy/anatomy.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { type JsonSchema, jsonSchemaOf } from '../schema/json-schema.ts'
import { knownSchema } from '../schema/known-schema.ts'
import { trustOutput } from '../schema/validate.ts'

/** Returns the value to store, or a promise of it; throws what is wrong with it. */
export type CheckValue = (key: Key, value: unknown) => unknown

/**
 * Checks values against the schema that a migration leads to. If later migrations have changed it, only its JSON Schema in the
 * snapshot is left.
 */
export function valueCheck(
  collection: MigratedCollection,
  definitions: readonly AnyDefinition[],
): CheckValue {
  const { name, schema } = collection
  const declared = definitions.find((definition) => definition.name === name)
  if (declared !== undefined && sameConstraints(jsonSchemaOf(declared.schema), schema)) {
    return (key, value) => trustOutput(declared, key, value)
  }
  if (schema === null) return (_, value) => value
  const known = knownSchema(schema as JsonSchema)['~standard']
  return (key, value) => {
    const made = declaredOnly(schema as JsonSchema, value)
    const { issues } = known.validate(made) as Result
    if (issues !== undefined) throw new ValidationError(key, issues)
    return made
  }
}

/** A value as the schema's library would output it: without undeclared fields. */
function declaredOnly(schema: JsonSchema, value: unknown): unknown {
  const {
    properties = {},
    additionalProperties,
    items,
  } = schema as {
    readonly properties?: { readonly [name: string]: JsonSchema }
    readonly additionalProperties?: unknown
    readonly items?: JsonSchema
  }
  if (Array.isArray(value)) return items ? value.map((member) => declaredOnly(items, member)) : value
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  const entries = Object.entries(value).filter(
    ([name]) => additionalProperties !== false || Object.hasOwn(properties, name),
  )
  return Object.fromEntries(
    entries.map(([name, member]) => [name, declaredOnly(properties[name] ?? {}, member)]),
  )
}
