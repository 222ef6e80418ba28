import type { Key, KeyPart } from '../contract/key.types.ts'
import type { ColumnValue, ForeignFile } from '../driver/sqlite/file/foreign-file.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { setOwn } from '../value/set-own.ts'
import { assertUnicode, type ReadableCell, shownCell } from './cell-text.ts'
import { type FlatField, fieldValue, flatFields } from './flat-fields.ts'
import { movedForeign } from './foreign-row.ts'
import { keyOfParts } from './id-columns.ts'
import type { Source } from './source-row.ts'

export interface TableOptions {
  readonly table: string
  /** The columns with the id. */
  readonly id: readonly string[]
  /** The repository that takes the rows; `null`: their keys are the name of the table and their id. */
  readonly definition: AnyDefinition | null
}

/**
 * The rows of a table of any SQLite file, as objects of its columns. The columns of the id are only in them if the schema has such
 * fields.
 */
export async function* tableSource(file: ForeignFile, options: TableOptions): Source & AsyncGenerator {
  const { table, id, definition } = options
  const columns = file.tables.get(table)
  if (columns === undefined)
    throw new TypeError(
      `The file has no table ${table}: there are ${[...file.tables.keys()].join(', ') || 'none'}`,
    )
  const missing = id.filter((name) => !columns.includes(name))
  if (missing.length > 0)
    throw new TypeError(`${table} has no column ${missing.join(', ')}: there are ${columns.join(', ')}`)
  const fields = definition && flatFields(definition)
  for await (const cells of file.rows(table, columns)) {
    const cellOf = (name: string) => cells[columns.indexOf(name)]!
    yield movedForeign({
      rawKey: id.map((name) => shownCell(cellOf(name))).join(', '),
      key: () => keyOf(id.map((name) => idPart(cellOf(name), name))),
      value() {
        const value = {}
        for (const [i, name] of columns.entries()) {
          if (id.includes(name) && fields?.has(name) !== true) continue
          const cell = cells[i]!
          assertUnicode(cell, name)
          const member = memberOf(cell, fields?.get(name))
          if (member !== undefined) setOwn(value, name, member)
        }
        return value
      },
      expiresAt: null,
    })
  }

  function keyOf(parts: readonly KeyPart[]): Key {
    return definition === null ? [table, ...parts] : keyOfParts(definition, parts)
  }
}

function idPart(cell: ColumnValue, name: string): KeyPart {
  assertUnicode(cell, name)
  if (cell === null) throw new TypeError('a column of it is null')
  return typeof cell === 'bigint' ? plainNumber(cell) : cell
}

/** The content of a column as the field needs it: SQLite has no booleans, dates or bigints. */
function memberOf(cell: ReadableCell, field: FlatField | undefined): unknown {
  if (cell === null) return field === undefined || field.nullable ? null : field.empty
  if (cell instanceof Uint8Array) return new Uint8Array(cell)
  if (field === undefined) return typeof cell === 'bigint' ? plainNumber(cell) : cell
  const { types } = field
  if (typeof cell === 'string') return fieldValue(cell, types.string, field)
  if (types.boolean && !types.number && (cell === 0n || cell === 1n)) return cell === 1n
  if (types.bigint && !types.number && typeof cell === 'bigint') return cell
  if (types.date && !types.number) return new Date(Number(cell))
  return typeof cell === 'bigint' ? plainNumber(cell) : cell
}

/** Integers that a number cannot express exactly stay bigints. */
function plainNumber(integer: bigint): number | bigint {
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : integer
}
