import { type SQL, sql } from 'drizzle-orm'
import type { SearchCondition } from '../../../query/condition.ts'
import type { HighlightedField } from '../../../query/highlight.ts'
import type { RankedSearch } from '../../../query/plan.ts'
import { hitMarks } from '../../driver.ts'
import { quoted, searchColumns, searchTables } from '../tables/search-tables.ts'
import { bound } from './binding.ts'

const isShown = sql.raw('in (select key from temp.kv_shown)')
/** How many characters in a field halve the weight of a hit. */
const halvedBy = 1_000

/** Whether a search finds a row. */
export function isFound(condition: SearchCondition, shown: boolean): SQL {
  return sql`kv.key in (${foundSql(condition, shown, (text) => [sql`${text}.key`])})`
}

/** The rows of `source` that a search finds, named `kv`, with their rank. */
export function rankedRows({ condition }: RankedSearch, source: string, shown: boolean): SQL {
  const found = foundSql(condition, shown, (text, index) => [
    sql`${text}.key`,
    sql`${rankOf(condition, text, index)} as rank`,
  ])
  return sql`(select kv.*, hit.rank from (${found}) as hit cross join ${sql.raw(source)} on kv.key = hit.key) as kv`
}

/** The text of each highlighted field of the row `kv.key`, with marks around its hits, as bytes for `textOfStored`. */
export function highlightsOf({ condition, highlight }: RankedSearch, shown: boolean): SQL[] {
  return highlight.map((field) => {
    const stored = highlightSql(condition, field, false)
    if (!shown) return stored
    return sql`case when kv.key ${isShown} then ${highlightSql(condition, field, true)} else ${stored} end`
  })
}

function highlightSql(condition: SearchCondition, { path, words }: HighlightedField, shown: boolean): SQL {
  const { index, text } = namesOf(condition, shown)
  const column = sql.raw(String(condition.search.fields.indexOf(path)))
  const [open, close] = [hitMarks.open, hitMarks.close].map((mark) => sql.raw(`char(${mark.charCodeAt(0)})`))
  const marked =
    words === null
      ? sql`highlight(${index}, ${column}, ${open}, ${close})`
      : sql`snippet(${index}, ${column}, ${open}, ${close}, '…', ${sql.raw(String(words))})`
  return sql`(select cast(${marked} as blob) from ${index} where ${index} match ${bound(condition.words)} and rowid = (select id from ${text} where key = kv.key))`
}

function foundSql(
  condition: SearchCondition,
  shown: boolean,
  columns: (text: SQL, index: SQL) => SQL[],
): SQL {
  const found = (ofShown: boolean) => {
    const { index, text } = namesOf(condition, ofShown)
    const list = sql.join(columns(text, index), sql.raw(', '))
    return sql`select ${list} from ${index} cross join ${text} on ${text}.id = ${index}.rowid where ${index} match ${bound(condition.words)}`
  }
  if (!shown) return found(false)
  const { text } = namesOf(condition, false)
  return sql`${found(false)} and ${text}.key not ${isShown} union all ${found(true)}`
}

/**
 * The sum of the weights of the fields, each reduced for few hits or much text: `weight * hits / (hits + 1 + length / 1000)`. It
 * depends only on the row; FTS5's `bm25` depends on all rows of the table.
 */
function rankOf({ search }: SearchCondition, text: SQL, index: SQL): SQL {
  const parts = searchColumns(search).map((name, at) => {
    const column = sql`${text}.${sql.raw(name)}`
    const hits = sql`(length(highlight(${index}, ${sql.raw(String(at))}, char(1), '')) - length(${column}))`
    const weight = sql.raw(Number(search.weights[at]).toExponential())
    return sql`coalesce(${weight} * ${hits} / (${hits} + 1.0 + length(${column}) / ${sql.raw(halvedBy.toFixed(1))}), 0.0)`
  })
  return sql`(${sql.join(parts, sql.raw(' + '))})`
}

function namesOf({ collection, search }: SearchCondition, shown: boolean) {
  const { index, text } = searchTables(collection, search, shown)
  return { index: sql.raw(quoted(index)), text: sql.raw(quoted(text)) }
}
