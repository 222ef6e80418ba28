import type { StandardSchemaV1 } from '@standard-schema/spec'

/** The same in every copy of the package: a project's own may declare what that of the command reads. */
const original = Symbol.for('valkeyrie.original')

/** Notes which schema another one stands in for: it describes the same values, but accepts any, because they are outputs already. */
export function standIn<S extends object>(schema: S, of: StandardSchemaV1): S {
  Object.defineProperty(schema, original, { value: of })
  return schema
}

/** The schema that this one stands in for, if any. */
export function originalOf(schema: object): StandardSchemaV1 | undefined {
  return (schema as { readonly [original]?: StandardSchemaV1 })[original]
}
