import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { KeptNames } from './kept-names.ts'
import { addUnsaid, addUnsaidOfArkType, type UnsaidZod } from './unsaid.ts'

/** A JSON Schema as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/**
 * The output type of a schema as JSON Schema (draft 2020-12), or `null` if its library cannot say. A Date is `{ type: 'string',
 * format: 'date-time' }`, a bigint `{ type: 'integer', format: 'bigint' }` (with `bigints` if it is one of a few), and whatever
 * JSON Schema cannot express is `{}`. The same schema always gives the same text: defaults are left out, because they may be
 * computed.
 *
 * @example
 * jsonSchemaOf(z.object({ at: z.date() }))
 * // { $schema: …, type: 'object', properties: { at: { type: 'string', format: 'date-time' } }, required: ['at'], … }
 */
export function jsonSchemaOf(schema: StandardSchemaV1): JsonSchema | null {
  return outputOf(schema, libraryOptions)
}

/**
 * Like `jsonSchemaOf`, but for the stored form, in which a Map or a Set is an array. The catalogue keeps the other one, because
 * this one would refuse the values themselves.
 */
export function storedSchemaOf(schema: StandardSchemaV1): JsonSchema | null {
  return outputOf(schema, {
    ...libraryOptions,
    override(context: ZodOverride): void {
      libraryOptions.override(context)
      const { type } = context.zodSchema._zod.def
      if (type === 'map' || type === 'set') Object.assign(context.jsonSchema, { type: 'array' })
    },
  })
}

function outputOf(schema: StandardSchemaV1, options: typeof libraryOptions): JsonSchema | null {
  const names = new KeptNames()
  const standard: StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props> = schema['~standard']
  try {
    const given = standard.jsonSchema?.output({
      target: 'draft-2020-12',
      libraryOptions: {
        ...options,
        override(context: ZodOverride): void {
          options.override(context)
          names.replace(context.jsonSchema)
        },
      },
    })
    const json = names.restored(given ?? null)
    if (standard.vendor === 'arktype') addUnsaidOfArkType((schema as { json?: unknown }).json, json)
    return json
  } catch {
    return null
  }
}

const date: JsonSchema = { type: 'string', format: 'date-time' }
const bigint: JsonSchema = { type: 'integer', format: 'bigint' }

/** The JavaScript class that the JSON stands for, if any; some keywords are the same for a Date and a text. */
export function classOf({ type, format, pattern }: JsonSchema): 'Date' | 'bigint' | undefined {
  if (type === 'string' && format === 'date-time' && pattern === undefined) return 'Date'
  return type === 'integer' && format === 'bigint' ? 'bigint' : undefined
}

const libraryOptions = {
  // Zod
  unrepresentable: 'any',
  override({ zodSchema, jsonSchema }: ZodOverride): void {
    const { type } = zodSchema._zod.def
    if (type === 'date') Object.assign(jsonSchema, date)
    if (type === 'bigint') Object.assign(jsonSchema, bigint)
    if (type === 'literal') writeBigints(zodSchema._zod.def.values ?? [], jsonSchema)
    addUnsaid(zodSchema, jsonSchema)
    delete jsonSchema['default']
  },
  // ArkType
  fallback: {
    date: ({ base }: ArkTypeFallback) => ({ ...base, ...date }),
    domain: ({ base, domain }: ArkTypeFallback) => (domain === 'bigint' ? { ...base, ...bigint } : base),
    unit: ({ base, unit }: ArkTypeFallback) => (typeof unit === 'bigint' ? bigintsOf([unit]) : base),
    default: ({ base }: ArkTypeFallback) => base,
  },
}

/** JSON Schema has no bigint constants, so a keyword of our own lists them. */
function bigintsOf(values: readonly bigint[]): JsonSchema {
  return { ...bigint, bigints: values.map(String) }
}

/** Zod writes bigint literals as numbers. */
function writeBigints(values: readonly unknown[], jsonSchema: Record<string, unknown>): void {
  const bigints = values.filter((value) => typeof value === 'bigint')
  if (bigints.length === 0) return
  const others = values.filter((value) => typeof value !== 'bigint' && value !== undefined)
  for (const keyword of ['type', 'const', 'enum']) delete jsonSchema[keyword]
  const schema = bigintsOf(bigints)
  Object.assign(jsonSchema, others.length === 0 ? schema : { anyOf: [schema, { enum: others }] })
}

interface ZodOverride {
  readonly zodSchema: UnsaidZod
  readonly jsonSchema: Record<string, unknown>
}

interface ArkTypeFallback {
  readonly base: JsonSchema
  readonly domain?: string
  readonly unit?: unknown
}
