import type { PlannedRow } from '../../../commit/planned-transaction.ts'
import type { HeldValue, HeldValues, UniqueFields } from '../../../commit/unique.ts'
import type { StoredValue } from '../../../value/encoding.ts'
import { quoteName, quoteText } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { byteas, jsons } from '../values/binary-array.ts'
import { escapeJson } from '../values/json-text.ts'
import type { BuiltIndex } from './indexes.ts'
import { indexedColumns, type TypedIndex } from './typed-index.ts'

type Put = Extract<PlannedRow, { readonly type: 'put' }>

/** The unique indexes of a database, whichever process has declared them. */
export class UniqueIndexes {
  readonly #s: string
  #indexes: readonly TypedIndex[] = []
  #fields: UniqueFields = new Map()

  constructor(schema: string, built: readonly BuiltIndex[]) {
    this.#s = quoteName(schema)
    this.know(built)
  }

  /** The fields of each, by the name of its collection. */
  get fields(): UniqueFields {
    return this.#fields
  }

  /** Another process may have declared or dropped one. */
  know(built: readonly BuiltIndex[]): void {
    this.#indexes = built.flatMap(({ index }) => (index?.unique ? [index] : []))
    const fields = new Map<string, (readonly string[])[]>()
    for (const { collection, fields: one } of this.#indexes)
      fields.set(collection, [...(fields.get(collection) ?? []), one])
    this.#fields = fields
  }

  /** What violates a unique index for the rows of a plan: stored rows, and rows of the plan itself. */
  async holdersOf(rows: readonly PlannedRow[], run: RunStatement): Promise<HeldValues> {
    const held = new Map<StoredValue, HeldValue[]>()
    for (const index of this.#indexes) {
      const puts = rows.filter((row): row is Put => row.type === 'put' && row.collection === index.collection)
      if (puts.length === 0) continue
      const values = [
        byteas(puts.map(({ key }) => key)),
        jsons(puts.map(({ stored: { value } }) => (typeof value === 'string' ? escapeJson(value) : null))),
      ]
      for (const [at, key, expiresAt, version, other] of await run({ text: this.#select(index) }, values)) {
        const { stored } = puts[(at as number) - 1]!
        const holder = { key: key as Uint8Array, expiresAt: expiresAt as number | null, fields: index.fields }
        const one =
          other === null
            ? { ...holder, version: version as number }
            : { ...holder, stored: puts[(other as number) - 1]!.stored }
        held.set(stored, [...(held.get(stored) ?? []), one])
      }
    }
    return held
  }

  #select(index: TypedIndex): string {
    const same = (a: string, b: string) => {
      const [columns, others] = [indexedColumns(index, a), indexedColumns(index, b)]
      return columns.map((column, i) => `${column} = ${others[i]}`).join(' and ')
    }
    return `with wanted as (
        select * from unnest($1::bytea[], $2::json[]) with ordinality as w(key, value, place)
      )
      select w.place, kv.key, kv.expires_at, kv.version, null::bigint from wanted w join ${this.#s}.kv
        on kv.collection = ${quoteText(index.collection)} and kv.key <> w.key and ${same('kv.value', 'w.value')}
      union all
      select w.place, o.key, null, null, o.place from wanted w join wanted o on o.place <> w.place and ${same('o.value', 'w.value')}`
  }
}
