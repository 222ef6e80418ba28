// An import is one pass over its source: each row is checked, placed and counted in the batch that commits it.
import { isDeepStrictEqual } from 'node:util'
import { type StoredForm, sameForm } from '../commit/row.ts'
import type { SetMutation } from '../commit/write.ts'
import {
  formatIssue,
  KeyExistsError,
  KvError,
  MigrationError,
  UniqueConstraintError,
  ValidationError,
} from '../contract/errors.ts'
import type { StoredRow } from '../driver/driver.ts'
import { decodeKey } from '../key/codec.ts'
import { keyJson } from '../key/key-json.ts'
import { keyText } from '../key/key-text.ts'
import { judgeOutput } from '../schema/validate.ts'
import { assertUnindexed } from '../store/preparation.ts'
import type { Store } from '../store/store.ts'
import { decodeValue } from '../value/codec.ts'
import { exceeds, storedBytes } from '../value/encoding.ts'
import { parseJson } from '../value/parse-json.ts'
import { dataFormat } from './data-format.ts'
import { type HeldRow, holdersFirst } from './held-rows.ts'
import { type MovedRow, rowLine } from './row-line.ts'
import { isUnread, type Source, type UnreadRow } from './source-row.ts'

/** What to do with a row whose key holds another value in the database. */
export type OnConflict = 'fail' | 'skip' | 'overwrite'

export interface ImportOptions {
  readonly onConflict: OnConflict
  /** Takes the lines of rows that do not fit. Left out: the first such row ends the import. */
  readonly onRefused?: ((line: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Called after each batch with the number of rows so far. */
  readonly onProgress?: ((rows: number) => void) | undefined
}

/** How many rows an import has met, by what happened to them. */
export interface ImportCounts {
  /** Stored under keys that had no value. */
  imported: number
  /** Stored instead of another value. */
  overwritten: number
  /** Already stored, with this value and this expiry. */
  unchanged: number
  /** Left out, because their keys have another value. */
  skipped: number
  /** Left out, because they have expired. */
  expired: number
  /** Left out, because they do not fit. */
  refused: number
}

/** A row that is ready to be stored, and where it comes from. */
interface ReadyRow {
  /** The text of its key. */
  readonly key: string
  readonly row: MovedRow
  readonly mutation: SetMutation
}

/** A row that waits for other rows of the source, and why it was not stored. */
interface HeldReady extends HeldRow, ReadyRow {
  readonly holders: Set<string>
  readonly error: UniqueConstraintError
}

const rowsPerBatch = 500
const bytesPerBatch = 4 * 1024 * 1024
const mostHeld = 10_000
const mostHeldBytes = 64 * 1024 * 1024

/**
 * Stores the rows of a source, a batch at a time. A row that already exists stays as it is, so run an
 * interrupted import again to finish it.
 */
export async function importRows(
  store: Store,
  source: Source,
  options: ImportOptions,
): Promise<ImportCounts> {
  const counts: ImportCounts = {
    imported: 0,
    overwritten: 0,
    unchanged: 0,
    skipped: 0,
    expired: 0,
    refused: 0,
  }
  const run = new Import(store, options, counts)
  for await (const row of source) await run.add(row)
  await run.finish()
  return counts
}

class Import {
  readonly #store: Store
  readonly #options: ImportOptions
  readonly #counts: ImportCounts
  #batch = new Map<string, ReadyRow>()
  #bytes = 0
  /** By the texts of their keys: rows whose unique values belong to rows that the source may still change. */
  readonly #held = new Map<string, HeldReady>()
  #heldBytes = 0
  /** After the last row of the source, only held rows can make room. */
  #atEnd = false

  constructor(store: Store, options: ImportOptions, counts: ImportCounts) {
    this.#store = store
    this.#options = options
    this.#counts = counts
  }

  async add(row: MovedRow | UnreadRow): Promise<void> {
    if (isUnread(row)) return this.#refuse(row, new TypeError(row.error))
    if (row.expiresAt !== null && row.expiresAt <= this.#store.now()) {
      this.#counts.expired += 1
      return
    }
    let mutation: SetMutation
    try {
      mutation = await this.#prepare(row)
    } catch (error) {
      return this.#refuse(row, error)
    }
    const key = keyText(mutation.key)
    // Two rows with one key must be stored one after the other.
    if (this.#batch.has(key)) await this.flush()
    const earlier = this.#held.get(key)
    if (earlier !== undefined) {
      this.#release(earlier)
      this.#refuse(earlier.row, earlier.error)
    }
    this.#batch.set(key, { key, row, mutation })
    this.#bytes += storedBytes(row.stored)
    if (this.#batch.size >= rowsPerBatch || this.#bytes >= bytesPerBatch) await this.flush()
  }

  async #prepare({ key, stored, expiresAt }: MovedRow): Promise<SetMutation> {
    const encoded = this.#store.encodeKey(key)
    if (exceeds(stored, this.#store.limits.valueBytes))
      throw new RangeError(`its value is larger than ${this.#store.limits.valueBytes} bytes`)
    const definition = this.#store.registry.find(key)
    if (definition !== undefined) {
      await judgeOutput(definition, key, decodeValue(stored.value, stored.encoding, stored.types, dataFormat))
    }
    return { type: 'set', key: encoded, collection: this.#store.collectionOf(key), stored, expiresAt }
  }

  /** Stores the current batch. */
  async flush(): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const rows = [...this.#batch.values()]
    this.#batch = new Map()
    this.#bytes = 0
    await this.#storeAll(rows)
    this.#options.onProgress?.(Object.values(this.#counts).reduce((sum, count) => sum + count, 0))
  }

  /**
   * Stores the remaining rows. Rows that take each other's unique values are stored in one commit. A row that meets another held
   * row is held again, after that one. Each round stores or refuses some rows, or learns more about what they wait for.
   */
  async finish(): Promise<void> {
    await this.flush()
    this.#atEnd = true
    while (this.#held.size > 0) {
      let singles: ReadyRow[] = []
      const storeSingles = () => {
        const rows = singles
        singles = []
        return this.#storeAll(rows)
      }
      for (const group of holdersFirst([...this.#held.values()])) {
        if (group.length === 1) singles.push(group[0]!)
        if (group.length > 1 || singles.length >= rowsPerBatch) await storeSingles()
        if (group.length > 1) await this.#storeTogether(group)
      }
      await storeSingles()
    }
  }

  async #storeTogether(group: readonly HeldReady[]): Promise<void> {
    const mutations = group.map(({ mutation }) => mutation)
    for (;;) {
      this.#options.signal?.throwIfAborted()
      const present = await this.#store.read({ type: 'getMany', keys: mutations.map(({ key }) => key) })
      const checks = mutations.map(({ key }, i) => ({ key, version: present[i]?.version ?? null }))
      try {
        const { type } = await this.#store.commit({ checks, mutations })
        // Another process has changed one of them.
        if (type === 'conflict') continue
        for (const row of present) this.#counts[row === null ? 'imported' : 'overwritten'] += 1
        for (const ready of group) this.#release(ready)
      } catch (error) {
        if (!(error instanceof UniqueConstraintError)) throw error
        const holder = this.#holderOf(error)
        const isWithin = group.some(({ key }) => key === holder)
        // The whole group waits if one of its rows does.
        if (this.#held.has(holder) && !isWithin) group[0]!.holders.add(holder)
        else for (const ready of group) this.#giveUp(ready, error)
      }
      return
    }
  }

  async #storeAll(rows: readonly ReadyRow[]): Promise<void> {
    // Another process may write a key between the read and the commit.
    for (let left = rows; left.length > 0; ) {
      this.#options.signal?.throwIfAborted()
      left = await this.#storeBatch(left)
    }
  }

  /** Stores rows with different keys; returns those whose keys others have changed meanwhile. */
  async #storeBatch(rows: readonly ReadyRow[]): Promise<ReadyRow[]> {
    const present = await this.#store.read({
      type: 'getMany',
      keys: rows.map(({ mutation }) => mutation.key),
    })
    const wanted = rows.flatMap((ready, i) =>
      this.#isWanted(ready, present[i]!) && this.#mayStore(ready) ? [{ ...ready, there: present[i]! }] : [],
    )
    const settled = await Promise.allSettled(
      wanted.map(({ mutation, there }) => {
        const checks = [{ key: mutation.key, version: there?.version ?? null }]
        return this.#store.commit({ checks, mutations: [mutation] })
      }),
    )
    const again: ReadyRow[] = []
    for (const [i, result] of settled.entries()) {
      const { there, ...ready } = wanted[i]!
      if (result.status === 'rejected') this.#notStored(ready, result.reason)
      else if (result.value.type === 'conflict') again.push(ready)
      else {
        this.#release(ready)
        this.#counts[there === null ? 'imported' : 'overwritten'] += 1
      }
    }
    return again
  }

  /** Whether an index takes the row. Bytes that are stored already may have been there before the index. */
  #mayStore(ready: ReadyRow): boolean {
    const { key, stored } = ready.row
    if (typeof stored.value === 'string') return true
    try {
      assertUnindexed(this.#store, key)
      return true
    } catch (error) {
      this.#giveUp(ready, error)
      return false
    }
  }

  /** If another row has its unique value, the source may replace that row later. */
  #notStored(ready: ReadyRow, error: unknown): void {
    const holder = error instanceof UniqueConstraintError ? this.#holderOf(error) : null
    if (holder === null || !(this.#atEnd ? this.#held.has(holder) : this.#mayHold())) {
      this.#giveUp(ready, error)
      return
    }
    const holders = this.#held.get(ready.key)?.holders ?? new Set()
    this.#release(ready)
    this.#held.set(ready.key, {
      ...ready,
      holders: holders.add(holder),
      error: error as UniqueConstraintError,
    })
    this.#heldBytes += storedBytes(ready.row.stored)
  }

  /** Only replacing rows makes room. Beyond these limits, rows are refused at once. */
  #mayHold(): boolean {
    return (
      this.#options.onConflict === 'overwrite' &&
      this.#held.size < mostHeld &&
      this.#heldBytes < mostHeldBytes
    )
  }

  #holderOf(error: UniqueConstraintError): string {
    return keyText(this.#store.encodeKey(error.key))
  }

  /** Stops holding a row. */
  #release({ key, row }: ReadyRow): void {
    if (this.#held.delete(key)) this.#heldBytes -= storedBytes(row.stored)
  }

  #giveUp(ready: ReadyRow, error: unknown): void {
    this.#release(ready)
    this.#refuse(ready.row, error)
  }

  #isWanted(ready: ReadyRow, there: StoredRow | null): boolean {
    if (there === null) return true
    const { row, mutation } = ready
    if (row.expiresAt === there.expiresAt && isSame(row.stored, there)) {
      this.#release(ready)
      this.#counts.unchanged += 1
      return false
    }
    if (this.#options.onConflict === 'overwrite') return true
    if (this.#options.onConflict === 'fail') throw new KeyExistsError(decodeKey(mutation.key))
    this.#counts.skipped += 1
    return false
  }

  /** Throws the error if it is not about the row, or if the caller does not take refused rows. */
  #refuse(row: MovedRow | UnreadRow, error: unknown): void {
    if (!isOfRow(error)) throw error
    const { message } = error as Error
    const { onRefused } = this.#options
    if (onRefused === undefined) {
      const place = isUnread(row) ? JSON.stringify(row.shown) : JSON.stringify(keyJson(row.key))
      throw new TypeError(
        `${place} does not fit: ${reasonOf(error as Error)}. Correct it, or add --skip-invalid <file> to write such rows to a file and go on`,
        { cause: error },
      )
    }
    onRefused(refusedLine(row, message, this.#store))
    this.#counts.refused += 1
  }
}

/** Whether both are the same value. The names of an object have no order: a migration that renames one puts it last. */
function isSame(a: StoredForm, b: StoredForm): boolean {
  if (sameForm(a, b)) return true
  return a.encoding === b.encoding && isSameJson(a.value, b.value) && isSameJson(a.types, b.types)
}

function isSameJson(a: StoredForm['value'] | null, b: StoredForm['value'] | null): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') return a === b
  try {
    return isDeepStrictEqual(parseJson(a), parseJson(b))
  } catch (error) {
    // What is stored is damaged.
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** The message without the key at its start. */
function reasonOf(error: Error): string {
  return error instanceof ValidationError ? error.issues.map(formatIssue).join('; ') : error.message
}

function isOfRow(error: unknown): boolean {
  if (error instanceof KvError)
    return (
      error instanceof ValidationError ||
      error instanceof UniqueConstraintError ||
      error instanceof MigrationError
    )
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError
}

function refusedLine(row: MovedRow | UnreadRow, error: string, store: Store): string {
  if (isUnread(row)) return JSON.stringify({ ...row.shown, error })
  return rowLine({ ...row, repository: store.collectionOf(row.key), error })
}
