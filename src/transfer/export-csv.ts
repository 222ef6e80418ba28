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
import { flatFields } from './flat-fields.ts'
import { idCell, idColumns } from './id-columns.ts'
import { repositoryNamed } from './repository-named.ts'

/** Stands for null, which is not the same as a missing field. */
const nullCell = {}

/** The rows of a repository as CSV, page by page: their ids, the fields of their schema, and when they expire. */
export async function* exportCsv(store: Store, options: ExportOptions): AsyncGenerator<string> {
  if (options.repository === undefined)
    throw new TypeError('CSV has the columns of one repository: name it with --repository')
  const definition = repositoryNamed(store.registry, options.repository)
  const names = columnsOf(definition)
  yield text([[...idColumns(definition), ...names, '$expiresAt']])
  const idOf = idReader(definition.pattern)
  const count = wildcardCount(definition.pattern)
  for await (const page of exportedPages(store, options)) {
    const records = page.map((row) => {
      const id = idOf(row.key) as unknown
      const parts = (count === 0 ? [] : count === 1 ? [id] : id) as readonly KeyPart[]
      return [...parts.map(idCell), ...cellsOf(row, names), row.expiresAt ?? undefined]
    })
    yield text(records)
  }
}

/** Throws a TypeError if a cell cannot express a field. */
function columnsOf(definition: AnyDefinition): string[] {
  const fields = flatFields(definition)
  const nested = fields && [...fields.values()].find(({ types }) => types.structure)
  if (fields !== null && fields.size > 0 && nested === undefined) return [...fields.keys()]
  const why =
    nested === undefined || nested === null
      ? 'no schema names its fields'
      : `'${nested.name}' is not a single value`
  throw new TypeError(`'${definition.name}' does not fit into CSV, ${why}: export it as NDJSON`)
}

function cellsOf(row: KeyedRow, names: readonly string[]): unknown[] {
  const value = decodeValue(row.value, row.encoding, row.types)
  const isFlat = isPlainObject(value) && Object.keys(value).every((name) => names.includes(name))
  if (!isFlat)
    throw new TypeError(
      `The value of ${JSON.stringify(keyJson(row.key))} has other fields than its schema: export it as NDJSON`,
    )
  return names.map((name) => (value[name] === null ? nullCell : value[name]))
}

function text(records: readonly (readonly unknown[])[]): string {
  return stringify(records as unknown[][], {
    quoted_string: true,
    cast: {
      boolean: String,
      bigint: String,
      date: (date) => date.toISOString(),
      number: (number) => (Object.is(number, -0) ? '-0' : String(number)),
      object: (value) => (value === nullCell ? 'null' : JSON.stringify(value)),
    },
  })
}
