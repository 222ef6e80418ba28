import { stringify } from 'csv-stringify/sync'
import type { KeyPart } from '../contract/key.types.ts'
import type { KeyedRow } from '../driver/driver.ts'
import { keyJson } from '../key/key-json.ts'
import { idReader, wildcardCount } from '../key/pattern.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Store } from '../store/store.ts'
import { decodeValue } from '../value/codec.ts'
import { isPlainObject } from '../value/plain-object.ts'
import { type ExportOptions, exportedPages } from './export.ts'
import { type FlatField, fieldValue, flatFields } from './flat-fields.ts'
import { idCell, idColumns } from './id-columns.ts'
import { repositoryNamed } from './repository-named.ts'

/** Stands for null, which is not the same as a missing field. */
const nullCell = {}

/** The rows of a repository as CSV, page by page: their ids, the fields of their schema, and when they expire. */
export async function* exportCsv(store: Store, options: ExportOptions): AsyncGenerator<string> {
  if (options.repository === undefined)
    throw new TypeError('CSV has the columns of one repository: name it with --repository')
  const definition = repositoryNamed(store.registry, options.repository)
  const fields = columnsOf(definition)
  yield text([[...idColumns(definition), ...fields.keys(), '$expiresAt']])
  const idOf = idReader(definition.pattern)
  const count = wildcardCount(definition.pattern)
  for await (const page of exportedPages(store, options)) {
    const records = page.map((row) => {
      const id = idOf(row.key) as unknown
      const parts = (count === 0 ? [] : count === 1 ? [id] : id) as readonly KeyPart[]
      return [...parts.map(idCell), ...cellsOf(row, fields), row.expiresAt ?? undefined]
    })
    yield text(records)
  }
}

/** Throws a TypeError if a cell cannot express a field. */
function columnsOf(definition: AnyDefinition): Map<string, FlatField> {
  const fields = flatFields(definition)
  const nested = fields && [...fields.values()].find(({ types }) => types.structure)
  if (fields !== null && fields.size > 0 && nested === undefined) return fields
  const why =
    nested === undefined || nested === null
      ? 'no schema names its fields'
      : `'${nested.name}' is not a single value`
  throw new TypeError(`'${definition.name}' does not fit into CSV, ${why}: export it as NDJSON`)
}

/** Throws a TypeError if the row has another field, or a value that an import would read as another one. */
function cellsOf(row: KeyedRow, fields: ReadonlyMap<string, FlatField>): unknown[] {
  const value = decodeValue(row.value, row.encoding, row.types)
  const isFlat = isPlainObject(value) && Object.keys(value).every((name) => fields.has(name))
  if (!isFlat) throw unfit(row, 'other fields than its schema')
  return [...fields.values()].map((field) => {
    const member = Object.hasOwn(value, field.name) ? value[field.name] : undefined
    const cell = member === null ? nullCell : member
    if (!isReadBack(member, cell, field)) throw unfit(row, `a '${field.name}' that CSV cannot express`)
    return cell
  })
}

function isReadBack(member: unknown, cell: unknown, field: FlatField): boolean {
  if (member === undefined) return true
  const isText = typeof member === 'string'
  if (isText && !member.isWellFormed()) return false
  const read = fieldValue(isText ? member : cellText(cell), isText, field)
  return member instanceof Date
    ? read instanceof Date && read.getTime() === member.getTime()
    : Object.is(read, member)
}

function unfit(row: KeyedRow, what: string): TypeError {
  return new TypeError(`The value of ${JSON.stringify(keyJson(row.key))} has ${what}: export it as NDJSON`)
}

/** The text of a cell without quotes. */
function cellText(cell: unknown): string {
  if (cell === nullCell) return 'null'
  if (cell instanceof Date) return cell.toISOString()
  return Object.is(cell, -0) ? '-0' : String(cell)
}

function text(records: readonly (readonly unknown[])[]): string {
  const cast = { boolean: cellText, bigint: cellText, date: cellText, number: cellText, object: cellText }
  return stringify(records as unknown[][], { quoted_string: true, cast })
}
