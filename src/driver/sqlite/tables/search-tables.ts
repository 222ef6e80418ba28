import type { SearchDefinition, SearchTokenizer } from '../../../schema/search-definition.ts'
import { jsonPathText, quoteText } from './table.ts'

/**
 * The tables of one search. `text` has a row for each row of the collection: its key, an id that VACUUM does not change, and the
 * text of each field. `index` is the FTS5 table over it.
 */
export interface SearchTables {
  readonly index: string
  readonly text: string
}

/** The parts of a search: the statements that create them, by name, in order. */
type Parts = ReadonlyMap<string, string>

/** The catalogue of the searches of a database, created with the first one. */
const createSearchCatalog =
  'CREATE TABLE IF NOT EXISTS kv_search (name TEXT PRIMARY KEY NOT NULL, collection TEXT NOT NULL, fields TEXT NOT NULL, weights TEXT NOT NULL, tokenizer TEXT NOT NULL)'

const tokenizers: { readonly [Name in SearchTokenizer]: string } = {
  unicode61: 'unicode61 remove_diacritics 2',
  porter: 'porter unicode61 remove_diacritics 2',
  trigram: 'trigram remove_diacritics 1',
}

const events = ['insert', 'update', 'delete'] as const

/** The tables of a search in the file; `shown`: those of the rows that a session is shown instead of the stored ones. */
export function searchTables(
  collection: string,
  { fields, tokenizer }: SearchDefinition,
  shown = false,
): SearchTables {
  // For SQLite, names that differ only in case are the same.
  const hash = hashOf(JSON.stringify([collection, fields, tokenizer]))
  const index = `kv_${collection}_search_${hash}${shown ? '_shown' : ''}`
  return { index, text: `${index}_text` }
}

/** FNV-1a with 32 bits, in hexadecimal digits. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}

/** The names of the columns of both tables, one for each field. */
export function searchColumns({ fields }: SearchDefinition): string[] {
  return fields.map((_, at) => `f${at}`)
}

/**
 * A search, which triggers keep in step with `kv`: whoever writes a row, with any release or tool, changes its text in the same
 * transaction.
 */
export function searchParts(collection: string, search: SearchDefinition): Parts {
  return partsOf(searchTables(collection, search), collection, search, 'kv')
}

/** The same for the rows in `kv_shown`, private to a connection. */
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

/** An index of the same words, without the texts. */
export function createTextIndex(search: SearchDefinition, name: string): string {
  return `CREATE VIRTUAL TABLE ${name} USING fts5(${searchColumns(search).join(', ')}, content='', columnsize=0, tokenize=${quoteText(tokenizers[search.tokenizer])})`
}

/** The statements that create a search and add the existing rows. */
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

/** The statements that remove a search, complete or not. */
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
    // If the texts of a row do not change, nothing is written.
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

/** The texts of the fields of a row, after its key. */
export function textsOf({ fields }: SearchDefinition, row: string, from: string, withKey = true): string {
  const texts = fields.map((path) => textOf(jsonPathText(path.split('.')), jsonOf(row)))
  return `SELECT ${(withKey ? [`${row}.key`, ...texts] : texts).join(', ')}${from}`
}

/** Bytes and damaged values have no fields. A NUL becomes a space, because it would end a text. */
function jsonOf(row: string): string {
  const value = `${row}.value`
  const [nul, backslash] = ["'\\u0000'", "'\\\\'"]
  const withoutNul = `replace(replace(${value}, ${backslash}, '\\u005c'), ${nul}, '\\u0020')`
  return `CASE WHEN ${row}.encoding IN (0, 1) AND json_valid(${value}) THEN CASE WHEN instr(${value}, ${nul}) THEN ${withoutNul} ELSE ${value} END END`
}

/** The text of a field; for an array, its texts, one on each line. */
function textOf(path: string, json: string): string {
  const items = `SELECT group_concat(item.value, char(10) ORDER BY item.key) FROM json_each(${json}, ${path}) AS item WHERE item.type = 'text'`
  const text = `CASE json_type(${json}, ${path}) WHEN 'text' THEN json_extract(${json}, ${path}) WHEN 'array' THEN (${items}) END`
  return `replace(replace(${text}, char(1), ' '), char(2), ' ')`
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
