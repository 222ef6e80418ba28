import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { encodeValue } from '../value/codec.ts'
import { setOwn } from '../value/set-own.ts'
import { fileText, type SourceFile } from './file-text.ts'
import { fieldValue, flatFields } from './flat-fields.ts'
import { idColumns, idOfCell, keyOfParts } from './id-columns.ts'
import type { MovedRow } from './row-line.ts'
import type { Source } from './source-row.ts'

export interface CsvOptions {
  readonly definition: AnyDefinition
  /** The columns with the id; left out: `$id`, as `export` writes it. */
  readonly id?: readonly string[] | undefined
}

interface Cell {
  readonly text: string
  readonly isQuoted: boolean
}

/** The rows of a CSV file, whose first line has the names, as values of a repository. */
export async function* csvSource(file: SourceFile, { definition, id }: CsvOptions): Source & AsyncGenerator {
  const ids = id ?? idColumns(definition)
  const fields = flatFields(definition)
  let names: string[] | null = null
  for await (const cells of cellsOf(file)) {
    if (names === null) {
      names = cells.map(({ text }) => text)
      const twice = names.find((name, i) => names!.indexOf(name) !== i)
      if (twice !== undefined)
        throw new TypeError(`${file.name} has two columns ${twice}: give each a name of its own`)
      const missing = ids.filter((name) => !names!.includes(name))
      if (missing.length > 0)
        throw new TypeError(
          `${file.name} has no column ${missing.join(', ')}: name the columns of the id with --id`,
        )
      continue
    }
    try {
      yield rowOf(cells, names)
    } catch (error) {
      const text = Object.fromEntries(cells.map((cell, i) => [names![i] ?? `column ${i + 1}`, cell.text]))
      yield { error: (error as Error).message, shown: { repository: definition.name, unread: text } }
    }
  }

  function rowOf(cells: readonly Cell[], columns: readonly string[]): MovedRow {
    if (cells.length > columns.length) throw new TypeError('it has more cells than there are columns')
    const value = {}
    const parts = new Map<string, string>()
    let expiresAt: number | null = null
    for (const [i, { text, isQuoted }] of cells.entries()) {
      const name = columns[i]!
      if (name === '$expiresAt') expiresAt = text === '' ? null : expiryOf(text)
      else if (ids.includes(name)) {
        if (text === '' && !isQuoted) throw new TypeError(`its ${name} is empty: an empty text is written ""`)
        parts.set(name, text)
      }
      if (name === '$expiresAt' || (ids.includes(name) && fields?.has(name) !== true)) continue
      const member = fieldValue(text, isQuoted, fields?.get(name))
      if (member !== undefined) setOwn(value, name, member)
    }
    const key = keyOfParts(
      definition,
      ids.map((name) => idOfCell(parts.get(name) ?? '')),
    )
    return { key, stored: encodeValue(value), expiresAt }
  }
}

function expiryOf(text: string): number {
  const time = Number(text)
  if (!Number.isSafeInteger(time) || time < 0)
    throw new TypeError(`its $expiresAt is not a number of milliseconds since the epoch: ${text}`)
  return time
}

async function* cellsOf(file: SourceFile): AsyncGenerator<Cell[]> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    // A quote within a cell that does not begin with one is a part of its text, as in `5" disc`.
    relax_quotes: true,
    skip_empty_lines: true,
    cast: (text, { quoting }) => ({ text, isQuoted: quoting }) as unknown as string,
  })
  const text = Readable.from(fileText(file))
  text.on('error', (error) => parser.destroy(error))
  try {
    yield* text.pipe(parser) as AsyncIterable<Cell[]>
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // What follows the quote, be it many rows, would be one cell.
    if (error.code === 'CSV_QUOTE_NOT_CLOSED')
      throw new TypeError(`${file.name} ends within a quoted cell: one of its quotes is not closed`, {
        cause: error,
      })
    throw new TypeError(`${file.name} is not CSV: ${error.message}`, { cause: error })
  }
}
