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
import type { OwnWrites } from './own-writes.ts'

/** What a unit of work shows its reader. */
export interface ReaderContext {
  /** Throws where the unit is over, or doomed. */
  assertOpen(): void
  readonly own: OwnWrites
  /** Adds a write for each loaded value that was changed in place. */
  writeChangedValues(): Promise<void>
  /** A range that holds every key of a collection. */
  collectionRange(collection: string): KeyRange
  /** Dooms the unit, and gives what to throw. */
  conflict(conflicts: readonly CheckConflict[]): Error
}

/** The version of a row that the unit has written anew while it was read: no check finds it. */
const outdated = 0
/** A key that was read has passed the limit of its day. */
const anyLength = Number.POSITIVE_INFINITY

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
    return this.#context.own.keys
  }

  /** What has been read, for the commit to validate. */
  get readSet(): ReadSet {
    return { since: this.#version, keys: this.#keys, ranges: this.#ranges, validUntil: this.#validUntil }
  }

  async get(key: Uint8Array): Promise<StoredRow | null> {
    return this.#inTurn(async () => {
      const own = this.#ownRow(key)
      if (own !== undefined) return own
      const underneath = this.#context.own.of(key)
      const { latestVersion } = this.#context.own
      const row = await this.#read({ type: 'get', key }, underneath)
      return this.#addRead(key, row, underneath, latestVersion)
    })
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(StoredRow | null)[]> {
    return this.#inTurn(async () => {
      const rows = keys.map((key) => this.#ownRow(key))
      const asked = keys.filter((_, i) => rows[i] === undefined)
      if (asked.length === 0 && keys.length > 0) return rows as (StoredRow | null)[]
      const underneath = asked.map((key) => this.#context.own.of(key))
      const { latestVersion } = this.#context.own
      const read = await this.#read({ type: 'getMany', keys: asked }, underneath.flat())
      let next = 0
      return rows.map((row, i) => {
        if (row !== undefined) return row
        const place = next++
        return this.#addRead(keys[i]!, read[place]!, underneath[place]!, latestVersion)
      })
    })
  }

  async exists(key: Uint8Array): Promise<boolean> {
    return (await this.get(key)) !== null
  }

  async scan(scan: Scan): Promise<KeyedRow[]> {
    return this.#inTurn(async () => {
      const rows = await this.#readRows({ type: 'scan', scan })
      for (const row of rows) this.#noticeExpiry(row.expiresAt)
      // A page that is full ends at its last row: what lies behind it has not been read.
      const lastRow = rows.length === scan.limit ? rows.at(-1) : undefined
      const last = lastRow && encodeKey(lastRow.key, anyLength)
      const { start, end } = scan.range
      if (last === undefined) this.#addRange(scan.range)
      else this.#addRange(scan.reverse ? { start: last, end } : { start, end: successor(last) })
      return rows
    })
  }

  async count(collection: string, range: KeyRange | null): Promise<number> {
    return this.#inTurn(async () => {
      const count = await this.#readAll({ type: 'count', collection, range })
      this.#addRange(range ?? this.#context.collectionRange(collection))
      return count
    })
  }

  find(query: Planned<FindPlan>): Promise<KeyedRow[]> {
    return this.#inTurn(async () => {
      const rows = await this.#readRows({ type: 'find', query })
      this.#addQuery(query)
      return rows
    })
  }

  related(query: Planned<RelatedPlan>): Promise<RelatedRow[]> {
    return this.#inTurn(async () => {
      const rows = await this.#readRows({ type: 'related', query })
      this.#addQuery(query)
      return rows
    })
  }

  figures(query: Planned<CountPlan | AggregatePlan>): Promise<Figures[]> {
    return this.#inTurn(async () => {
      const figures = await this.#readAll({ type: 'figures', query })
      this.#addQuery(query)
      return figures
    })
  }

  explain(query: Planned): Promise<Explanation> {
    return this.#driver.explain(query)
  }

  /** Every change of the collection, or of the keys of the prefix, may change what a query gives. */
  #addQuery({ plan, operands }: Planned): void {
    this.#addRange(
      plan.range === null
        ? this.#context.collectionRange(plan.collection)
        : { start: operands[plan.range.start] as Uint8Array, end: operands[plan.range.end] as Uint8Array },
    )
  }

  #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#last.then(read)
    this.#last = result.catch(() => {})
    return result
  }

  /** A read that sees all that the unit has written, values that were changed in place included. */
  async #readAll<R extends Read>(read: R): Promise<ReadResults[R['type']]> {
    this.#context.assertOpen()
    await this.#context.writeChangedValues()
    return this.#read(read, this.#context.own.all())
  }

  /** A read that sees these of the unit's own writes. */
  async #read<R extends Read>(read: R, own: readonly Mutation[]): Promise<ReadResults[R['type']]> {
    this.#context.assertOpen()
    const outcome = await this.#driver.snapshot(read, this.readSet, own)
    if (outcome.type === 'conflict') throw this.#context.conflict(outcome.conflicts)
    this.#version = outcome.version
    this.#noticeExpiry(outcome.validUntil)
    return outcome.result
  }

  /** What the unit itself has written under a key; `undefined` where the database has to be asked. */
  #ownRow(key: Uint8Array): StoredRow | null | undefined {
    const row = this.#context.own.rowOf(key)
    if (row === undefined) return undefined
    this.#context.assertOpen()
    return row?.expiresAt != null && row.expiresAt <= Date.now() ? null : row
  }

  /** Rows that are read, those that the unit has written with the versions of these writes. */
  async #readRows<R extends Extract<Read, { readonly type: 'scan' | 'find' | 'related' }>>(
    read: R,
  ): Promise<ReadResults[R['type']]> {
    this.#context.assertOpen()
    await this.#context.writeChangedValues()
    const { own } = this.#context
    const { latestVersion } = own
    const rows = await this.#read(read, own.all())
    if (own.keys.length === 0) return rows
    const labelled = (rows as KeyedRow[]).map((row) =>
      this.#withOwnVersion(encodeKey(row.key, anyLength), row, latestVersion),
    )
    return labelled as ReadResults[R['type']]
  }

  /** Takes a row into the read set, and gives it. `underneath`: the unit's own writes that were read with it. */
  #addRead(
    key: Uint8Array,
    row: StoredRow | null,
    underneath: readonly Mutation[],
    latestOwn: number,
  ): StoredRow | null {
    const text = keyText(key)
    if (!this.#known.has(text)) {
      this.#known.add(text)
      // What the unit's own writes build upon has no version here by which a check could tell it.
      if (underneath.length === 0) this.#keys.push({ key, version: row?.version ?? null })
      else this.#addRange(singleKeyRange(key))
    }
    if (row === null) return null
    this.#noticeExpiry(row.expiresAt)
    return this.#withOwnVersion(key, row, latestOwn)
  }

  /** `latestOwn`: the newest own write when the row was asked for; one that has come since is not in it. */
  #withOwnVersion<Row extends StoredRow>(key: Uint8Array, row: Row, latestOwn: number): Row {
    const version = this.#context.own.versionOf(key)
    if (version === undefined) return row
    return { ...row, version: version <= latestOwn ? version : outdated }
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
