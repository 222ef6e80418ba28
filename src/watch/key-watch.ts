import type { WatchHub } from '../broadcast/hub.ts'
import type { Watched, WatchedState } from '../broadcast/shared-watch.ts'
import type { Subscription } from '../broadcast/subscription.ts'
import type { Reader, StoredRow } from '../driver/driver.ts'
import { keyText } from '../key/key-text.ts'

type Rows = readonly (StoredRow | null)[]

/** The rows of some keys, from one state. */
export class KeyWatch implements Watched<Rows> {
  readonly #driver: Reader
  readonly #hub: WatchHub
  readonly #keys: readonly Uint8Array[]

  constructor(driver: Reader, hub: WatchHub, keys: readonly Uint8Array[]) {
    this.#driver = driver
    this.#hub = hub
    this.#keys = keys
  }

  /** Equal only for the same keys. */
  static nameOf(keys: readonly Uint8Array[]): string {
    return `keys ${keys.map((key) => `${key.length}:${keyText(key)}`).join('')}`
  }

  subscribe(): Promise<Subscription> {
    return this.#hub.watchKeys(this.#keys)
  }

  async look(): Promise<WatchedState<Rows>> {
    const rows = await this.#driver.read({ type: 'getMany', keys: this.#keys })
    return { token: rows.map((row) => row?.version ?? '').join(), shown: rows, expiry: firstExpiry(rows) }
  }
}

function firstExpiry(rows: Rows): number | null {
  let first: number | null = null
  for (const row of rows) {
    const expiresAt = row?.expiresAt ?? null
    if (expiresAt !== null && (first === null || expiresAt < first)) first = expiresAt
  }
  return first
}
