import type { Reader, StoredRow } from '../driver/driver.ts'
import type { WatchHub } from './hub.ts'
import type { Subscription } from './subscription.ts'
import type { WatchSource } from './watch-stream.ts'

/** What is watched, and how an entry is made of a row; `index` is that of the key. */
export interface WatchedKeys<E> {
  readonly driver: Reader
  readonly hub: WatchHub
  readonly keys: readonly Uint8Array[]
  readonly toEntry: (row: StoredRow | null, index: number) => E | Promise<E>
}

/** The entries of some keys from one snapshot: as they are now, then each time that one of them is another version. */
export class KeyWatch<E> implements WatchSource<E[]> {
  readonly #watched: WatchedKeys<E>
  #given: readonly (number | null)[] | null = null
  #subscription: Subscription | null = null

  constructor(watched: WatchedKeys<E>) {
    this.#watched = watched
  }

  async next(isWanted: () => boolean): Promise<{ readonly item: E[] } | null> {
    const { hub, keys } = this.#watched
    const subscription = await hub.watchKeys(keys)
    this.#subscription = subscription
    try {
      while (isWanted()) {
        subscription.arm()
        const state = await this.#readChanged()
        if ('item' in state) return state
        await subscription.changed(state.expiry)
      }
      return null
    } finally {
      this.#subscription = null
      subscription.end()
    }
  }

  wake(): void {
    this.#subscription?.wake()
  }

  /** The entries where they are not those that were given last, else when the first of them expires. */
  async #readChanged(): Promise<{ readonly item: E[] } | { readonly expiry: number | null }> {
    const { driver, keys, toEntry } = this.#watched
    const rows = await driver.getMany(keys)
    const given = this.#given
    if (given?.every((version, i) => version === versionOf(rows[i]!))) return { expiry: firstExpiry(rows) }
    this.#given = rows.map(versionOf)
    return { item: await Promise.all(rows.map(toEntry)) }
  }
}

function versionOf(row: StoredRow | null): number | null {
  return row === null ? null : row.version
}

function firstExpiry(rows: readonly (StoredRow | null)[]): number | null {
  let first: number | null = null
  for (const row of rows) {
    const expiresAt = row?.expiresAt ?? null
    if (expiresAt !== null && (first === null || expiresAt < first)) first = expiresAt
  }
  return first
}
