import type { InspectOptions } from 'node:util'
import type { CallOptions } from '../arguments/call-options.ts'
import { StorageError } from '../contract/errors.ts'
import { inspected, inspectName } from '../contract/inspected.ts'
import type { Key } from '../contract/key.types.ts'
import type { KeyedRow } from '../driver/driver.ts'
import { encodeStoredKey } from '../key/codec.ts'
import { encodeCursor, resumeRange } from '../key/cursor.ts'
import { contains, isEmptyRange, type KeyRange, successor } from '../key/range.ts'
import { pauseDue } from '../time/give-way.ts'
import type { RowStore } from './row-store.ts'

/** How to list: by key, or the rows of a repository. */
export interface ListOptions extends CallOptions {
  /** The most entries to list, at least 1. Left out: all. */
  readonly limit?: number | undefined
  /**
   * The `cursor` of an earlier list with the same selector: continues after its last entry. `''` starts from the beginning. Any
   * other text is a TypeError.
   */
  readonly cursor?: string | undefined
  /** From the last key to the first. Default `false`. */
  readonly reverse?: boolean | undefined
  /** The most entries to read at a time, default 1,000; of large ones, a megabyte's worth. */
  readonly batchSize?: number | undefined
}

/** What a list reads, and how it makes an entry of a row. */
export interface ListSource<E> {
  readonly store: Pick<RowStore, 'read' | 'written' | 'assertOpen'>
  readonly range: KeyRange
  readonly collection: string | null
  readonly toEntry: (row: KeyedRow) => E | Promise<E>
}

const firstPage = 32
const largestPage = 1_000
const pageBytes = 1024 * 1024

/**
 * The entries of a list, for `for await` and `Array.fromAsync`. They are read page by page as you ask for them, each page from
 * the current state of the database.
 */
export class ListIterator<E> implements AsyncIterableIterator<E, undefined> {
  readonly #source: ListSource<E>
  readonly #reverse: boolean
  readonly #batchSize: number | undefined
  #range: KeyRange
  #left: number
  #page: KeyedRow[] = []
  #position = 0
  /** The range that the page was read from, and how many of the unit's own writes it includes. */
  #scanned: KeyRange
  #shown = 0
  #pageSize: number
  #last: Key | null = null
  #startCursor: string
  #done = false
  /** Whether the list has reached its end, and not only its limit. */
  #atEnd = false
  /** Overlapping calls of `next` are answered one after the other. */
  #reading: Promise<unknown> | null = null

  constructor(source: ListSource<E>, { limit, cursor, reverse, batchSize }: ListOptions) {
    this.#source = source
    this.#reverse = reverse ?? false
    this.#batchSize = batchSize
    this.#pageSize = Math.min(firstPage, batchSize ?? firstPage)
    this.#left = limit ?? Number.POSITIVE_INFINITY
    this.#startCursor = cursor ?? ''
    this.#range = resumeRange(source.range, cursor, this.#reverse)
    this.#scanned = this.#range
  }

  /**
   * The place after the last entry that you got: pass it as the option `cursor`. It is `''` before the first entry, and again at
   * the end of the list.
   *
   * ```ts
   * const names = []
   * let cursor = ''
   * do {
   *   const page = db.list({ prefix: ['users'] }, { limit: 1, cursor })
   *   for await (const { value } of page) names.push(value.name)
   *   cursor = page.cursor
   * } while (cursor !== '')
   * names // => ['Alice', 'Bob']
   * ```
   *
   * A list that ends at its `limit` has not looked further: if nothing follows, the next page is empty, and its cursor is `''`.
   * To find what is stored later after the last entry, list from a `start`, or use `changes`.
   */
  get cursor(): string {
    if (this.#atEnd) return ''
    return this.#last === null ? this.#startCursor : encodeCursor(encodeStoredKey(this.#last))
  }

  [inspectName](_depth: number, options: InspectOptions): string {
    const left = this.#left === Number.POSITIVE_INFINITY ? null : this.#left
    const ended = this.#done || this.#atEnd
    return inspected('ListIterator', { cursor: this.cursor, left, reverse: this.#reverse, ended }, options)
  }

  /**
   * The next entry; after the last one, `done` is true.
   *
   * ```ts
   * const list = db.list({ prefix: ['lamp'] })
   * await list.next() // => { done: true, value: undefined }
   * ```
   *
   * Rejects as the reads of `Database` do.
   */
  next(): Promise<IteratorResult<E, undefined>> {
    if (this.#reading === null) this.#dropOutdated()
    const pause = this.#reading === null ? pauseDue() : undefined
    const isHere = this.#position < this.#page.length && this.#left > 0
    if (this.#reading === null && pause === undefined && isHere) {
      try {
        const entry = this.#take()
        if (entry instanceof Promise) return entry.then((value) => ({ done: false, value }))
        return Promise.resolve({ done: false, value: entry })
      } catch (error) {
        return Promise.reject(error)
      }
    }
    const previous = this.#reading ?? pause ?? Promise.resolve()
    const reading = previous.then(
      () => this.#read(),
      () => this.#read(),
    )
    this.#reading = reading
    const finished = () => {
      if (this.#reading === reading) this.#reading = null
    }
    reading.then(finished, finished)
    return reading
  }

  /**
   * Ends the list, as leaving a loop over it does. The database stays open.
   *
   * ```ts
   * const list = db.list({ prefix: ['users'] })
   * await list.return()
   * await list.next() // => { done: true, value: undefined }
   * ```
   */
  async return(): Promise<IteratorResult<E, undefined>> {
    this.#finish()
    await pauseDue()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  async #read(): Promise<IteratorResult<E, undefined>> {
    if (this.#position === this.#page.length && !this.#done && this.#left > 0) await this.#readPage()
    if (this.#done || this.#left === 0) return { done: true, value: undefined }
    return { done: false, value: await this.#take() }
  }

  #take(): E | Promise<E> {
    this.#source.store.assertOpen()
    const row = this.#page[this.#position]!
    this.#position += 1
    this.#left -= 1
    this.#last = row.key
    return this.#source.toEntry(row)
  }

  async #readPage(): Promise<void> {
    this.#source.store.assertOpen()
    if (isEmptyRange(this.#range)) return this.#end()
    const { store, collection } = this.#source
    const limit = Math.min(this.#pageSize, this.#left)
    const reverse = this.#reverse
    const rows = await store.read({ type: 'scan', scan: { range: this.#range, collection, reverse, limit } })
    this.#scanned = this.#range
    this.#shown = store.written?.length ?? 0
    const lastRow = rows.at(-1)
    if (lastRow === undefined) return this.#end()
    const last = encodeStoredKey(lastRow.key)
    // In a damaged file with keys out of order, the list would never end.
    if (!contains(this.#range, last)) throw new StorageError('SQLITE_CORRUPT', 'The keys are out of order')
    const { start, end } = this.#range
    this.#range = reverse ? { start, end: last } : { start: successor(last), end }
    if (rows.length < limit) this.#range = { start, end: start }
    this.#page = rows
    this.#position = 0
    this.#pageSize = nextPageSize(rows, this.#batchSize ?? largestPage)
  }

  /** Reads the rest of the page again if the unit has since written one of its keys. */
  #dropOutdated(): void {
    const { written } = this.#source.store
    if (written === undefined || written.length === this.#shown) return
    if (this.#position === this.#page.length) return
    const since = written.slice(this.#shown)
    this.#shown = written.length
    const given = this.#page[this.#position - 1]
    const edge = given && encodeStoredKey(given.key)
    const last = encodeStoredKey(this.#page.at(-1)!.key)
    const { start, end } = this.#scanned
    const rest = this.#reverse
      ? { start: last, end: edge ?? end }
      : { start: edge ? successor(edge) : start, end: successor(last) }
    if (!since.some((key) => contains(rest, key))) return
    this.#range = this.#reverse ? { start, end: rest.end } : { start: rest.start, end }
    this.#page = []
    this.#position = 0
  }

  #end(): void {
    this.#atEnd = true
    this.#finish()
  }

  #finish(): void {
    this.#done = true
    this.#page = []
    this.#position = 0
  }
}

function nextPageSize(rows: readonly KeyedRow[], most: number): number {
  let bytes = 0
  // A damaged value has no length.
  for (const { value } of rows) bytes += value?.length || 0
  return Math.max(1, Math.min(most, Math.floor(pageBytes / (bytes / rows.length + 1))))
}
