import type { SetMutation } from '../../commit/write.ts'
import type { Key } from '../../contract/key.types.ts'
import type { StoredRow } from '../../driver/driver.ts'
import { keyText } from '../../key/key-text.ts'
import { KeyedMutex } from '../../store/keyed-mutex.ts'
import { retryConflicts } from '../../store/retry-conflicts.ts'
import type { RowStore } from '../../store/row-store.ts'
import { running } from '../../store/running.ts'

/** What was written, with its version, and whether there was no row before. */
export interface WrittenRow {
  readonly version: number
  readonly mutation: SetMutation
  readonly created: boolean
}

const mostAttempts = 100
/** An attempt takes no longer than the write that made it fail, so most succeed without a turn. */
const beforeTurn = 4

/**
 * Reads a row, changes it, and writes it: again, if others have changed it in between. Updates in this process wait for each other;
 * the check finds those of other processes.
 */
export class RowUpdates {
  readonly #store: RowStore
  readonly #turns = new KeyedMutex()

  constructor(store: RowStore) {
    this.#store = store
  }

  /**
   * Writes the row that `make` returns; it gets null if there is no row. `pause` lets others pass while `make` waits, because what
   * it waits for may update this row. Rejects with ConflictError after `attempts`.
   */
  async write(
    key: Key,
    make: (row: StoredRow | null, pause: () => void) => Promise<SetMutation>,
    attempts = mostAttempts,
  ): Promise<WrittenRow> {
    const encodedKey = this.#store.encodeKey(key)
    const row = keyText(encodedKey)
    const earlier = this.#store.earlierWrites?.(encodedKey)
    if (earlier !== undefined) await earlier
    return retryConflicts(this.#store, { attempts, beforeTurn }, async (ready) => {
      // Who has a turn, or waits for one, does not wait for those without: one of them could get the row, and then wait for that turn.
      const turn = running.getStore()?.turn
      let leave = await this.#turns.enter(turn === undefined ? row : `${turn} ${row}`)
      try {
        await ready()
        const started = performance.now()
        await this.#store.settle(encodedKey)
        this.#store.assertOpen()
        const stored = await this.#store.read({ type: 'get', key: encodedKey })
        const mutation = await make(stored, () => {
          leave()
          leave = () => {}
        })
        const lasted = performance.now() - started
        const outcome = await this.#store.commit({
          checks: [{ key: mutation.key, version: stored?.version ?? null }],
          mutations: [mutation],
        })
        if (outcome.type === 'conflict') return { conflicts: outcome.conflicts, lasted }
        return { result: { version: outcome.version, mutation, created: stored === null } }
      } finally {
        leave()
      }
    })
  }
}
