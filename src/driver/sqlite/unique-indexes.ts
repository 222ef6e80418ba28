import type Database from 'better-sqlite3'
import { and, type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { Mutation } from '../../commit/write.ts'
import type { StoredValue } from '../../value/encoding.ts'
import { fieldExpression, type KvTables, ofCollection } from './table.ts'

/** A row that has what a unique index over these fields allows once. `expiresAt` in milliseconds since the epoch. */
export interface UniqueHolder {
  readonly key: Uint8Array
  readonly expiresAt: number | null
  readonly fields: readonly string[]
}

/** Finds the row that stands in the way of a unique index, which the engine's error does not tell. */
export class UniqueIndexes {
  readonly #db: ReturnType<typeof drizzle>
  readonly #tables: KvTables
  readonly #connection: Database.Database
  /** The fields of each unique index, by collection. */
  #unique: ReadonlyMap<string, readonly (readonly string[])[]>

  constructor(connection: Database.Database, tables: KvTables) {
    this.#db = drizzle(connection)
    this.#connection = connection
    this.#tables = tables
    this.#unique = readUniqueIndexes(connection)
  }

  /** Whether one of these mutations may violate a unique index. */
  concern(mutations: readonly Mutation[]): boolean {
    return mutations.some(
      (mutation) => mutation.type === 'set' && this.#unique.has(mutation.collection ?? ''),
    )
  }

  /** The row that keeps `stored` from being written under `key`; `null` where no index is violated. */
  holderOf(collection: string, key: Uint8Array, stored: StoredValue): UniqueHolder | null {
    // Another process may have declared one since.
    this.#unique = readUniqueIndexes(this.#connection)
    for (const fields of this.#unique.get(collection) ?? []) {
      const { kv } = this.#tables
      const sameFields: SQL[] = fields.map(
        (field) => sql`${fieldExpression(field)} = ${fieldExpression(field, sql`${stored.value}`)}`,
      )
      const holder = this.#db
        .select({ key: kv.key, expiresAt: kv.expiresAt })
        .from(kv)
        .where(and(ofCollection(collection), ...sameFields, sql`${kv.key} <> ${key}`))
        .get()
      if (holder !== undefined) return { ...holder, fields }
    }
    return null
  }
}

/** The unique indexes that the database has, whichever process declared them: read from the text that created them. */
function readUniqueIndexes(connection: Database.Database): Map<string, string[][]> {
  const texts = connection
    .prepare<[], string>(
      "SELECT sql FROM sqlite_schema WHERE tbl_name = 'kv' AND sql LIKE 'CREATE UNIQUE INDEX%'",
    )
    .pluck()
    .all()
  const unique = new Map<string, string[][]>()
  for (const text of texts) {
    const collection = /WHERE collection = '((?:[^']|'')*)'/.exec(text)?.[1]?.replaceAll("''", "'")
    // No name in a path holds a dot or a quote, so that the quotes around one can go.
    const fields = [...text.matchAll(/value ->> '\$\.([^']+)'/g)].map(([, path]) => path!.replaceAll('"', ''))
    if (collection === undefined || fields.length === 0) continue
    unique.set(collection, [...(unique.get(collection) ?? []), fields])
  }
  return unique
}
