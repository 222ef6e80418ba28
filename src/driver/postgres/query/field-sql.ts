import { type SQL, sql } from 'drizzle-orm'
import type { Direction } from '../../../query/plan.ts'
import { isRank } from '../../../query/rank.ts'
import type { Field } from '../../../schema/fields.ts'
import { quoteText } from '../server/sql-text.ts'
import { columnsOf, type FieldColumn, formOf, type JsonPlace, placeOf } from '../tables/field-columns.ts'
import { escapeText } from '../values/json-text.ts'
import { everyElement } from '../values/meanings.ts'
import type { SearchSource } from './search-sql.ts'

/** The rank of a row that a search has found, as `rankedRows` gives it. */
const rankColumns: readonly FieldColumn[] = [{ sql: sql.raw('kv.rank'), type: 'float8' }]

/** The SQL for the fields of one collection, or of the elements of one of its arrays. */
export abstract class FieldSql {
  protected abstract readonly root: SQL
  /** Where the words of its rows are looked for. */
  abstract readonly searched: SearchSource
  /** How many arrays contain its values. */
  protected abstract readonly depth: number
  /** The path of a field, as in the types of a row. */
  protected abstract pathOf(field: Field): SQL

  /** Whether conditions must use all columns of a field, as an index has them. */
  abstract isIndexed(field: Field): boolean
  /** What the text of a field stands for, according to the row's types: `Date`, `bigint`, …; null: for itself. */
  abstract meaningOf(field: Field): SQL

  placeOf({ names }: Field): JsonPlace {
    return placeOf(this.root, names)
  }

  /** The field as text; null if it is null or missing. */
  textOf(field: Field): SQL {
    return this.placeOf(field).text
  }

  /** `string`, `number`, `boolean`, `array` or `object`; null if the field is null or missing. */
  typeOf(field: Field): SQL {
    return sql`nullif(json_typeof(${this.placeOf(field).node}), 'null')`
  }

  /** The columns by which rows are ordered, and found in an index. */
  columnsOf(field: Field): readonly FieldColumn[] {
    return columnsOf(formOf(field.types), this.placeOf(field))
  }

  /** The first of its columns, which is null for a missing value. */
  firstOf(field: Field): SQL {
    return this.columnsOf(field)[0]!.sql
  }

  /**
   * What is equal for rows with the same value here: `true` differs from 1, an object from a text that looks like it, and a bigint
   * from its digits. `kind` and `meaning` are null if the schema allows only one.
   */
  identityOf(field: Field): Identity {
    const { number, string, boolean, date, bigint, structure } = field.types
    const type = this.typeOf(field)
    const isMixed = [number, string || structure, date, bigint].filter(Boolean).length > 1
    return {
      value: this.columnsOf(field),
      kind:
        boolean || structure
          ? sql`CASE ${type} WHEN 'boolean' THEN ${this.textOf(field)} WHEN 'object' THEN 'object' WHEN 'array' THEN 'array' END`
          : null,
      meaning: isMixed ? sql`CASE ${type} WHEN 'string' THEN ${this.meaningOf(field)} END` : null,
    }
  }

  orderOf(field: Field, direction: Direction): SQL {
    return orderBy(this.columnsOf(field), direction)
  }

  /** The items of an array, as rows named `elements`. */
  itemsOf(field: Field): SQL {
    const { node } = this.placeOf(field)
    return sql`json_array_elements(CASE json_typeof(${node}) WHEN 'array' THEN ${node} END) WITH ORDINALITY`
  }

  /** The fields of the elements of an array. */
  elements(field: Field): ElementSql {
    return new ElementSql(this.depth + 1, this.pathOf(field), this.searched)
  }
}

export interface Identity {
  readonly value: readonly FieldColumn[]
  readonly kind: SQL | null
  readonly meaning: SQL | null
}

/** Missing values come first. */
export function orderBy(columns: readonly FieldColumn[], direction: Direction): SQL {
  const to = sql.raw(direction === 'asc' ? 'asc nulls first' : 'desc nulls last')
  return sql.join(
    columns.map((column) => sql`${column.sql} ${to}`),
    sql.raw(', '),
  )
}

/** The fields of rows of `kv`. */
export class RowSql extends FieldSql {
  protected readonly root = sql.raw('kv.value')
  protected readonly depth = 0
  readonly searched: SearchSource
  readonly #indexed: ReadonlySet<string>

  /** `indexed`: the paths of indexes. */
  constructor(indexed: ReadonlySet<string>, searched: SearchSource) {
    super()
    this.searched = searched
    this.#indexed = indexed
  }

  isIndexed({ path }: Field): boolean {
    return this.#indexed.has(path)
  }

  override columnsOf(field: Field): readonly FieldColumn[] {
    return isRank(field) ? rankColumns : super.columnsOf(field)
  }

  meaningOf(field: Field): SQL {
    const path = this.pathOf(field)
    return meaningSql(sql`kv.meanings ->> ${path}`, path)
  }

  protected pathOf({ path }: Field): SQL {
    return sql.raw(quoteText(escapeText(path)))
  }
}

/** The fields of the elements of an array; without a name, the element itself. */
export class ElementSql extends FieldSql {
  protected readonly root: SQL
  protected readonly depth: number
  readonly searched: SearchSource
  readonly #array: SQL
  /** What follows `as`: the name of the rows, and their columns. */
  readonly columns: SQL
  readonly alias: SQL

  constructor(depth: number, array: SQL, searched: SearchSource) {
    super()
    this.searched = searched
    this.depth = depth
    this.alias = sql.raw(`element${depth}`)
    this.columns = sql`${this.alias}(value, place)`
    this.root = sql`${this.alias}.value`
    this.#array = array
  }

  isIndexed(): boolean {
    return false
  }

  meaningOf(field: Field): SQL {
    const path = this.pathOf(field)
    if (field.names.length > 0) return meaningSql(sql`kv.meanings ->> ${path}`, path)
    const ofEach = sql.raw(quoteText(`.${everyElement}`))
    const told = sql`coalesce(kv.meanings ->> ${path}, kv.meanings ->> (${this.#array} || ${ofEach}))`
    return meaningSql(told, path)
  }

  protected pathOf({ path, names }: Field): SQL {
    const element = sql`${this.#array} || '.' || (${this.alias}.place - 1)`
    const below =
      names.length === 0 ? element : sql`${element} || ${sql.raw(quoteText(`.${escapeText(path)}`))}`
    return sql`(${below})`
  }
}

/** What a row says about a text: its meanings, if it has any, otherwise the words of its types. */
function meaningSql(told: SQL, path: SQL): SQL {
  return sql`(CASE WHEN kv.types IS NULL THEN NULL WHEN kv.meanings IS NULL THEN kv.types -> 'values' -> ${path} ->> 0 ELSE ${told} END)`
}
