import type { SetMutation } from '../../commit/write.ts'
import type { Key } from '../../contract/key.types.ts'
import type { StoredRow } from '../../driver/driver.ts'
import { keyText } from '../../key/key-text.ts'
import { KeyedMutex } from '../../store/keyed-mutex.ts'
import { retryConflicts } from '../../store/retry-conflicts.ts'
import type { RowStore } from '../../store/row-store.ts'

/** What was written, as which version, and whether there was no row before. */
export interface WrittenRow {
  readonly version: number
  readonly mutation: SetMutation
  readonly created: boolean
}

const mostAttempts = 100
/** One attempt takes no longer than what has made it fail: most get through without a turn. */
const beforeTurn = 4

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
   * Writes what `make` makes of the row, which is null if there is none. `pause` lets others pass while it waits for what may itself
   * update this row. Rejects with ConflictError after `attempts`.
   */
  async write(
    key: Key,
    make: (row: StoredRow | null, pause: () => void) => Promise<SetMutation>,
    attempts = mostAttempts,
  ): Promise<WrittenRow> {
    const encodedKey = this.#store.encodeKey(key)
    const lock = keyText(encodedKey)
    return retryConflicts(this.#store, { attempts, beforeTurn }, async (ready) => {
      // Before the turn: who is in front would wait for its end.
      let leave = await this.#turns.enter(lock)
      try {
        await ready()
        const started = performance.now()
        await this.#store.settle(encodedKey)
        this.#store.assertOpen()
        const row = await this.#store.read({ type: 'get', key: encodedKey })
        const mutation = await make(row, () => {
          leave()
          leave = () => {}
        })
        const lasted = performance.now() - started
        const outcome = await this.#store.commit({
          checks: [{ key: mutation.key, version: row?.version ?? null }],
          mutations: [mutation],
        })
        if (outcome.type === 'conflict') return { conflicts: outcome.conflicts, lasted }
        return { result: { version: outcome.version, mutation, created: row === null } }
      } finally {
        leave()
      }
    })
  }
}
