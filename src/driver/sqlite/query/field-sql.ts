import { type SQL, sql } from 'drizzle-orm'
import { isRank } from '../../../query/rank.ts'
import { type Field, isBigint } from '../../../schema/fields.ts'
import { meaningFunctions } from '../file/meaning-functions.ts'
import { fieldExpression, jsonPath, quoteText } from '../tables/table.ts'

/** Bytes are not JSON: SQLite would refuse them, or take them for its binary form of JSON. */
const rowJson = sql.raw('CASE WHEN kv.encoding < 2 THEN kv.value END')

const none = sql.raw('null')

/** How the fields of one collection, or those of the elements of one of its arrays, stand in SQL. */
export abstract class FieldSql {
  /** The field as SQLite compares it: a number, 0 or 1 for a boolean, a text, the JSON text of an object or array. */
  abstract of(field: Field): SQL
  /** `integer`, `real`, `text`, `true`, `false`, `object`, `array`, `null`; null if the field is not there. */
  abstract typeOf(field: Field): SQL
  /** The items of a field that is an array, as rows of `json_each`. */
  abstract itemsOf(field: Field): SQL
  /** Whether a row may hold the text '-0' there, as files of earlier releases do for -0. */
  abstract hasTextZeros(field: Field): boolean
  /** Whether rows that a session is shown stand instead of those that are stored. */
  abstract readonly shown: boolean
  /** How many arrays its values are elements of. */
  protected abstract readonly depth: number
  /** The place of a field in the types of a row: a text as it stands in JSON, between quotes. */
  protected abstract placeOf(field: Field): SQL

  /** What the text of a field stands for, as a row's types tell: `Date`, `bigint`, …; null: for itself. */
  meaningOf(field: Field): SQL {
    const meaning = sql.raw(meaningFunctions.meaning)
    return sql`iif(kv.types is null, null, ${meaning}(kv.types, ${this.placeOf(field)}))`
  }

  /** The integer that a bigint is, or the one at its end of 64 bits: an index on a bigint holds it before its digits. */
  integerOf(field: Field): SQL {
    return sql`CAST(${this.of(field)} AS INTEGER)`
  }

  /**
   * What rows agree in that have the same value here: a number that JSON does not have is none of its text, but -0 is 0; `true` is
   * none of 1, nor is an object a text that looks like it.
   */
  identityOf(field: Field): readonly [value: SQL, kind: SQL, meaning: SQL] {
    const { number, string, boolean, date, bigint, structure } = field.types
    const found = this.of(field)
    const isZero = string
      ? sql`${found} = '-0' and ${this.meaningOf(field)} is 'number'`
      : sql`${found} = '-0'`
    const value = number ? sql`case when ${isZero} then 0 else ${found} end` : found
    const type = this.typeOf(field)
    const kinds = sql`case when ${type} in ('true', 'false', 'object', 'array') then ${type} end`
    const isMixed = [number, string || structure, date, bigint].filter(Boolean).length > 1
    const meanings = sql`case when typeof(${value}) = 'text' then ${this.meaningOf(field)} end`
    return [value, boolean || structure ? kinds : none, isMixed ? meanings : none]
  }

  /** The fields of the elements of an array, the rows of `itemsOf` under the name of `alias`. */
  elements(field: Field): ElementSql {
    return new ElementSql(this.depth + 1, this.placeOf(field))
  }

  /** Of what a row's order has, in this direction. */
  orderOf(field: Field, direction: 'asc' | 'desc'): SQL {
    const to = sql.raw(direction)
    if (!isBigint(field.types)) return sql`${this.of(field)} ${to}`
    return sql`${this.integerOf(field)} ${to}, ${digitsOrder(this.of(field), direction)}`
  }
}

/** As it stands in JSON, between quotes: a name may hold what no SQL text may. */
function escaped(path: string): string {
  return JSON.stringify(path).slice(1, -1)
}

/** Tells bigints apart that are one integer to SQLite: by sign and length, then by their digits. */
export function digitsOrder(digits: SQL, direction: 'asc' | 'desc'): SQL {
  const [to, back] = direction === 'asc' ? ['asc', 'desc'] : ['desc', 'asc']
  const isNegative = sql`${digits} < '0'`
  return sql`case when ${isNegative} then -length(${digits}) else length(${digits}) end ${sql.raw(to)}, case when ${isNegative} then null else ${digits} end ${sql.raw(to)}, case when ${isNegative} then ${digits} end ${sql.raw(back)}`
}

/** The fields of rows of `kv`. */
export class RowSql extends FieldSql {
  readonly shown: boolean
  protected readonly depth = 0
  readonly #indexed: ReadonlySet<string>
  readonly #withoutTextZeros: ReadonlySet<string>

  /**
   * `indexed`: the paths that indexes are over. Their expression is repeated to the letter, and no index holds bytes.
   * `withoutTextZeros`: paths where no row holds the text '-0'.
   */
  constructor(indexed: ReadonlySet<string>, withoutTextZeros: ReadonlySet<string>, shown = false) {
    super()
    this.shown = shown
    this.#indexed = indexed
    this.#withoutTextZeros = withoutTextZeros
  }

  hasTextZeros({ path }: Field): boolean {
    return !this.#withoutTextZeros.has(path)
  }

  of(field: Field): SQL {
    if (isRank(field)) return sql.raw('kv.rank')
    const { path, names } = field
    const value = this.#indexed.has(path) ? sql.raw('kv.value') : sql`(${rowJson})`
    return fieldExpression(names, value)
  }

  typeOf({ names }: Field): SQL {
    return sql`json_type(${rowJson}, ${jsonPath(names)})`
  }

  itemsOf({ names }: Field): SQL {
    return sql`json_each(${rowJson}, ${jsonPath(names)})`
  }

  protected placeOf({ path }: Field): SQL {
    return sql.raw(quoteText(escaped(path)))
  }
}

/** The fields of the elements of an array; without a name, the element itself. */
export class ElementSql extends FieldSql {
  /** No element is found by a search. */
  readonly shown = false
  protected readonly depth: number
  readonly alias: SQL
  readonly #array: SQL

  constructor(depth: number, array: SQL) {
    super()
    this.depth = depth
    this.alias = sql.raw(`element${depth}`)
    this.#array = array
  }

  hasTextZeros(): boolean {
    return true
  }

  /** Whatever is not an object is not JSON here, but the value that its text is. */
  get #json(): SQL {
    return sql`case when ${this.alias}.type in ('object', 'array') then ${this.alias}.value end`
  }

  of({ names }: Field): SQL {
    return names.length === 0 ? sql`${this.alias}.value` : fieldExpression(names, sql`(${this.#json})`)
  }

  typeOf({ names }: Field): SQL {
    return names.length === 0 ? sql`${this.alias}.type` : sql`json_type(${this.#json}, ${jsonPath(names)})`
  }

  itemsOf({ names }: Field): SQL {
    return names.length === 0
      ? sql`json_each(${this.#json})`
      : sql`json_each(${this.#json}, ${jsonPath(names)})`
  }

  protected placeOf({ path, names }: Field): SQL {
    const element = sql`${this.#array} || '.' || ${this.alias}.key`
    return names.length === 0
      ? sql`(${element})`
      : sql`(${element} || ${sql.raw(quoteText(`.${escaped(path)}`))})`
  }
}
