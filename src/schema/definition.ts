import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { KeyPart } from '../contract/key.types.ts'
import { checkPattern } from '../key/pattern.ts'
import type { IdKind, Pattern, PatternPart } from '../key/pattern.types.ts'
import { checkCalled, idKindOf } from '../key/typed-id.ts'
import { checkValueTypes } from '../value/value-type.ts'
import type {
  AnyDefinition,
  CheckedOptions,
  DefinitionOf,
  DefinitionOptions,
  PartsCheck,
} from './definition.types.ts'
import { checkOptions, checkSchema, indexesOf, nameFor, referencesOf } from './definition-options.ts'
import { Fields } from './fields.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { searchOf } from './search-options.ts'

/**
 * Declares the schema of the values under the keys that a pattern matches: any Standard Schema (Zod, Valibot, ArkType, …). Each
 * value goes through it before it is written, and the database stores its output.
 *
 * ```ts
 * const readers = defineSchema(['readers', '*'], z.object({ name: z.string(), email: z.email() }), {
 *   indexes: [{ on: 'email', unique: true }],
 * })
 * readers.name // => 'readers'
 * readers.indexes // => [{ fields: ['email'], unique: true }]
 * ```
 *
 * Throws a TypeError if an argument does not have the documented shape; the message says how to fix it.
 */
export function defineSchema<
  const P extends readonly PatternPart[],
  S extends StandardSchemaV1,
  const O extends DefinitionOptions,
>(pattern: P & PartsCheck<P>, schema: S, options?: O & CheckedOptions<S, O>): DefinitionOf<P, S, O>
export function defineSchema(
  pattern: readonly PatternPart[],
  schema: StandardSchemaV1,
  options: DefinitionOptions = {},
): AnyDefinition {
  const ownPattern = patternOf(pattern)
  checkSchema(schema)
  checkOptions(options)
  const { valueTypes = [] } = options
  checkValueTypes(valueTypes, 'a schema')
  let known: Fields | undefined
  const fields = () => {
    known ??= new Fields(jsonSchemaOf(schema))
    return known
  }
  const idKinds = idKindsOf(pattern)
  const name = nameFor(ownPattern, options.name)
  return Object.freeze({
    pattern: ownPattern,
    idKinds,
    schema,
    name,
    indexes: indexesOf(name, options.indexes, fields),
    references: referencesOf(options.references, fields),
    ...(options.search !== undefined && { search: searchOf(options.search, fields) }),
    ...(valueTypes.length > 0 && { valueTypes: Object.freeze([...valueTypes]) }),
  })
}

/** Whether this comes from `defineSchema`, even from another copy of this module. */
export function isDefinition(value: unknown): value is AnyDefinition {
  if (typeof value !== 'object' || value === null) return false
  const { pattern, schema, name, indexes, references } = value as Partial<AnyDefinition>
  return (
    Array.isArray(pattern) &&
    schema !== undefined &&
    typeof name === 'string' &&
    Array.isArray(indexes) &&
    typeof references === 'object'
  )
}

function patternOf(parts: readonly PatternPart[]): Pattern {
  if (Array.isArray(parts)) parts.forEach(checkCalled)
  const pattern = Array.isArray(parts) ? parts.map((part) => (idKindOf(part) === null ? part : '*')) : parts
  checkPattern(pattern as Pattern)
  return Object.freeze((pattern as Pattern).map(ownPart))
}

function idKindsOf(parts: readonly PatternPart[]): readonly (IdKind | null)[] {
  const kinds = parts.map(idKindOf)
  return Object.freeze(kinds.every((kind) => kind === null) ? [] : kinds)
}

/** Copies bytes, because the caller could change them in place. */
function ownPart(part: KeyPart): KeyPart {
  return part instanceof Uint8Array ? part.slice() : part
}
