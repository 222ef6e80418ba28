import { type Database, type Definition, type KeyPart, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
import { waitFor } from '../stream-control/wait-for.ts'

/** A group and a key in it: what belongs to one group can be forgotten together. */
export type CacheId = readonly [group: KeyPart, key: KeyPart]

/** Comes by a value, and gives up when the signal aborts. */
export type Fetch<V> = (signal: AbortSignal) => Promise<V>

/** What is stored under an id: a value, or the lease of who is fetching it. */
type CacheRow<V> = { readonly state: 'fetching' } | { readonly state: 'cached'; readonly value: V }

type CacheDefinition<V> = Definition<
  readonly ['cache', '*', '*'],
  z.ZodType<CacheRow<V>, CacheRow<V>>,
  'cache',
  Record<never, never>
>

/** Cached values of one schema. A file of their own, so that they can be removed, and do not wait for other data's writers. */
export type CachedValues<V> = Database<readonly [CacheDefinition<V>]>

export function openCachedValues<V>(
  values: z.ZodType<V, V>,
  path?: string,
  options?: OpenOptions,
): Promise<CachedValues<V>> {
  const row: z.ZodType<CacheRow<V>, CacheRow<V>> = z.discriminatedUnion('state', [
    z.object({ state: z.literal('fetching') }),
    z.object({ state: z.literal('cached'), value: values }),
  ])
  const definition: CacheDefinition<V> = defineSchema(['cache', '*', '*'], row, { name: 'cache' })
  return Valkeyrie.withSchemas([definition]).open(path, options)
}

export interface CacheTimes {
  /** How long a value counts, in milliseconds. */
  readonly ttl: number
  /** How long a fetch may take, in milliseconds: so long the others wait for a process that has died while it fetched. */
  readonly lease: number
}

/**
 * Values that are expensive to come by, for every process that opens the file. A value that is missing is fetched once,
 * however many ask for it at the same time.
 *
 * Who finds a row missing creates it as a lease, and one of those who try succeeds. The lease's versionstamp is the right to
 * replace it: whatever is written to the row or removes it (an invalidation, a newer value, the end of the lease) takes
 * that right away, and with it the chance that a result that has become stale is stored.
 */
export class Cache<V> {
  readonly #db: CachedValues<V>
  readonly #times: CacheTimes
  /** The fetches of this process, by the versionstamps of their leases. */
  readonly #fetches = new Map<string, Promise<V>>()

  constructor(db: CachedValues<V>, times: CacheTimes) {
    this.#db = db
    this.#times = times
  }

  /** The value in an object, since it may be null or undefined itself; `null` where there is none. */
  async get(id: CacheId): Promise<{ readonly value: V } | null> {
    const { value: row } = await this.#db.repositories.cache.get(id)
    return row?.state === 'cached' ? { value: row.value } : null
  }

  /** Stores a value, also in place of one that is being fetched. */
  async set(id: CacheId, value: V, ttl = this.#times.ttl): Promise<void> {
    await this.#db.repositories.cache.set(id, { state: 'cached', value }, { expireIn: ttl })
  }

  /**
   * The value, fetched where it is missing. The signal of `fetch` aborts when its lease is over and others may fetch. Where it
   * rejects, so do the calls of this process that wait for it, and nothing is stored; one of another process begins a
   * fetch of its own.
   */
  async getOrFetch(id: CacheId, fetch: Fetch<V>): Promise<V> {
    const { cache } = this.#db.repositories
    for (;;) {
      const { value: row, versionstamp } = await cache.get(id)
      if (row?.state === 'cached') return row.value
      if (row === null) {
        const lease = await this.#takeLease(id)
        if (lease === null) continue
        const fetching = this.#fetch(id, lease, fetch)
        this.#fetches.set(lease, fetching)
        return fetching
      }
      // Looked up by the lease that is stored now: a fetch that was invalidated gives its result to nobody who asks later.
      const own = this.#fetches.get(versionstamp)
      if (own !== undefined) return own
      await waitFor(
        (signal) => cache.watch(id, { signal }),
        (now) => now.versionstamp !== versionstamp,
        this.#times.lease,
      )
    }
  }

  /** Forgets a value, and the result of a fetch that is under way. */
  async invalidate(id: CacheId): Promise<void> {
    await this.#db.repositories.cache.delete(id)
  }

  /**
   * Forgets all values of a group, or of all groups, in one commit; how many rows that were. Rows that come in while they are
   * listed belong to fetches that have begun later, and are fresh. There is no check, since there is nothing that a
   * row could have become in between that should stay; so a busy cache does not stand in the way.
   */
  async invalidateAll(prefix: readonly [group: KeyPart] | readonly [] = []): Promise<number> {
    const removal = this.#db.atomic()
    let count = 0
    for await (const { key } of this.#db.repositories.cache.list({ prefix })) {
      removal.delete(key)
      count += 1
    }
    if (count > 0) await removal.commit()
    return count
  }

  /** The versionstamp of the lease, `null` where somebody else has come first. */
  async #takeLease(id: CacheId): Promise<string | null> {
    const key = this.#db.repositories.cache.key(id)
    const result = await this.#db
      .atomic()
      .check({ key, versionstamp: null })
      .set(key, { state: 'fetching' }, { expireIn: this.#times.lease })
      .commit()
    return result.ok ? result.versionstamp : null
  }

  async #fetch(id: CacheId, lease: string, fetch: Fetch<V>): Promise<V> {
    const key = this.#db.repositories.cache.key(id)
    const mine = { key, versionstamp: lease }
    try {
      const value = await fetch(AbortSignal.timeout(this.#times.lease))
      const cached = { state: 'cached', value } as const
      await this.#db.atomic().check(mine).set(key, cached, { expireIn: this.#times.ttl }).commit()
      return value
    } catch (error) {
      await this.#db.atomic().check(mine).delete(key).commit()
      throw error
    } finally {
      this.#fetches.delete(lease)
    }
  }
}
