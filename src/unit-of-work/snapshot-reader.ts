import type { CheckConflict, KeyCheck, Mutation, ReadSet } from '../commit/write.ts'
import type {
  Driver,
  Explanation,
  Figures,
  KeyedRow,
  Read,
  Reader,
  ReadResults,
  RelatedRow,
  Scan,
  StoredRow,
} from '../driver/driver.ts'
import { compareBytes, encodeKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'
import { type KeyRange, singleKeyRange, successor } from '../key/range.ts'
import type { AggregatePlan, CountPlan, FindPlan, Planned, RelatedPlan } from '../query/plan.ts'

/** Which of the unit's own writes a read sees: `all` includes those of values that were changed in place. */
export type OwnWrites = 'none' | 'written' | 'all'

/** What a unit of work shows its reader. */
export interface ReaderContext {
  /** Throws where the unit is over, or doomed. */
  assertOpen(): void
  /** The keys that the unit has written so far, in the order of its writes. */
  readonly written: readonly Uint8Array[]
  /** A range that holds every key of a collection. */
  collectionRange(collection: string): KeyRange
  pending(own: OwnWrites): Promise<readonly Mutation[]> | readonly Mutation[]
  /** Whether the unit has written this key. */
  writes(key: Uint8Array): boolean
  /** Dooms the unit, and gives what to throw. */
  conflict(conflicts: readonly CheckConflict[]): Error
}

/**
 * The reads of a unit of work, from one snapshot and with the unit's own writes on top.
 *
 * The snapshot is a version, not an open transaction: each read is taken from the newest state, after the log of commits has
 * told that all that was read before still holds there, which moves the snapshot on ("snapshot extension"). So no
 * read is ever torn, and none keeps the database from working. A read that cannot be had that way throws a ConflictSignal.
 */
export class SnapshotReader implements Reader {
  readonly #driver: Driver
  readonly #context: ReaderContext
  /** 0 until the first read. */
  #version = 0
  readonly #keys: KeyCheck[] = []
  readonly #known = new Set<string>()
  readonly #ranges: KeyRange[] = []
  #validUntil: number | null = null
  /** Reads take place one after the other: each validates all that were before it. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(driver: Driver, context: ReaderContext) {
    this.#driver = driver
    this.#context = context
  }

  get written(): readonly Uint8Array[] {
    return this.#context.written
  }

  /** What has been read, for the commit to validate. */
  get readSet(): ReadSet {
    return { since: this.#version, keys: this.#keys, ranges: this.#ranges, validUntil: this.#validUntil }
  }

  async get(key: Uint8Array): Promise<StoredRow | null> {
    return this.#inTurn(async () => {
      const row = await this.#read({ type: 'get', key }, this.#context.writes(key) ? 'written' : 'none')
      this.#addRead(key, row)
      return row
    })
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(StoredRow | null)[]> {
    return this.#inTurn(async () => {
      const own = keys.some((key) => this.#context.writes(key)) ? 'written' : 'none'
      const rows = await this.#read({ type: 'getMany', keys }, own)
      for (const [index, row] of rows.entries()) this.#addRead(keys[index]!, row)
      return rows
    })
  }

  async exists(key: Uint8Array): Promise<boolean> {
    return (await this.get(key)) !== null
  }

  async scan(scan: Scan): Promise<KeyedRow[]> {
    return this.#inTurn(async () => {
      const rows = await this.#read({ type: 'scan', scan }, 'all')
      for (const row of rows) this.#noticeExpiry(row.expiresAt)
      // A page that is full ends at its last row: what lies behind it has not been read.
      const lastRow = rows.length === scan.limit ? rows.at(-1) : undefined
      const last = lastRow && encodeKey(lastRow.key)
      const { start, end } = scan.range
      if (last === undefined) this.#addRange(scan.range)
      else this.#addRange(scan.reverse ? { start: last, end } : { start, end: successor(last) })
      return rows
    })
  }

  async count(collection: string, range: KeyRange | null): Promise<number> {
    return this.#inTurn(async () => {
      const count = await this.#read({ type: 'count', collection, range }, 'all')
      this.#addRange(range ?? this.#context.collectionRange(collection))
      return count
    })
  }

  find(query: Planned<FindPlan>): Promise<KeyedRow[]> {
    return this.#query({ type: 'find', query })
  }

  related(query: Planned<RelatedPlan>): Promise<RelatedRow[]> {
    return this.#query({ type: 'related', query })
  }

  figures(query: Planned<CountPlan | AggregatePlan>): Promise<Figures[]> {
    return this.#query({ type: 'figures', query })
  }

  explain(query: Planned): Promise<Explanation> {
    return this.#driver.explain(query)
  }

  /** Every change of the collection, or of the keys of the prefix, may change what a query gives. */
  #query<R extends Extract<Read, { readonly query: Planned }>>(read: R): Promise<ReadResults[R['type']]> {
    return this.#inTurn(async () => {
      const result = await this.#read(read, 'all')
      this.#addRange(this.#rangeOf(read.query))
      return result
    })
  }

  #rangeOf({ plan, operands }: Planned): KeyRange {
    if (plan.range === null) return this.#context.collectionRange(plan.collection)
    return { start: operands[plan.range.start] as Uint8Array, end: operands[plan.range.end] as Uint8Array }
  }

  #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#last.then(read)
    this.#last = result.catch(() => {})
    return result
  }

  async #read<R extends Read>(read: R, own: OwnWrites): Promise<ReadResults[R['type']]> {
    this.#context.assertOpen()
    const pending = await this.#context.pending(own)
    const outcome = await this.#driver.snapshot(read, this.readSet, pending)
    if (outcome.type === 'conflict') throw this.#context.conflict(outcome.conflicts)
    this.#version = outcome.version
    this.#noticeExpiry(outcome.validUntil)
    return outcome.result
  }

  #addRead(key: Uint8Array, row: StoredRow | null): void {
    const text = keyText(key)
    if (!this.#known.has(text)) {
      this.#known.add(text)
      // What the unit has written has no version yet by which it could be told from what others write.
      if (row !== null && row.version > this.#version) this.#addRange(singleKeyRange(key))
      else this.#keys.push({ key, version: row?.version ?? null })
    }
    if (row !== null) this.#noticeExpiry(row.expiresAt)
  }

  /** The pages of one listing become one range. */
  #addRange({ start, end }: KeyRange): void {
    const previous = this.#ranges.at(-1)
    if (previous !== undefined && compareBytes(previous.end, start) === 0) {
      this.#ranges[this.#ranges.length - 1] = { start: previous.start, end }
    } else if (previous !== undefined && compareBytes(end, previous.start) === 0) {
      this.#ranges[this.#ranges.length - 1] = { start, end: previous.end }
    } else {
      this.#ranges.push({ start, end })
    }
  }

  #noticeExpiry(expiresAt: number | null): void {
    if (expiresAt !== null) this.#validUntil = Math.min(this.#validUntil ?? expiresAt, expiresAt)
  }
}
