import type Database from 'better-sqlite3'
import { and, type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { Mutation } from '../../commit/write.ts'
import { UniqueConstraintError } from '../../errors.ts'
import { decodeKey } from '../../key/codec.ts'
import type { StoredValue } from '../../value/encoding.ts'
import type { IndexDeclaration } from '../driver.ts'
import { fieldExpression, type IndexedCollection, type KvTables, ofCollection } from './table.ts'

/** Finds the row that stands in the way of a unique index, which the engine's error does not tell. */
export class UniqueIndexes {
  readonly #db: ReturnType<typeof drizzle>
  readonly #tables: KvTables
  readonly #unique: ReadonlyMap<string, readonly IndexDeclaration[]>

  constructor(connection: Database.Database, tables: KvTables, collections: readonly IndexedCollection[]) {
    this.#db = drizzle(connection)
    this.#tables = tables
    this.#unique = new Map(
      collections
        .map(({ name, indexes }) => [name, indexes.filter(({ unique }) => unique)] as const)
        .filter(([, indexes]) => indexes.length > 0),
    )
  }

  /** Whether one of these mutations may violate a unique index. */
  concern(mutations: readonly Mutation[]): boolean {
    return mutations.some(
      (mutation) => mutation.type === 'set' && this.#unique.has(mutation.collection ?? ''),
    )
  }

  /**
   * The key of an expired row that keeps `stored` from being written under `key`; `null` where no declared index is
   * violated. Throws UniqueConstraintError when the row has not expired.
   */
  expiredHolder(collection: string, key: Uint8Array, stored: StoredValue, now: number): Uint8Array | null {
    for (const { fields } of this.#unique.get(collection) ?? []) {
      const { kv } = this.#tables
      const sameFields: SQL[] = fields.map(
        (field) => sql`${fieldExpression(field)} = ${fieldExpression(field, sql`${stored.value}`)}`,
      )
      const holder = this.#db
        .select({ key: kv.key, expiresAt: kv.expiresAt })
        .from(kv)
        .where(and(ofCollection(collection), ...sameFields, sql`${kv.key} <> ${key}`))
        .get()
      if (holder === undefined) continue
      if (holder.expiresAt !== null && holder.expiresAt <= now) return holder.key
      throw new UniqueConstraintError(collection, fields, decodeKey(holder.key))
    }
    return null
  }
}
