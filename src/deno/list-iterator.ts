import type { Backend } from './backend.ts'
import { onResource } from './bad-resource.ts'
import type { KvEntry, KvListOptions, KvListSelector } from './kv.types.ts'
import { fromStored } from './raw-value.ts'
import { cursorAt, rangeFrom, type SelectedKeys, selectedKeys, selectedRange } from './selector.ts'

const usualBatch = 100
const largestOfLimit = 500

const asyncIterators = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype))

/** The entries of a list, as `Deno.KvListIterator`. Made by `Kv.list`. */
export class KvListIterator<T> implements AsyncIterableIterator<KvEntry<T>> {
  readonly #backend: Backend
  readonly #keys: SelectedKeys
  readonly #limit: number
  readonly #batchSize: number
  readonly #reverse: boolean
  #cursor: string | undefined
  #batch: KvEntry<T>[] = []
  #position = 0
  #count = 0
  #isLastBatch = false
  #isDone = false
  /** Calls of `next` that overlap are answered one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  static {
    Object.setPrototypeOf(KvListIterator.prototype, asyncIterators)
  }

  constructor(backend: Backend, selector: KvListSelector, options: KvListOptions) {
    const { limit, batchSize, cursor, reverse = false } = options
    if (limit !== undefined && !(limit > 0)) throw new Error(`Limit must be positive: received ${limit}`)
    const size = batchSize ?? Math.min(limit ?? usualBatch, largestOfLimit)
    if (!(size > 0)) throw new Error('batchSize must be positive')
    this.#keys = selectedKeys(selector)
    this.#backend = backend
    this.#limit = limit ?? Number.POSITIVE_INFINITY
    this.#batchSize = size
    this.#reverse = Boolean(reverse)
    this.#cursor = cursor || undefined
  }

  /** Where to go on, behind the entry given last; `''` at the end. Throws before the first entry. */
  get cursor(): string {
    if (this.#cursor === undefined) throw new Error('Cannot get cursor before first iteration')
    return this.#cursor
  }

  next(): Promise<IteratorResult<KvEntry<T>, undefined>> {
    const next = this.#turn.then(() => this.#next())
    this.#turn = next.catch(() => {})
    return next
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDone = true
  }

  async #next(): Promise<IteratorResult<KvEntry<T>, undefined>> {
    if (this.#isDone || this.#count >= this.#limit) return { done: true, value: undefined }
    if (this.#position === this.#batch.length && !this.#isLastBatch) await onResource(() => this.#readBatch())
    const entry = this.#batch[this.#position]
    if (entry === undefined) {
      this.#isDone = true
      this.#cursor = ''
      return { done: true, value: undefined }
    }
    this.#position += 1
    this.#count += 1
    this.#cursor = cursorAt(selectedRange(this.#keys), entry.key)
    return { done: false, value: entry }
  }

  async #readBatch(): Promise<void> {
    const range = rangeFrom(selectedRange(this.#keys), this.#cursor, this.#reverse)
    const [found] = await this.#backend.read([{ ...range, limit: this.#batchSize, reverse: this.#reverse }])
    this.#batch = found!.map(({ key, value, versionstamp }) => ({
      key,
      value: fromStored(value) as T,
      versionstamp,
    }))
    this.#position = 0
    this.#isLastBatch = found!.length < this.#batchSize
  }
}
