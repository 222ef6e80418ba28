import { valuesOf } from '../schema/accepts.ts'
import { constraintsOf } from '../schema/constraints.ts'
import { classOf, type JsonSchema } from '../schema/json-schema.ts'

/**
 * The TypeScript type of the values that a JSON Schema describes.
 *
 * ```ts
 * typeText({ type: 'array', items: { type: 'string' } }) // 'readonly string[]'
 * ```
 */
export function typeText(schema: JsonSchema | null, indent = ''): string {
  if (schema === null) return 'unknown'
  const { type, anyOf, oneOf, items, prefixItems } = constraintsOf(schema) as Keywords
  const union = anyOf ?? oneOf
  if (union !== undefined) return union.map((member) => typeText(member, indent)).join(' | ')
  const values = valuesOf(schema)
  if (values !== undefined) return values.map(literal).join(' | ')
  if (Array.isArray(type)) return type.map((it) => typeText({ ...schema, type: it }, indent)).join(' | ')
  if (type === 'string') return classOf(schema) ?? 'string'
  if (type === 'integer' || type === 'number') return classOf(schema) ?? 'number'
  if (type === 'boolean' || type === 'null') return type
  if (type === 'array') {
    if (prefixItems) return `readonly [${prefixItems.map((item) => typeText(item, indent)).join(', ')}]`
    const item = typeText(typeof items === 'object' ? items : null, indent)
    return `readonly ${item.includes(' ') ? `(${item})` : item}[]`
  }
  return type === 'object' ? objectText(schema as Keywords, indent) : 'unknown'
}

interface Keywords {
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly prefixItems?: readonly JsonSchema[]
  readonly properties?: { readonly [name: string]: JsonSchema }
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
}

function objectText({ properties, required = [], additionalProperties }: Keywords, indent: string): string {
  if (properties === undefined) {
    const value = typeof additionalProperties === 'object' ? additionalProperties : null
    return `{ readonly [name: string]: ${typeText(value, indent)} }`
  }
  const inner = `${indent}  `
  const lines = Object.entries(properties).map(([name, property]) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name)
    return `${inner}readonly ${key}${required.includes(name) ? '' : '?'}: ${typeText(property, inner)}\n`
  })
  return lines.length === 0 ? 'Record<never, never>' : `{\n${lines.join('')}${indent}}`
}

function literal(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
