import { signal } from '@preact/signals'
import { type Row, type RowJson, rowOf } from '../value/wire.ts'
import { ask } from './api.ts'

/** The query of a repository, as the server takes it. */
export interface RowsQuery {
  readonly repository: string
  readonly query: object
  /** Whether the server can read it from its end: it is ordered by key, or names its order. */
  readonly isReversible: boolean
  /** The most rows to show. */
  readonly limit: number | null
}

interface PageAnswer {
  readonly rows: readonly RowJson[]
  readonly cursor: string | null
  readonly ms: number
}

interface LoadedPage {
  readonly rows: readonly Row[]
  isStale: boolean
}

const rowsPerPage = 100
const mostPages = 40

/**
 * The rows of a query, loaded page by page as they come into view, in either direction. A page begins where the previous one ends,
 * so no row is missing or shown twice, whatever is written meanwhile.
 */
export class RowsModel {
  readonly asked: RowsQuery
  /** How many rows there are; null if unknown. */
  readonly count = signal<number | null>(null)
  readonly error = signal<unknown>(null)
  /** Changes whenever the rows do. */
  readonly changes = signal(0)
  /** How long the last page took, in milliseconds. */
  readonly took = signal<number | null>(null)
  readonly #pages = new Map<number, LoadedPage>()
  /** The cursors at which pages begin, and those before which they end. */
  readonly #begins = new Map<number, string | null>([[0, null]])
  readonly #ends = new Map<number, string | null>()
  readonly #ended = new AbortController()
  #visible: readonly [first: number, last: number] = [0, 0]
  #loading = false
  /** How many writes there were. */
  #writes = 0
  #counting = false
  #countsAgain = false

  constructor(asked: RowsQuery) {
    this.asked = asked
    void this.#recount()
    void this.#load()
  }

  end(): void {
    this.#ended.abort()
  }

  /** The row at an index; undefined while it loads. */
  row(index: number): Row | undefined {
    const page = Math.floor(index / rowsPerPage)
    return this.#pages.get(page)?.rows[index - page * rowsPerPage]
  }

  /** All loaded rows. */
  loaded(): readonly Row[] {
    return [...this.#pages.values()].flatMap(({ rows }) => rows)
  }

  /** Loads the rows in view that are missing. */
  show(first: number, last: number): void {
    this.#visible = [Math.floor(first / rowsPerPage), Math.floor(Math.max(first, last) / rowsPerPage)]
    void this.#load()
  }

  /** After a write: reads the rows in view again, and the others when they come into view. */
  refresh(): void {
    this.#writes += 1
    for (const page of this.#pages.values()) page.isStale = true
    void this.#load()
    void this.#recount()
  }

  async #load(): Promise<void> {
    if (this.#loading) return
    this.#loading = true
    try {
      for (let page = this.#wanted(); page !== undefined; page = this.#wanted()) await this.#read(page)
      this.error.value = null
    } catch (error) {
      if (!this.#ended.signal.aborted) this.error.value = error
    } finally {
      this.#loading = false
    }
  }

  /** The first missing page in view. */
  #wanted(): number | undefined {
    if (this.#ended.signal.aborted) return undefined
    const [first, last] = this.#visible
    for (let page = first; page <= Math.min(last, this.#lastPage()); page++)
      if (this.#pages.get(page)?.isStale ?? true) return page
    return undefined
  }

  #lastPage(): number {
    const count = this.count.value
    return count === null ? 0 : Math.max(0, Math.ceil(count / rowsPerPage) - 1)
  }

  async #read(page: number): Promise<void> {
    if (this.#begins.has(page)) return this.#readOn(page)
    if (this.asked.isReversible && page === this.#lastPage() && this.asked.limit === null)
      this.#ends.set(page, null)
    if (this.#ends.has(page)) return this.#readBack(page)
    // The row before it is where it begins.
    const known = Math.max(...[...this.#begins.keys()].filter((it) => it < page))
    const offset = (page - known) * rowsPerPage - 1
    const { rows, cursor } = await this.#ask({ after: this.#begins.get(known), offset, limit: 1 })
    if (rows.length === 0 || cursor === null) return this.#setCount(page * rowsPerPage)
    this.#begins.set(page, cursor)
    await this.#readOn(page)
  }

  async #readOn(page: number): Promise<void> {
    const limit = this.#limitOf(page)
    const writes = this.#writes
    const { rows, cursor } = await this.#ask({ after: this.#begins.get(page), limit })
    const isEnd = cursor === null
    // The page after it was read from another beginning.
    if (isEnd || this.#begins.get(page + 1) !== cursor) this.#forgetBehind(page)
    this.#pages.set(page, { rows: rows.map(rowOf), isStale: writes !== this.#writes })
    if (isEnd) this.#setCount(page * rowsPerPage + rows.length)
    else if (this.asked.limit === null || (page + 1) * rowsPerPage < this.asked.limit)
      this.#begins.set(page + 1, cursor)
    this.#changed(page)
  }

  async #readBack(page: number): Promise<void> {
    const isLast = this.#ends.get(page) === null
    const writes = this.#writes
    const limit = isLast ? (this.count.value ?? 0) - page * rowsPerPage || 1 : rowsPerPage
    const { rows, cursor } = await this.#ask({ after: this.#ends.get(page), limit, backward: true })
    if (cursor === null && page > 0) return this.#begin()
    this.#pages.set(page, { rows: rows.map(rowOf), isStale: writes !== this.#writes })
    if (page > 0) this.#ends.set(page - 1, cursor)
    this.#changed(page)
  }

  #limitOf(page: number): number {
    const { limit } = this.asked
    return limit === null ? rowsPerPage : Math.min(rowsPerPage, limit - page * rowsPerPage)
  }

  #forgetBehind(page: number): void {
    for (const known of [this.#pages, this.#begins, this.#ends])
      for (const other of [...known.keys()]) if (other > page) known.delete(other)
    this.#ends.delete(page)
  }

  /** Starts from the beginning, because there are fewer rows now. */
  #begin(): void {
    this.#pages.clear()
    this.#ends.clear()
    this.#begins.clear()
    this.#begins.set(0, null)
    void this.#recount()
  }

  #changed(page: number): void {
    if (this.#pages.size > mostPages) {
      const distance = (it: number) => Math.abs(it - page)
      const far = [...this.#pages.keys()].sort((a, b) => distance(b) - distance(a))
      for (const other of far.slice(0, this.#pages.size - mostPages)) this.#pages.delete(other)
    }
    this.changes.value += 1
  }

  #setCount(count: number): void {
    const { limit } = this.asked
    this.count.value = limit === null ? count : Math.min(count, limit)
  }

  async #ask(page: object): Promise<PageAnswer> {
    const { repository, query } = this.asked
    const answer = await ask<PageAnswer>('rows', { repository, query, ...page }, this.#ended.signal)
    this.took.value = answer.ms
    return answer
  }

  /** Counts the rows; less often if that takes long. */
  async #recount(): Promise<void> {
    if (this.#counting) {
      this.#countsAgain = true
      return
    }
    this.#counting = true
    const { repository, query } = this.asked
    const began = performance.now()
    try {
      const { count } = await ask<{ count: number }>('count', { repository, query }, this.#ended.signal)
      this.#setCount(count)
      void this.#load()
    } catch (error) {
      if (this.#ended.signal.aborted) return
      this.error.value ??= error
    }
    setTimeout(
      () => {
        this.#counting = false
        if (this.#countsAgain && !this.#ended.signal.aborted) void this.#recount()
        this.#countsAgain = false
      },
      Math.max(250, 9 * (performance.now() - began)),
    )
  }
}
