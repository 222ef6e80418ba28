import { type SQL, sql } from 'drizzle-orm'
import type { SearchCondition } from '../../../query/condition.ts'
import { operandAt } from '../../../query/operand.ts'
import type { RankedSearch } from '../../../query/plan.ts'
import { type Wanted, wantedOf } from '../search/phrases.ts'
import { searchName, textOf, textsOf } from '../search/tables.ts'
import { quoteName, quoteText } from '../server/sql-text.ts'
import { texts } from '../values/binary-array.ts'
import { type Bindable, bind } from './binding.ts'
import { shownKeys, shownRows } from './shown-source.ts'

/** Where a query looks for words. */
export interface SearchSource {
  /** The schema of the server, as a statement names it. */
  readonly s: string
  /** Whether a session was shown rows instead of those that are stored. */
  readonly shown: boolean
}

/** Whether a row is found by a search. */
export function isFound(condition: SearchCondition, source: SearchSource): SQL {
  return sql`kv.key IN (${foundSql(condition, source, sql.raw('found.key'))})`
}

/** The rows of `rows` that a search finds, under the name of `kv`, with their rank. */
export function rankedRows({ condition }: RankedSearch, rows: SQL, source: SearchSource): SQL {
  const { weights, tokenizer } = condition.search
  const literal = sql.raw(`'{${weights.map((weight) => weight.toExponential()).join()}}'::float8[]`)
  const phrases = wanted(condition, ({ all }) => texts(all), 'text[]')
  const apart = wanted(condition, (it) => it.apart, 'boolean')
  const rank = sql`${sql.raw(source.s)}.kv_rank_1(found.words, found.lengths, ${phrases}, ${apart}, ${sql.raw(String(tokenizer === 'trigram'))}, ${literal})`
  const found = foundSql(condition, source, sql`found.key, ${rank} AS rank`)
  return sql`(SELECT kv.*, hit.rank FROM (${found}) AS hit JOIN ${rows} ON kv.key = hit.key) AS kv`
}

/** The texts of a row of `kv` whose hits are to be shown, as they are kept. */
export function highlightedTexts({ highlight }: RankedSearch, { s }: SearchSource): SQL[] {
  return highlight.map(({ path }) => sql.raw(textOf(path, s, 'kv')))
}

/** Of each row that is found, under the name of `found`, these columns. */
function foundSql(condition: SearchCondition, { s, shown }: SearchSource, columns: SQL): SQL {
  const stored = sql.raw(`${s}.${quoteName(searchName(condition))}`)
  const entry = wanted(condition, (it) => it.entry, 'tsquery')
  const lists = [({ all }: Wanted) => texts(all), ({ none }: Wanted) => texts(none)].map((of) =>
    wanted(condition, of, 'text[]'),
  )
  const isFound = sql`${sql.raw(s)}.kv_finds_1(found.words, ${sql.join(lists, sql.raw(', '))})`
  const rows = sql`SELECT ${columns} FROM ${stored} AS found WHERE (found.entry @@ ${entry} OR found.entry IS NULL) AND ${isFound}`
  if (!shown) return rows
  const { collection, search } = condition
  const kept = sql.raw(textsOf(search, s, 'shown'))
  const words = sql`${sql.raw(s)}.kv_words_1(t.texts, ${sql.raw(quoteText(search.tokenizer))})`
  const own = sql`SELECT shown.key, ${words} AS words, ${sql.raw(s)}.kv_lengths_1(t.texts) AS lengths FROM ${shownRows()} CROSS JOIN LATERAL (SELECT ${kept} OFFSET 0) AS t(texts) WHERE shown.collection = ${sql.raw(quoteText(collection))} OFFSET 0`
  return sql`${rows} AND found.key <> ALL(${shownKeys()}) UNION ALL SELECT ${columns} FROM (${own}) AS found WHERE ${isFound}`
}

function wanted(condition: SearchCondition, of: (wanted: Wanted) => Bindable, type: string): SQL {
  const { tokenizer } = condition.search
  return bind((operands) => of(wantedOf(operandAt(operands, condition.words), tokenizer)), type)
}
