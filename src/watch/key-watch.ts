import type { Reader, StoredRow } from '../driver/driver.ts'
import type { WatchHub } from './hub.ts'
import type { Subscription } from './subscription.ts'
import type { WatchSource } from './watch-stream.ts'

/** What is watched, and what is made of the rows of these keys. */
export interface WatchedKeys<T> {
  readonly driver: Reader
  readonly hub: WatchHub
  readonly keys: readonly Uint8Array[]
  readonly toItem: (rows: readonly (StoredRow | null)[]) => Promise<T>
}

/** The rows of some keys, from one snapshot: as they are now, then each time that one of them is another version. */
export class KeyWatch<T> implements WatchSource<T> {
  readonly #watched: WatchedKeys<T>
  #given: readonly (number | null)[] | null = null
  #subscription: Subscription | null = null

  constructor(watched: WatchedKeys<T>) {
    this.#watched = watched
  }

  async next(isWanted: () => boolean): Promise<{ readonly item: T } | null> {
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

  /** The item where it is not the one that was given last, else when the first of its rows expires. */
  async #readChanged(): Promise<{ readonly item: T } | { readonly expiry: number | null }> {
    const { driver, keys, toItem } = this.#watched
    const rows = await driver.read({ type: 'getMany', keys })
    const given = this.#given
    if (given?.every((version, i) => version === versionOf(rows[i]!))) return { expiry: firstExpiry(rows) }
    this.#given = rows.map(versionOf)
    return { item: await toItem(rows) }
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
