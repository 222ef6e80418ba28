import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'

/** A JSON Schema as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/**
 * The output type of a schema as JSON Schema (draft 2020-12), or `null` where the schema's library cannot tell. A Date
 * is `{ type: 'string', format: 'date-time' }`, a bigint `{ type: 'integer', format: 'bigint' }`, and what JSON Schema
 * has no word for is `{}`. The same schema always gives the same text: defaults, which may be computed, are left out.
 *
 * @example
 * jsonSchemaOf(z.object({ at: z.date() }))
 * // { $schema: …, type: 'object', properties: { at: { type: 'string', format: 'date-time' } }, required: ['at'], … }
 */
export function jsonSchemaOf(schema: StandardSchemaV1): JsonSchema | null {
  const standard: StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props> = schema['~standard']
  try {
    return standard.jsonSchema?.output({ target: 'draft-2020-12', libraryOptions }) ?? null
  } catch {
    return null
  }
}

const date: JsonSchema = { type: 'string', format: 'date-time' }
const bigint: JsonSchema = { type: 'integer', format: 'bigint' }

const libraryOptions = {
  // Zod
  unrepresentable: 'any',
  override({ zodSchema, jsonSchema }: ZodOverride): void {
    const { type } = zodSchema._zod.def
    if (type === 'date') Object.assign(jsonSchema, date)
    if (type === 'bigint') Object.assign(jsonSchema, bigint)
    delete jsonSchema.default
  },
  // ArkType
  fallback: {
    date: ({ base }: ArkTypeFallback) => ({ ...base, ...date }),
    domain: ({ base, domain }: ArkTypeFallback) => (domain === 'bigint' ? { ...base, ...bigint } : base),
    default: ({ base }: ArkTypeFallback) => base,
  },
}

interface ZodOverride {
  readonly zodSchema: { readonly _zod: { readonly def: { readonly type: string } } }
  readonly jsonSchema: { default?: unknown }
}

interface ArkTypeFallback {
  readonly base: JsonSchema
  readonly domain?: string
}
