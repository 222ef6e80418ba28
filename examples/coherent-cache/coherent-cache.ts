import { DatabaseClosedError, type Key, type KeyPart, LogTrimmedError } from 'valkeyrie'
import { copy, handOut } from './hand-out.ts'
import { identityOf } from './identity.ts'
import type { Immutable } from './immutable.types.ts'
import { LeastRecentlyUsed } from './least-recently-used.ts'

type AnyId = KeyPart | Key | undefined

interface AnyEntry {
  readonly versionstamp: string | null
}

/** What the cache needs of the repository behind it. */
export interface CachedRows<Id extends AnyId, Entry extends AnyEntry> {
  get(id: Id): Promise<Entry>
  exists(id: Id): Promise<boolean>
  changes(options: {
    readonly signal: AbortSignal
  }): ReadableStream<{ readonly id: Id; readonly versionstamp: string }>
}

export interface CacheOptions {
  /** The most rows to keep; those that were not used for the longest time make room. */
  readonly entries: number
  /**
   * Ask at each hit whether the row is still there, which reads no value. Without it a row that expires is given until it
   * is removed, about a tenth of a second after its time. Default `false`.
   */
  readonly expiring?: boolean
}

interface Kept<Entry> {
  readonly versionstamp: string | null
  readonly handOut: () => Immutable<Entry>
}

/**
 * Rows of a repository in memory. What it gives is what the database gave at some moment that is not before the last
 * change it was told of: by a `write` of this process, when that is over, or by the feed of changes, within one look for
 * those of other processes. A row that is missing is kept too, as missing.
 *
 * Rows come in by being read, and go out by being written: whoever writes drops the row when the write is over, and the
 * feed drops what is older than a change. Both also forget the reads that are under way, which may have seen the row as
 * it was before: what they find is given to whoever asked, and not kept.
 */
export class CoherentCache<Id extends AnyId, Entry extends AnyEntry> implements Disposable {
  readonly #rows: CachedRows<Id, Entry>
  readonly #expiring: boolean
  readonly #kept: LeastRecentlyUsed<Kept<Entry>>
  /** Of each row that is being read, the read whose result is to be kept: the last that was begun. */
  readonly #reading = new Map<string, symbol>()
  readonly #stop = new AbortController()
  #following = false
  #told: string | null = null
  #hits = 0
  #misses = 0

  constructor(rows: CachedRows<Id, Entry>, { entries, expiring = false }: CacheOptions) {
    this.#rows = rows
    this.#expiring = expiring
    this.#kept = new LeastRecentlyUsed(entries)
  }

  /**
   * The versionstamp of the last change that the feed has told; null where there was none yet. Everything that was
   * committed before is told as well.
   */
  get told(): string | null {
    return this.#told
  }

  get statistics(): { readonly size: number; readonly hits: number; readonly misses: number } {
    return { size: this.#kept.size, hits: this.#hits, misses: this.#misses }
  }

  /** As the repository's `get`. */
  async get(id: Id): Promise<Immutable<Entry>> {
    const identity = identityOf(id)
    const kept = this.#kept.use(identity)
    if (kept !== undefined) {
      if (!this.#expiring || kept.versionstamp === null || (await this.#rows.exists(id))) {
        this.#hits += 1
        return kept.handOut()
      }
      if (this.#kept.look(identity) === kept) this.#kept.drop(identity)
    }
    this.#misses += 1
    return this.#read(identity, copy(id))
  }

  /**
   * Runs something that writes these rows, by whatever means: a method of the repository, an atomic operation, a unit of
   * work. When it is over, also where it has failed, this cache gives them as they are stored. Of a write that goes past
   * it, it learns by the feed, as of those of other processes.
   *
   * ```ts
   * await cache.write(['tea', 'ink'], () => db.atomic().set(…).set(…).commit())
   * ```
   */
  async write<T>(ids: readonly Id[], commit: () => Promise<T>): Promise<T> {
    try {
      return await commit()
    } finally {
      for (const id of ids) this.#forget(identityOf(id))
    }
  }

  /** Keeps nothing any more, and reads through. */
  close(): void {
    this.#stop.abort()
    this.#clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Readers who miss at the same time each read: the database is no trip over a network, which would be worth sharing. */
  async #read(identity: string, id: Id): Promise<Immutable<Entry>> {
    // Before the read: a change that the read has not seen is told.
    this.#follow()
    const read = Symbol(identity)
    if (this.#following) this.#reading.set(identity, read)
    try {
      const entry = await this.#rows.get(id)
      const kept = { versionstamp: entry.versionstamp, handOut: handOut(entry) }
      if (this.#reading.get(identity) === read) this.#kept.keep(identity, kept)
      return kept.handOut()
    } finally {
      if (this.#reading.get(identity) === read) this.#reading.delete(identity)
    }
  }

  #follow(): void {
    if (this.#following || this.#stop.signal.aborted) return
    const changes = this.#rows.changes({ signal: this.#stop.signal })
    this.#following = true
    void this.#listen(changes)
  }

  /** When the feed ends, for whatever reason, nothing that is kept can be relied on. The next read follows anew. */
  async #listen(changes: ReadableStream<{ readonly id: Id; readonly versionstamp: string }>): Promise<void> {
    try {
      for await (const { id, versionstamp } of changes) this.#changed(identityOf(id), versionstamp)
    } catch (error) {
      // Changes were missed, or reads fail as well: neither is news to anybody.
      const expected = error instanceof LogTrimmedError || error instanceof DatabaseClosedError
      if (!expected) process.emitWarning(error as Error)
    }
    this.#following = false
    this.#clear()
  }

  #changed(identity: string, versionstamp: string): void {
    this.#reading.delete(identity)
    const kept = this.#kept.look(identity)
    // What was read after this change stays: a row as new as the change. Of one that is missing, no version tells.
    if (kept !== undefined && (kept.versionstamp === null || kept.versionstamp < versionstamp)) {
      this.#kept.drop(identity)
    }
    this.#told = versionstamp
  }

  #forget(identity: string): void {
    this.#reading.delete(identity)
    this.#kept.drop(identity)
  }

  #clear(): void {
    this.#reading.clear()
    this.#kept.clear()
  }
}
