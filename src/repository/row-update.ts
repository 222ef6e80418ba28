import type { SetMutation } from '../commit/write.ts'
import type { StoredRow } from '../driver/driver.ts'
import { ConflictError } from '../errors.ts'
import { keyText } from '../key/key-text.ts'
import type { Key } from '../key.types.ts'
import { toConflict } from '../store/atomic-operation.ts'
import { backOff } from '../store/backoff.ts'
import { KeyedMutex } from '../store/keyed-mutex.ts'
import type { RowStore } from '../store/row-store.ts'
import { retried } from '../trace/waiting.ts'

/** What was written, as which version, and whether there was no row before. */
export interface WrittenRow {
  readonly version: number
  readonly mutation: SetMutation
  readonly created: boolean
}

const mostAttempts = 100

/**
 * Reads a row, makes another of it, and writes that: once more where others have changed it in between. Those of this process wait for
 * each other; other processes' are found by the check.
 */
export class RowUpdates {
  readonly #store: RowStore
  readonly #turns = new KeyedMutex()

  constructor(store: RowStore) {
    this.#store = store
  }

  /**
   * Writes what `make` makes of the row, which is null where there is none. `pause` lets others pass while it waits for what may itself
   * update this row. Rejects with ConflictError after `attempts`.
   */
  async write(
    key: Key,
    make: (row: StoredRow | null, pause: () => void) => Promise<SetMutation>,
    attempts = mostAttempts,
  ): Promise<WrittenRow> {
    const encodedKey = this.#store.encodeKey(key)
    const lock = keyText(encodedKey)
    for (let attempt = 1; ; attempt++) {
      let leave = await this.#turns.enter(lock)
      try {
        await this.#store.settle(encodedKey)
        this.#store.assertOpen()
        const row = await this.#store.read({ type: 'get', key: encodedKey })
        const mutation = await make(row, () => {
          leave()
          leave = () => {}
        })
        const outcome = await this.#store.commit({
          checks: [{ key: mutation.key, version: row?.version ?? null }],
          mutations: [mutation],
        })
        if (outcome.type === 'committed') return { version: outcome.version, mutation, created: row === null }
        if (attempt >= attempts) throw new ConflictError(outcome.conflicts.map(toConflict), attempt)
      } finally {
        leave()
      }
      retried(this.#store.path, attempt)
      await backOff(this.#store.path, attempt)
    }
  }
}
