import type { Driver } from 'unstorage'
import { type AdaptedDatabase, type AdapterOptions, TextKeys } from './adapters/text-keys.ts'
import { storeOf } from './api/database.ts'
import { checkOptionNames } from './arguments/option-names.ts'

export type { AdaptedDatabase, AdapterOptions }

/** How the driver uses its database. */
export interface UnstorageOptions extends AdapterOptions {
  /** How many seconds to keep a value if the call passes no `ttl`. Left out: it stays. */
  readonly ttl?: number | undefined
}

/**
 * A driver for [unstorage](https://unstorage.unjs.io), in an open database, below its own prefix: `['unstorage']` unless the
 * options say otherwise. Values expire by `ttl`, `setItems` writes in one commit, `getItems` reads one state, raw values are
 * stored as they are, and `watch` sees the changes of every process. Disposing of the storage leaves the database open.
 *
 * ```ts
 * import { createStorage } from 'unstorage'
 * import { unstorageDriver } from 'valkeyrie/unstorage'
 *
 * const storage = createStorage({ driver: unstorageDriver(db) })
 * await storage.setItem('pages:home', { title: 'Home' }, { ttl: 60 })
 * await storage.getItem('pages:home') // => { title: 'Home' }
 * await storage.getKeys('pages') // => ['pages:home']
 * ```
 *
 * Throws a TypeError if the database is not an open one, or the prefix is not a key.
 */
export function unstorageDriver(db: AdaptedDatabase, options: UnstorageOptions = {}): Driver {
  checkOptionNames(options, ['prefix', 'ttl'], 'unstorageDriver')
  checkTtl(options.ttl)
  const keys = new TextKeys(db, options.prefix ?? ['unstorage'], 'unstorageDriver')
  const watches = new Set<AbortController>()

  const expiry = (own: unknown, common?: unknown) => {
    const ttl = own ?? common ?? options.ttl
    checkTtl(ttl)
    return ttl && ttl !== Number.POSITIVE_INFINITY ? { expireIn: ttl * 1_000 } : {}
  }
  const get = async (key: string) => {
    const { value, versionstamp } = await db.get(keys.of(key))
    return versionstamp === null ? null : value
  }
  const set = async (key: string, value: unknown, call?: { ttl?: unknown }) => {
    await db.set(keys.of(key), value, expiry(call?.ttl))
  }

  return {
    name: 'valkeyrie',
    flags: { ttl: true },
    options,
    getInstance: () => db,
    hasItem: async (key) => (await db.get(keys.of(key))).versionstamp !== null,
    getItem: async (key) => (await get(key)) as never,
    getItemRaw: get,
    async getItems(items) {
      const entries = await db.getMany(items.map(({ key }) => keys.of(key)))
      return entries.map(({ value }, i) => ({ key: items[i]!.key, value: value as never }))
    },
    setItem: set,
    setItemRaw: set,
    async setItems(items, common) {
      if (items.length === 0) return
      const writes = db.atomic()
      for (const { key, value, options: own } of items)
        writes.set(keys.of(key), value, expiry(own?.['ttl'], common?.['ttl']))
      await writes.commit()
    },
    removeItem: (key) => db.delete(keys.of(key)),
    async getMeta(key) {
      const { versionstamp, expiresAt } = await db.get(keys.of(key))
      if (versionstamp === null) return null
      if (expiresAt === null) return { versionstamp }
      // A server has its own clock, which is known to some milliseconds here.
      const left = expiresAt - (storeOf(db)?.now() ?? Date.now())
      return { versionstamp, ttl: Math.max(1, Math.round(left / 1_000)) }
    },
    async getKeys(base) {
      const found: string[] = []
      for await (const [key] of keys.list(base)) found.push(key)
      return found
    },
    clear: (base) => keys.clear(base),
    watch(callback) {
      const watch = new AbortController()
      watches.add(watch)
      const { signal } = watch
      const changes = db.changes({ prefix: keys.prefix, signal })
      const follow = async () => {
        for await (const { type, key } of changes) {
          const text = keys.textOf(key)
          if (text !== undefined) callback(type === 'set' ? 'update' : 'remove', text)
        }
      }
      follow().catch((error) => {
        if (!signal.aborted) process.emitWarning(error)
      })
      return () => {
        watches.delete(watch)
        watch.abort()
      }
    },
    dispose() {
      for (const watch of watches) watch.abort()
      watches.clear()
    },
  }
}

function checkTtl(ttl: unknown): asserts ttl is number | undefined {
  if (ttl === undefined || ttl === null || ttl === 0) return
  if (typeof ttl !== 'number' || !(ttl > 0))
    throw new RangeError(
      `ttl must be a number of seconds above 0 (got ${String(ttl)}); leave it out to keep the value`,
    )
}
