import type { SearchOf } from '../../../catalog/searches.ts'
import { engineCode } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { createTextIndex, quoted, searchColumns, searchTables, textsOf } from './search-tables.ts'
import { quoteText } from './table.ts'

const rowsAtOnce = 500
const termsAtOnce = 2_000

/** A statement that returns the next rows of `kv` after a number: its number, its key, and whether the search has the same texts. */
function comparedRows({ collection, search }: SearchOf): string {
  const { text } = searchTables(collection, search)
  const list = searchColumns(search)
    .map((column) => `text.${column}`)
    .join(', ')
  return `SELECT kv.rowid, kv.key, text.key IS NOT NULL AND (${list}) IS (${textsOf(search, 'kv', '', false)})
    FROM kv LEFT JOIN ${quoted(text)} AS text ON text.key = kv.key
    WHERE kv.rowid > ? AND kv.collection = ${quoteText(collection)} ORDER BY kv.rowid LIMIT ${rowsAtOnce}`
}

/** Whether a search has the text of a row that is not in its collection. */
function hasStrayText(connection: Connection, { collection, search }: SearchOf): boolean {
  const { text } = searchTables(collection, search)
  const rows = `SELECT 1 FROM kv WHERE kv.key = text.key AND kv.collection = ${quoteText(collection)}`
  const stray = `SELECT 1 FROM ${quoted(text)} AS text WHERE NOT EXISTS (${rows}) LIMIT 1`
  return connection.prepare(stray).get() !== undefined
}

/**
 * Compares a search with the rows, in parts: each yields the keys of rows whose texts differ. At the end, returns whether it has
 * texts of other rows, and whether its index matches its texts.
 */
export function* compareSearch(
  connection: Connection,
  of: SearchOf,
): Generator<readonly unknown[], { readonly stray: boolean; readonly index: boolean }> {
  const compared = connection.prepare<[number], [number, unknown, 0 | 1]>(comparedRows(of)).raw()
  for (let last = Number.MIN_SAFE_INTEGER; ; ) {
    const page = compared.all(last)
    yield page.filter(([, , same]) => same === 0).map(([, key]) => key)
    if (page.length < rowsAtOnce) break
    last = page.at(-1)![0]
  }
  const stray = hasStrayText(connection, of)
  for (const same of compareTerms(connection, of)) {
    if (!same) return { stray, index: false }
    yield []
  }
  return { stray, index: true }
}

/** Compares the index with one rebuilt from the texts, in memory, part by part: yields whether each part is the same. */
function* compareTerms(connection: Connection, { collection, search }: SearchOf): Generator<boolean> {
  const { index, text } = searchTables(collection, search)
  const columns = searchColumns(search).join(', ')
  connection.exec(`DROP TABLE IF EXISTS temp.kv_checked; ${createTextIndex(search, 'temp.kv_checked')};
    CREATE VIRTUAL TABLE IF NOT EXISTS temp.kv_checked_terms USING fts5vocab(temp, kv_checked, col)`)
  const name = `${index}_terms`
  connection.exec(
    `CREATE VIRTUAL TABLE IF NOT EXISTS temp.${quoted(name)} USING fts5vocab(main, ${quoted(index)}, col)`,
  )
  try {
    const fill = connection.prepare<[number, number]>(
      `INSERT INTO temp.kv_checked (rowid, ${columns}) SELECT id, ${columns} FROM ${quoted(text)} WHERE id > ? AND id <= ?`,
    )
    const nextId = connection
      .prepare<[number], number | null>(
        `SELECT max(id) FROM (SELECT id FROM ${quoted(text)} WHERE id > ? ORDER BY id LIMIT ${rowsAtOnce})`,
      )
      .pluck()
    for (let last = 0, next = nextId.get(last)!; next !== null; last = next, next = nextId.get(last)!) {
      fill.run(last, next)
      yield true
    }
    const terms = (table: string) =>
      connection
        .prepare<[string], [string, string, number, number]>(
          `SELECT term, col, doc, cnt FROM temp.${quoted(table)} WHERE term >= ? ORDER BY term, col LIMIT ${termsAtOnce}`,
        )
        .raw()
    const [stored, made] = [terms(name), terms('kv_checked_terms')]
    for (let last = ''; ; ) {
      const [one, other] = [stored.all(last), made.all(last)]
      if (JSON.stringify(one) !== JSON.stringify(other)) {
        yield false
        return
      }
      const next = one.at(-1)?.[0]
      if (one.length < termsAtOnce || next === last) return
      last = next!
      yield true
    }
  } finally {
    connection.exec(
      `DROP TABLE temp.${quoted(name)}; DROP TABLE temp.kv_checked_terms; DROP TABLE temp.kv_checked`,
    )
  }
}

/** Whether a search has the words of exactly the rows of its collection. It must be writable. */
export function isSearchSound(connection: Connection, of: SearchOf): boolean {
  const { index } = searchTables(of.collection, of.search)
  const compared = connection.prepare<[number], [number, unknown, 0 | 1]>(comparedRows(of)).raw()
  for (let last = Number.MIN_SAFE_INTEGER; ; ) {
    const page = compared.all(last)
    if (page.some(([, , same]) => same === 0)) return false
    if (page.length < rowsAtOnce) break
    last = page.at(-1)![0]
  }
  if (hasStrayText(connection, of)) return false
  try {
    connection.exec(`INSERT INTO ${quoted(index)} (${quoted(index)}, rank) VALUES ('integrity-check', 1)`)
    return true
  } catch (error) {
    if (engineCode(error)?.startsWith('SQLITE_CORRUPT') !== true) throw error
    return false
  }
}
