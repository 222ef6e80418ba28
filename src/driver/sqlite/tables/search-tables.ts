import type { SearchDefinition, SearchTokenizer } from '../../../schema/search-definition.ts'
import { jsonPathText, quoteText } from './table.ts'

/**
 * The tables of one search. `text` has a row for each row of the collection: its key, an id that stays where a VACUUM moves rows, and the
 * text of each field. `index` is the FTS5 table over it.
 */
export interface SearchTables {
  readonly index: string
  readonly text: string
}

/** What a search is made of: the statements that create its parts, by their names, in their order. */
type Parts = ReadonlyMap<string, string>

/** The catalogue of the searches of a database: made with the first of them. */
const createSearchCatalog =
  'CREATE TABLE IF NOT EXISTS kv_search (name TEXT PRIMARY KEY NOT NULL, collection TEXT NOT NULL, fields TEXT NOT NULL, weights TEXT NOT NULL, tokenizer TEXT NOT NULL)'

const tokenizers: { readonly [Name in SearchTokenizer]: string } = {
  unicode61: 'unicode61 remove_diacritics 2',
  porter: 'porter unicode61 remove_diacritics 2',
  trigram: 'trigram remove_diacritics 1',
}

const events = ['insert', 'update', 'delete'] as const

/** The tables of a search in the file; `shown`: those of the rows that a session is shown instead of what is stored. */
export function searchTables(
  collection: string,
  { fields, tokenizer }: SearchDefinition,
  shown = false,
): SearchTables {
  // Names that differ in their case alone are one table to SQLite.
  const hash = hashOf(JSON.stringify([collection, fields, tokenizer]))
  const index = `kv_${collection}_search_${hash}${shown ? '_shown' : ''}`
  return { index, text: `${index}_text` }
}

/** FNV-1a of 32 bits, in hexadecimal digits. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}

/** The names of the columns of both tables, each of one field. */
export function searchColumns({ fields }: SearchDefinition): string[] {
  return fields.map((_, at) => `f${at}`)
}

/**
 * A search, kept in step with `kv` by triggers: whoever writes a row, by whichever release or tool, changes its text in the same
 * transaction.
 */
export function searchParts(collection: string, search: SearchDefinition): Parts {
  return partsOf(searchTables(collection, search), collection, search, 'kv')
}

/** The same of the rows in `kv_shown`, private to a connection. */
export function createShownSearch(collection: string, search: SearchDefinition): string {
  const tables = searchTables(collection, search, true)
  return [...partsOf(tables, collection, search, 'kv_shown').values()]
    .map((statement) =>
      statement
        .replace(/^CREATE (TABLE|VIRTUAL TABLE) /, 'CREATE $1 IF NOT EXISTS temp.')
        .replace(/^CREATE TRIGGER /, 'CREATE TEMP TRIGGER IF NOT EXISTS '),
    )
    .join(';\n')
}

/** An index of the same words that keeps no texts. */
export function createTextIndex(search: SearchDefinition, name: string): string {
  return `CREATE VIRTUAL TABLE ${name} USING fts5(${searchColumns(search).join(', ')}, content='', columnsize=0, tokenize=${quoteText(tokenizers[search.tokenizer])})`
}

/** The statements that create a search and take in the rows that exist. */
export function createSearch(collection: string, search: SearchDefinition): string[] {
  const { index, text } = searchTables(collection, search)
  const { fields, weights, tokenizer } = search
  const row = [index, collection, JSON.stringify(fields), JSON.stringify(weights), tokenizer].map(quoteText)
  return [
    createSearchCatalog,
    ...searchParts(collection, search).values(),
    `INSERT INTO ${quoted(text)} (key, ${searchColumns(search)})\n${textsOf(search, 'kv', ' FROM kv')}\nWHERE kv.collection = ${quoteText(collection)}`,
    `INSERT OR REPLACE INTO kv_search (name, collection, fields, weights, tokenizer)\nVALUES (${row.join(', ')})`,
  ]
}

/** The statements that take a search away, be all of it there or not. */
export function dropSearch(collection: string, search: SearchDefinition): string[] {
  const { index, text } = searchTables(collection, search)
  return [
    ...events.map((event) => `DROP TRIGGER IF EXISTS ${quoted(`${index}_${event}`)}`),
    `DROP TABLE IF EXISTS ${quoted(text)}`,
    `DROP TABLE IF EXISTS ${quoted(index)}`,
    createSearchCatalog,
    `DELETE FROM kv_search WHERE name = ${quoteText(index)}`,
  ]
}

function partsOf(
  { index, text }: SearchTables,
  collection: string,
  search: SearchDefinition,
  rows: string,
): Parts {
  const columns = searchColumns(search)
  const list = columns.join(', ')
  const [oldTexts, newTexts] = ['old', 'new'].map((row) => columns.map((column) => `${row}.${column}`))
  const isOf = (row: string) => `${row}.collection IS ${quoteText(collection)}`
  const insert = `INSERT INTO ${quoted(text)} (key, ${list}) ${textsOf(search, 'new', '')}`
  const isSame = `(${list}) IS (${textsOf(search, 'new', '', false)})`
  const trigger = (name: string, on: string, statements: readonly string[]) => {
    const full = `${index}_${name}`
    return [
      full,
      `CREATE TRIGGER ${quoted(full)} ${on} BEGIN ${statements.map((one) => `${one};`).join(' ')} END`,
    ] as const
  }
  return new Map([
    [
      text,
      `CREATE TABLE ${quoted(text)} (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, ${columns.map((column) => `${column} TEXT`).join(', ')})`,
    ],
    [
      index,
      `CREATE VIRTUAL TABLE ${quoted(index)} USING fts5(${list}, content=${quoteText(text)}, content_rowid='id', columnsize=0, tokenize=${quoteText(tokenizers[search.tokenizer])})`,
    ],
    trigger('text_insert', `AFTER INSERT ON ${quoted(text)}`, [
      `INSERT INTO ${quoted(index)} (rowid, ${list}) VALUES (new.id, ${newTexts})`,
    ]),
    trigger('text_delete', `AFTER DELETE ON ${quoted(text)}`, [
      `INSERT INTO ${quoted(index)} (${quoted(index)}, rowid, ${list}) VALUES ('delete', old.id, ${oldTexts})`,
    ]),
    trigger('insert', `AFTER INSERT ON ${rows} WHEN ${isOf('new')}`, [insert]),
    // Of a row whose texts stay, nothing is written.
    trigger(
      'update',
      `AFTER UPDATE OF key, collection, encoding, value ON ${rows} WHEN ${isOf('old')} OR ${isOf('new')}`,
      [
        `DELETE FROM ${quoted(text)} WHERE key = old.key AND NOT (${isOf('new')} AND new.key IS old.key AND ${isSame})`,
        `${insert} WHERE ${isOf('new')} AND NOT EXISTS (SELECT 1 FROM ${quoted(text)} WHERE key = new.key)`,
      ],
    ),
    trigger('delete', `AFTER DELETE ON ${rows} WHEN ${isOf('old')}`, [
      `DELETE FROM ${quoted(text)} WHERE key = old.key`,
    ]),
  ])
}

/** The texts of the fields of a row, behind its key. */
export function textsOf({ fields }: SearchDefinition, row: string, from: string, withKey = true): string {
  const texts = fields.map((path) => textOf(jsonPathText(path.split('.')), jsonOf(row)))
  return `SELECT ${(withKey ? [`${row}.key`, ...texts] : texts).join(', ')}${from}`
}

/** Bytes have no fields, nor has a damaged value. What reads a text would end at a NUL, which is a space here. */
function jsonOf(row: string): string {
  const value = `${row}.value`
  const [nul, backslash] = ["'\\u0000'", "'\\\\'"]
  const withoutNul = `replace(replace(${value}, ${backslash}, '\\u005c'), ${nul}, '\\u0020')`
  return `CASE WHEN ${row}.encoding IN (0, 1) AND json_valid(${value}) THEN CASE WHEN instr(${value}, ${nul}) THEN ${withoutNul} ELSE ${value} END END`
}

/** The text of a field; of an array its texts, each on a line of its own. */
function textOf(path: string, json: string): string {
  const items = `SELECT group_concat(item.value, char(10) ORDER BY item.key) FROM json_each(${json}, ${path}) AS item WHERE item.type = 'text'`
  const text = `CASE json_type(${json}, ${path}) WHEN 'text' THEN json_extract(${json}, ${path}) WHEN 'array' THEN (${items}) END`
  return `replace(replace(${text}, char(1), ' '), char(2), ' ')`
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
