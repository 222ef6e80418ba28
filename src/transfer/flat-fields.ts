import type { AnyDefinition } from '../schema/definition.types.ts'
import { type Field, Fields } from '../schema/fields.ts'
import { jsonSchemaOf } from '../schema/json-schema.ts'
import { parseJson } from '../value/parse-json.ts'

/** A field of a flat value, which fits in a column of a table. */
export interface FlatField extends Pick<Field, 'types'> {
  readonly name: string
  /** What an empty cell stands for. */
  readonly empty: null | undefined
  readonly nullable: boolean
}

/** The fields of a definition's values; `null` if no schema describes them. */
export function flatFields(definition: AnyDefinition): Map<string, FlatField> | null {
  const schema = jsonSchemaOf(definition.schema)
  if (schema === null) return null
  const fields = new Fields(schema)
  const [root] = fields.root.schemas
  const required = new Set(Array.isArray(root?.['required']) ? root['required'] : [])
  const named = fields.names(fields.root).map((name): readonly [string, FlatField] => {
    const place = fields.child(fields.root, name)!
    const nullable = place.schemas.some(
      ({ type }) => type === 'null' || (Array.isArray(type) && type.includes('null')),
    )
    const empty = nullable && required.has(name) ? null : undefined
    return [name, { name, types: fields.at([name])!.types, empty, nullable }]
  })
  return new Map(named)
}

/** The value of a text in a field: a number, a Date, a text. A text without a value stays a text, for the schema to refuse. */
export function fieldValue(text: string, isQuoted: boolean, field: FlatField | undefined): unknown {
  if (field === undefined) return text
  const { types, empty, nullable } = field
  if (!isQuoted && text === '') return types.string && empty === undefined && !types.absent ? '' : empty
  if (!isQuoted && text === 'null' && nullable) return null
  if (types.string && isQuoted) return text
  const trimmed = text.trim()
  if (types.boolean && (trimmed === 'true' || trimmed === 'false')) return trimmed === 'true'
  if (types.number && trimmed !== '' && !/^0[box]/i.test(trimmed) && !Number.isNaN(Number(trimmed)))
    return Number(trimmed)
  if (types.bigint && /^-?\d+$/.test(trimmed)) return BigInt(trimmed)
  if (types.date && !types.string && !Number.isNaN(Date.parse(trimmed))) return new Date(trimmed)
  return types.structure && !types.string ? parsedJson(text) : text
}

function parsedJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return text
  }
}
