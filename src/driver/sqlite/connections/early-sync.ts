import { open } from 'node:fs/promises'
import type { AtomicWrite, CommitOutcome } from '../../../commit/write.ts'

/** How many bytes of the log to sync at a time. */
const part = 1024 * 1024
/** What a commit writes besides its rows, roughly: a page each of the table, its index and the log of commits. */
const bytesPerCommit = 3 * 4096
/** What a row takes besides its value. */
const bytesPerRow = 64

/**
 * Syncs the write-ahead log in parts, in the background. The commit that copies the log into the file first waits until all of it
 * is on the disk, and blocks the event loop meanwhile: for 16 MB, five times as long as for what is left here.
 */
export class EarlySync {
  readonly #log: string
  #unsynced = 0
  #syncing: Promise<void> | null = null

  /** `log`: the path of the write-ahead log. */
  constructor(log: string) {
    this.#log = log
  }

  /** Reports writes and their outcomes. It does not have to know exactly how much was written. */
  wrote(writes: readonly AtomicWrite[], outcomes: readonly CommitOutcome[]): void {
    for (let place = 0; place < writes.length; place++) {
      const outcome = outcomes[place]!
      if (outcome.type !== 'committed') continue
      this.#unsynced += bytesPerCommit
      const mutations = outcome.claimed?.map(({ mutation }) => mutation) ?? writes[place]!.mutations
      for (const mutation of mutations) {
        this.#unsynced += bytesPerRow
        if (mutation.type === 'set') this.#unsynced += mutation.stored.value.length
      }
    }
    if (this.#unsynced < part || this.#syncing !== null) return
    this.#unsynced = 0
    this.#syncing = this.#sync()
  }

  /** Resolves once it has the log no longer open. */
  async settled(): Promise<void> {
    await this.#syncing
  }

  async #sync(): Promise<void> {
    try {
      // The handle of a thread that is terminated is closed with it.
      const file = await open(this.#log)
      try {
        await file.datasync()
      } finally {
        await file.close()
      }
    } catch {
      // Left to the checkpoint: the engine syncs the log itself, and a failed write fails that, too.
    } finally {
      this.#syncing = null
    }
  }
}
