import { classOf, type JsonSchema } from '../../../schema/json-schema.ts'
import type { Row } from '../value/wire.ts'
import type { Repository } from './catalog.ts'

/** A column of a table of rows. */
export interface Column {
  readonly name: string
  /** Its type according to the schema, in a word; empty if the schema does not say. */
  readonly type: string
  /** The field that it shows; null for a part of the key, and for the whole value. */
  readonly field: string | null
  /** Whether rows can be ordered by it. */
  readonly isSortable: boolean
  readonly width: number
  readonly read: (row: Row) => unknown
}

const narrowTypes: readonly string[] = ['number', 'integer', 'boolean']
const scalarTypes: readonly string[] = ['text', 'number', 'integer', 'boolean', 'Date', 'bigint']

/** The columns of a repository: the parts of its ids, then the fields of its schema, then fields that only rows have. */
export function columnsOf({ pattern, schema }: Repository, rows: readonly Row[]): readonly Column[] {
  const wildcards = pattern.flatMap((part, at) => (part === '*' ? [at] : []))
  const ids = wildcards.map((at): Column => {
    const before = pattern[at - 1]
    return {
      name:
        wildcards.length === 1 ? 'id' : typeof before === 'string' && before !== '*' ? before : `id ${at}`,
      type: 'key',
      field: null,
      isSortable: at === wildcards[0],
      width: wildcards.length === 1 ? 200 : 130,
      read: ({ key }) => key[at],
    }
  })
  const fields = fieldsOf(schema)
  for (const { value } of rows)
    if (isFields(value)) for (const name of Object.keys(value)) if (!fields.has(name)) fields.set(name, '')
  if (fields.size === 0) return [...ids, wholeValue]
  return [...ids, ...[...fields].map(([name, type]) => fieldColumn(name, type))]
}

const wholeValue: Column = {
  name: 'value',
  type: '',
  field: null,
  isSortable: false,
  width: 480,
  read: ({ value }) => value,
}

function fieldColumn(name: string, type: string): Column {
  return {
    name,
    type,
    field: name,
    isSortable: scalarTypes.includes(type) || type === '' || type.startsWith("'"),
    width: Math.max(type === 'Date' ? 210 : narrowTypes.includes(type) ? 110 : 190, headWidth(name, type)),
    read: ({ value }) => (isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined),
  }
}

/** Roughly the width of a column's name and type, in pixels. */
function headWidth(name: string, type: string): number {
  return Math.min(300, 44 + 7.5 * name.length + 6 * Math.min(type.length, 18))
}

/** The fields in a schema of objects, each with its type in a word. */
export function fieldsOf(schema: JsonSchema | null): Map<string, string> {
  const fields = new Map<string, string>()
  for (const part of objectParts(schema)) {
    for (const [name, of] of Object.entries((part['properties'] as Record<string, JsonSchema>) ?? {}))
      fields.set(name, fields.get(name) ?? typeName(of, schema))
  }
  return fields
}

function objectParts(schema: JsonSchema | null): JsonSchema[] {
  if (schema === null) return []
  const parts = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => (schema[keyword] as JsonSchema[]) ?? [])
  return [schema, ...parts.flatMap(objectParts)].filter((part) => 'properties' in part)
}

/** The type that a schema describes, in a word or two. */
export function typeName(given: JsonSchema, root: JsonSchema | null): string {
  const schema = resolved(given, root)
  const known = classOf(schema)
  if (known !== undefined) return known
  const choices = (schema['anyOf'] ?? schema['oneOf']) as JsonSchema[] | undefined
  if (choices !== undefined) {
    const names = [...new Set(choices.map((choice) => typeName(choice, root)))].filter(
      (name) => name !== 'null',
    )
    return names.length === 1 ? names[0]! : names.join(' | ')
  }
  const listed = schema['enum'] ?? ('const' in schema ? [schema['const']] : undefined)
  if (Array.isArray(listed))
    return listed.map((it) => (typeof it === 'string' ? `'${it}'` : String(it))).join(' | ')
  const type = Array.isArray(schema['type']) ? schema['type'].find((it) => it !== 'null') : schema['type']
  return type === 'string' ? 'text' : typeof type === 'string' ? type : ''
}

/** Follows the `$ref` of a schema, if it leads to another part of the document. */
export function resolved(schema: JsonSchema, root: JsonSchema | null): JsonSchema {
  const { $ref } = schema as { readonly $ref?: unknown }
  if (typeof $ref !== 'string' || !$ref.startsWith('#')) return schema
  let part: unknown = root
  for (const step of $ref.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    part =
      typeof part === 'object' && part !== null && Object.hasOwn(part, name)
        ? (part as JsonSchema)[name]
        : null
  }
  return typeof part === 'object' && part !== null && part !== schema ? (part as JsonSchema) : {}
}

/** Whether a value has fields: an object that is not a Date, Map or other class. */
export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
