import type { CheckConflict, KeyCheck, Mutation, ReadSet } from '../commit/write.ts'
import type {
  Driver,
  Figures,
  KeyedRow,
  Read,
  Reader,
  ReadResults,
  ResultOf,
  Scan,
  StoredRow,
} from '../driver/driver.ts'
import { compareBytes, encodeKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'
import { type KeyRange, singleKeyRange, successor } from '../key/range.ts'
import type { Planned } from '../query/plan.ts'
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

  /** What has been read, for the commit to validate. */
  get readSet(): ReadSet {
    return { since: this.#version, keys: this.#keys, ranges: this.#ranges, validUntil: this.#validUntil }
  }

  read<R extends Read>(request: R): Promise<ResultOf<R>> {
    return this.#perform(request) as Promise<ResultOf<R>>
  }

  #perform(request: Read): Promise<ReadResults[Read['type']]> {
    switch (request.type) {
      case 'get':
        return this.#get(request.key)
      case 'getMany':
        return this.#getMany(request.keys)
      case 'exists':
        return this.#get(request.key).then((row) => row !== null)
      case 'scan':
        return this.#scan(request.scan)
      case 'count':
        return this.#count(request)
      case 'find':
      case 'related':
        return this.#find(request)
      case 'figures':
        return this.#figures(request)
      case 'explain':
        return this.#driver.read(request)
    }
  }

  async #get(key: Uint8Array): Promise<StoredRow | null> {
    return this.#inTurn(async () => {
      const own = this.#ownRow(key)
      if (own !== undefined) return own
      const underneath = this.#context.own.of(key)
      const { latestVersion } = this.#context.own
      const row = await this.#read({ type: 'get', key }, underneath)
      return this.#addRead(key, row, underneath, latestVersion)
    })
  }

  async #getMany(keys: readonly Uint8Array[]): Promise<(StoredRow | null)[]> {
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

  /** The version of a key in the snapshot, whatever the unit has written. */
  async committedVersion(key: Uint8Array): Promise<number | null> {
    return this.#inTurn(async () => {
      const row = await this.#read({ type: 'get', key }, [])
      this.#addRead(key, row, [], 0)
      return row?.version ?? null
    })
  }

  async #scan(scan: Scan): Promise<KeyedRow[]> {
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

  async #count(request: Extract<Read, { readonly type: 'count' }>): Promise<number> {
    return this.#inTurn(async () => {
      const count = await this.#readAll(request)
      this.#addRange(request.range ?? this.#context.collectionRange(request.collection))
      return count
    })
  }

  #find(request: Extract<Read, { readonly type: 'find' | 'related' }>): Promise<KeyedRow[]> {
    return this.#inTurn(async () => {
      const rows = await this.#readRows(request)
      this.#addQuery(request.query)
      return rows
    })
  }

  #figures(request: Extract<Read, { readonly type: 'figures' }>): Promise<Figures[]> {
    return this.#inTurn(async () => {
      const figures = await this.#readAll(request)
      this.#addQuery(request.query)
      return figures
    })
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
  async #readAll<R extends Read>(read: R): Promise<ResultOf<R>> {
    this.#context.assertOpen()
    await this.#context.writeChangedValues()
    return this.#read(read, this.#context.own.all())
  }

  /** A read that sees these of the unit's own writes. */
  async #read<R extends Read>(read: R, own: readonly Mutation[]): Promise<ResultOf<R>> {
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
  ): Promise<ResultOf<R>> {
    this.#context.assertOpen()
    await this.#context.writeChangedValues()
    const { own } = this.#context
    const { latestVersion } = own
    const rows = await this.#read(read, own.all())
    if (own.keys.length === 0) return rows
    const labelled = (rows as KeyedRow[]).map((row) =>
      this.#withOwnVersion(encodeKey(row.key, anyLength), row, latestVersion),
    )
    return labelled as ResultOf<R>
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
