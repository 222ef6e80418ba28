import { type SQL, sql } from 'drizzle-orm'
import type { Field } from '../../../query/fields.ts'
import { fieldExpression, jsonPath } from '../table.ts'

const value = sql.raw('kv.value')
/** Bytes are no JSON: SQLite would refuse them, or take them for its binary form of JSON. */
const jsonValue = sql.raw('CASE WHEN kv.encoding < 2 THEN kv.value END')

/** How the fields of one collection stand in SQL. */
export class FieldSql {
  readonly #indexed: ReadonlySet<string>

  /** `indexed`: the paths that indexes are over. Their expression is repeated to the letter, and no index holds bytes. */
  constructor(indexed: ReadonlySet<string>) {
    this.#indexed = indexed
  }

  /** The field as SQLite compares it: a number, 0 or 1 for a boolean, a text, the JSON text of an object or array. */
  of({ path }: Field): SQL {
    if (this.#indexed.has(path)) return fieldExpression(path, value)
    return fieldExpression(path, sql`(${jsonValue})`)
  }

  /** `integer`, `real`, `text`, `true`, `false`, `object`, `array`, `null`; null where the field is not there. */
  typeOf({ path }: Field): SQL {
    return sql`json_type(${jsonValue}, ${jsonPath(path)})`
  }

  /** The items of a field that is an array, as rows of `json_each`. */
  itemsOf({ path }: Field): SQL {
    return sql`json_each(${jsonValue}, ${jsonPath(path)})`
  }
}
