import { paceCalls } from '../time/give-way.ts'
import type { Backend } from './backend.ts'
import { onResource } from './bad-resource.ts'
import type { KvEntry, KvKey, KvListOptions, KvListSelector } from './kv.types.ts'
import { fromStored } from './raw-value.ts'
import {
  cursorAt,
  rangeFrom,
  type SelectedKeys,
  type SelectedRange,
  selectedKeys,
  selectedRange,
} from './selector.ts'

const usualBatch = 100
const largestOfLimit = 500

const asyncIterators = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype))

/** The entries of a list, like `Deno.KvListIterator`. Made by `Kv.list`. */
export class KvListIterator<T> implements AsyncIterableIterator<KvEntry<T>> {
  readonly #backend: Backend
  readonly #keys: SelectedKeys
  readonly #limit: number
  readonly #batchSize: number
  readonly #reverse: boolean
  /** Where it begins, then the last key that it has returned. */
  #from: string | KvKey | undefined
  #ofKeys: SelectedRange | undefined
  #batch: KvEntry<T>[] = []
  #position = 0
  #count = 0
  #isLastBatch = false
  #isDone = false
  /** Overlapping calls of `next` are answered one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  static {
    Object.setPrototypeOf(KvListIterator.prototype, asyncIterators)
    paceCalls(KvListIterator.prototype, ['next'])
  }

  constructor(backend: Backend, selector: KvListSelector, options: KvListOptions) {
    const { limit, batchSize, cursor, reverse = false, consistency = 'strong' } = options
    if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
      throw new Error(`Limit must be a positive integer: received ${limit}`)
    const size = batchSize ?? Math.min(limit ?? usualBatch, largestOfLimit)
    if (!(Number.isInteger(size) && size > 0))
      throw new Error(`batchSize must be a positive integer: received ${size}`)
    if (consistency !== 'strong' && consistency !== 'eventual')
      throw new TypeError(`Bad 'consistency': ${String(consistency)}`)
    this.#keys = selectedKeys(selector)
    this.#backend = backend
    this.#limit = limit ?? Number.POSITIVE_INFINITY
    this.#batchSize = size
    this.#reverse = Boolean(reverse)
    this.#from = cursor || undefined
  }

  /** Where to go on, behind the entry given last; `''` at the end. Throws before the first entry. */
  get cursor(): string {
    if (this.#from === undefined) throw new Error('Cannot get cursor before first iteration')
    return typeof this.#from === 'string' ? this.#from : cursorAt(this.#range, this.#from)
  }

  /** The first read reports bounds that do not fit. */
  get #range(): SelectedRange {
    this.#ofKeys ??= selectedRange(this.#keys)
    return this.#ofKeys
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
      this.#from = ''
      return { done: true, value: undefined }
    }
    this.#position += 1
    this.#count += 1
    this.#from = entry.key
    return { done: false, value: entry }
  }

  async #readBatch(): Promise<void> {
    const cursor = this.#from === undefined ? undefined : this.cursor
    const range = rangeFrom(this.#range, cursor, this.#reverse)
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
