import { and, asc, count, gt, gte, isNull, lt, max, or } from 'drizzle-orm'
import { storeOf } from '../api/database.ts'
import type { InspectedDatabase } from '../api/open.ts'
import type { EngineName } from '../engines/engines.ts'
import type { KeyRange } from '../key/range.ts'

/** What the studio reads of the tables of a database, beside its repositories. */
export class OwnTables {
  readonly #db: InspectedDatabase<EngineName>
  /** Drizzle makes these statements for either engine by the same calls. Those of a server have to be awaited. */
  readonly #plain: InspectedDatabase<'sqlite'>

  constructor(db: InspectedDatabase<EngineName>) {
    this.#db = db
    this.#plain = db as InspectedDatabase<'sqlite'>
  }

  /** A number that grows with every new declaration. */
  async declared(): Promise<number> {
    const { drizzle, tables } = this.#plain
    const { kvCollections } = tables
    const [row] = await drizzle.select({ version: max(kvCollections.version) }).from(kvCollections)
    return row?.version ?? 0
  }

  /** How many keys belong to no repository. */
  async countOthers(): Promise<number> {
    const { drizzle, tables } = this.#plain
    const { kv } = tables
    const [row] = await drizzle.select({ count: count() }).from(kv).where(isNull(kv.collection))
    return row!.count
  }

  /** Keys in this range that belong to no repository, in their order. `after`: only those after it. */
  async otherKeys({ start, end }: KeyRange, after: Uint8Array | null, limit: number): Promise<Buffer[]> {
    const { drizzle, tables } = this.#plain
    const { kv } = tables
    const isInRange = after === null ? gte(kv.key, Buffer.from(start)) : gt(kv.key, Buffer.from(after))
    const isAlive = or(isNull(kv.expiresAt), gt(kv.expiresAt, storeOf(this.#db)!.now()))
    const rows = await drizzle
      .select({ key: kv.key })
      .from(kv)
      .where(and(isNull(kv.collection), isInRange, lt(kv.key, Buffer.from(end)), isAlive))
      .orderBy(asc(kv.key))
      .limit(limit)
    return rows.map(({ key }) => key)
  }
}
