import { type SQL, sql } from 'drizzle-orm'
import { isRank } from '../../../query/rank.ts'
import { type Field, isBigint } from '../../../schema/fields.ts'
import { meaningFunctions } from '../file/meaning-functions.ts'
import { fieldExpression, jsonPath, quoteText } from '../tables/table.ts'

/** Bytes are not JSON: SQLite would refuse them, or take them for its binary JSON. */
const rowJson = sql.raw('CASE WHEN kv.encoding < 2 THEN kv.value END')

const none = sql.raw('null')

/** The SQL for the fields of one collection, or of the elements of one of its arrays. */
export abstract class FieldSql {
  /** The field as SQLite compares it: a number, 0 or 1 for a boolean, a text, or the JSON text of an object or array. */
  abstract of(field: Field): SQL
  /** `integer`, `real`, `text`, `true`, `false`, `object`, `array`, `null`; null if the field is missing. */
  abstract typeOf(field: Field): SQL
  /** The items of an array, as rows of `json_each`. */
  abstract itemsOf(field: Field): SQL
  /** Whether a row may have the text '-0' there, which earlier releases wrote for -0. */
  abstract hasTextZeros(field: Field): boolean
  /** Whether the rows are those that a session was shown. */
  abstract readonly shown: boolean
  /** How many arrays contain its values. */
  protected abstract readonly depth: number
  /** The place of a field in the types of a row: a text as in JSON, between quotes. */
  protected abstract placeOf(field: Field): SQL

  /** What the text of a field stands for, according to the row's types: `Date`, `bigint`, …; null: for itself. */
  meaningOf(field: Field): SQL {
    const meaning = sql.raw(meaningFunctions.meaning)
    return sql`iif(kv.types is null, null, ${meaning}(kv.types, ${this.placeOf(field)}))`
  }

  /** The integer of a bigint, or the limit of 64 bits beyond it: an index on a bigint has it before the digits. */
  integerOf(field: Field): SQL {
    return sql`CAST(${this.of(field)} AS INTEGER)`
  }

  /**
   * What is equal for rows with the same value here: a number that JSON cannot express differs from its text, but -0 is 0; `true`
   * differs from 1, and an object from a text that looks like it.
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
    const isText = structure
      ? sql`${type} = 'text' and typeof(${value}) = 'text'`
      : sql`typeof(${value}) = 'text'`
    const meanings = sql`case when ${isText} then ${this.meaningOf(field)} end`
    return [value, boolean || structure ? kinds : none, isMixed ? meanings : none]
  }

  /** The fields of the elements of an array, which are rows of `itemsOf` named `alias`. */
  elements(field: Field): ElementSql {
    return new ElementSql(this.depth + 1, this.placeOf(field))
  }

  /** The order of rows by this field, in this direction. */
  orderOf(field: Field, direction: 'asc' | 'desc'): SQL {
    const to = sql.raw(direction)
    if (!isBigint(field.types)) return sql`${this.of(field)} ${to}`
    return sql`${this.integerOf(field)} ${to}, ${digitsOrder(this.of(field), direction)}`
  }
}

/** As in JSON, between quotes, because a name may contain what SQL text cannot. */
function escaped(path: string): string {
  return JSON.stringify(path).slice(1, -1)
}

/** Distinguishes bigints with the same SQLite integer: by sign and length, then by digits. */
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
   * `indexed`: the paths of indexes. Their expressions are repeated exactly, and no index has bytes. `withoutTextZeros`: paths
   * where no row has the text '-0'.
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
  /** A search does not find elements. */
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

  /** Anything but an object is not JSON here, but the value of its text. */
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
