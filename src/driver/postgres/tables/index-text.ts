import { sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { unescapeText } from '../values/json-text.ts'
import { columnsOf, type FieldForm, placeOf } from './field-columns.ts'
import type { TypedIndex } from './typed-index.ts'

/** A column of an index in the server's catalogue: its expression, its collation, and the flags of its order. */
export type IndexColumn = readonly [expression: string, collation: string | null, order: number]

const forms = ['any', 'bigint', 'text'] as const
const nullsFirst = 2
const dialect = new PgDialect()

/** The declaration of an index of `kv`, whoever has created it; `null` if no schema can declare it. */
export function readIndex(
  unique: boolean,
  predicate: string | null,
  columns: readonly IndexColumn[],
): TypedIndex | null {
  const collection = collectionOf(predicate)
  const last = columns.at(-1)
  const ofFields =
    !unique && last?.[0] === 'key' && last[2] === 0 ? columns.slice(0, -1) : unique ? columns : []
  if (collection === null || ofFields.length === 0) return null
  const fields: string[] = []
  const found: FieldForm[] = []
  for (let at = 0; at < ofFields.length; ) {
    const names = namesIn(ofFields[at]![0])
    const form = names && forms.find((one) => matches(expected(one, names), ofFields.slice(at)))
    if (!form) return null
    fields.push(names.join('.'))
    found.push(form)
    at += expected(form, names).length
  }
  return { collection, fields, unique, forms: found }
}

interface Expected {
  readonly tokens: string
  readonly isText: boolean
}

function expected(form: FieldForm, names: readonly string[]): Expected[] {
  return columnsOf(form, placeOf(sql.raw('value'), names)).map(({ sql, type }) => ({
    tokens: essence(dialect.sqlToQuery(sql).sql),
    isText: type === 'text',
  }))
}

function matches(wanted: readonly Expected[], columns: readonly IndexColumn[]): boolean {
  return wanted.every(({ tokens, isText }, i) => {
    const [expression, collation, order] = columns[i] ?? ['', null, 0]
    return essence(expression) === tokens && order === nullsFirst && (!isText || collation === 'C')
  })
}

/** The collection in a condition `collection = 'users'`. */
function collectionOf(predicate: string | null): string | null {
  const [column, sign, text, ...more] = tokensOf(predicate ?? '').filter(isEssential)
  if (column?.text !== 'collection' || sign?.text !== '=' || text?.type !== 'text' || more.length > 0)
    return null
  return text.text
}

/** The names that lead to the first place in an expression; `null` if there is none. */
function namesIn(expression: string): string[] | null {
  const tokens = tokensOf(expression).filter(isEssential)
  const names: string[] = []
  const start = tokens.findIndex(({ text }) => text === 'value') + 1
  for (let at = start; at < tokens.length; at += 2) {
    const [arrow, name] = [tokens[at], tokens[at + 1]]
    if ((arrow?.text !== '->' && arrow?.text !== '->>') || name?.type !== 'text') break
    names.push(unescapeText(name.text))
  }
  return names.length === 0 ? null : names
}

interface Token {
  readonly type: 'text' | 'word' | 'cast' | 'bracket'
  readonly text: string
}

const tokenPattern =
  /\s+|(?<escaped>E'(?:[^'\\]|''|\\.)*')|(?<plain>'(?:[^']|'')*')|(?<cast>::(?:double precision|[a-z0-9_]+))|(?<bracket>[()])|(?<word>[A-Za-z_][A-Za-z0-9_]*|[0-9]+|"(?:[^"]|"")*"|[^\s()'A-Za-z0-9_:"]+)/gsy

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  for (const { groups } of text.matchAll(tokenPattern)) {
    const { escaped, plain, cast, bracket, word } = groups as Record<string, string | undefined>
    if (escaped !== undefined)
      tokens.push({
        type: 'text',
        text: escaped.slice(2, -1).replace(/''|\\(.)/gs, (two, one) => one ?? two[0]),
      })
    else if (plain !== undefined)
      tokens.push({ type: 'text', text: plain.slice(1, -1).replaceAll("''", "'") })
    else if (cast !== undefined) tokens.push({ type: 'cast', text: cast })
    else if (bracket !== undefined) tokens.push({ type: 'bracket', text: bracket })
    else if (word !== undefined) tokens.push({ type: 'word', text: word.toLowerCase() })
  }
  return tokens
}

function isEssential({ type }: Token): boolean {
  return type === 'text' || type === 'word'
}

/**
 * The essence of an expression: without the brackets, casts and `ELSE NULL` that the server adds, and without its collation, which
 * is reported elsewhere.
 */
function essence(expression: string): string {
  return tokensOf(expression)
    .filter(isEssential)
    .map(({ type, text }) => (type === 'text' ? JSON.stringify(text) : text))
    .join(' ')
    .replaceAll(' collate "c"', '')
    .replaceAll(' else null', '')
}
