import { and, type SQL, sql } from 'drizzle-orm'
import { hasLostUnique, mayViolate, type UniqueFields, type UniqueHolder } from '../../../commit/unique.ts'
import type { Mutation } from '../../../commit/write.ts'
import type { StoredValue } from '../../../value/encoding.ts'
import { drizzleOver } from '../module/drizzle-over.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { builtIndexes } from './indexes.ts'
import { indexedExpression, type KvTables, ofCollection } from './table.ts'

/** Finds the row that violates a unique index, which the engine's error does not name. */
export class UniqueIndexes {
  readonly #db: ReturnType<typeof drizzleOver>
  readonly #tables: KvTables
  readonly #connection: Connection
  #unique: UniqueFields

  constructor(connection: Connection, tables: KvTables) {
    this.#db = drizzleOver(connection)
    this.#connection = connection
    this.#tables = tables
    this.#unique = readUniqueIndexes(connection)
  }

  get isEmpty(): boolean {
    return this.#unique.size === 0
  }

  /** Reads the indexes again, since other processes may have declared or dropped some. Returns whether one was dropped. */
  refresh(): boolean {
    const before = this.#unique
    this.#unique = readUniqueIndexes(this.#connection)
    return hasLostUnique(before, this.#unique)
  }

  /** Whether one of these mutations could violate a unique index. */
  concern(mutations: readonly Mutation[]): boolean {
    return mayViolate(this.#unique, mutations)
  }

  /** The row that keeps `stored` from being written under `key`; `null` if no index is violated. */
  holderOf(collection: string, key: Uint8Array, stored: StoredValue): UniqueHolder | null {
    this.refresh()
    for (const fields of this.#unique.get(collection) ?? []) {
      const { kv } = this.#tables
      const sameFields: SQL[] = fields.map(
        (field) => sql`${indexedExpression(field)} = ${indexedExpression(field, sql`${stored.value}`)}`,
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

/** The unique indexes of the database, whichever process has declared them. */
function readUniqueIndexes(connection: Connection): Map<string, (readonly string[])[]> {
  const unique = new Map<string, (readonly string[])[]>()
  for (const { declaration } of builtIndexes(connection)) {
    if (!declaration?.unique) continue
    const { collection, fields } = declaration
    unique.set(collection, [...(unique.get(collection) ?? []), fields])
  }
  return unique
}
