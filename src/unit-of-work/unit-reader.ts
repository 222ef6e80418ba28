import { mutatedRow } from '../commit/mutated-row.ts'
import { hasExpired } from '../commit/row.ts'
import type { KeyCheck, ReadSet } from '../commit/write.ts'
import type {
  Driver,
  Figures,
  KeyedRow,
  Read,
  Reader,
  ReadResults,
  ResultOf,
  Session,
  ShownRow,
  StoredRow,
} from '../driver/driver.ts'
import { compareBytes, encodeStoredKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'
import { type KeyRange, successor } from '../key/range.ts'
import { operandAt } from '../query/operand.ts'
import type { Planned } from '../query/plan.ts'
import { inSlices } from '../time/give-way.ts'
import { type OwnWrite, type OwnWrites, replaces } from './own-writes.ts'

type ReadOf<Type extends Read['type']> = Extract<Read, { readonly type: Type }>

/** What the reader of a unit of work needs from the unit. */
export interface ReaderContext {
  /** Throws if the unit is over. */
  assertOpen(): void
  readonly own: OwnWrites
  /** Adds a write for each loaded value of a key in the range that was changed in place. */
  writeChangedValues(range: KeyRange): Promise<void>
  /** A range with every key of a collection. */
  collectionRange(collection: string): KeyRange
  /** The collection of a row with this key. */
  collectionOf(key: Uint8Array): string | null
}

/**
 * The reads of a unit of work: from one session, which keeps the state of its first read, with the unit's own writes on top. It
 * records what was read, so that the commit can check whether it still holds.
 */
export class UnitReader implements Reader {
  readonly #session: Session
  readonly #context: ReaderContext
  readonly #now: () => number
  readonly #keys: KeyCheck[] = []
  readonly #known = new Set<string>()
  readonly #ranges: KeyRange[] = []
  #validUntil: number | null = null
  /** How many of the unit's writes the session knows. */
  #shown = 0
  #showing: Promise<void> = Promise.resolve()

  constructor(driver: Driver, context: ReaderContext) {
    this.#session = driver.session('held')
    this.#context = context
    this.#now = () => driver.now()
  }

  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    return this.#perform(request, signal) as Promise<ResultOf<R>>
  }

  /** What was read, for the commit to check; undefined if nothing was. */
  async readSet(): Promise<ReadSet | undefined> {
    if (!this.#hasRead) return undefined
    const { version, at } = await this.#session.state()
    return { since: version, at, keys: this.#keys, ranges: this.#ranges, validUntil: this.#validUntil }
  }

  /** The version of a key in the state that is read, without the unit's writes. */
  async committedVersion(key: Uint8Array): Promise<number | null> {
    this.#context.assertOpen()
    return (await this.#stored(key))?.version ?? null
  }

  /** Whether the session is lost, through no fault of the unit. */
  get isLost(): boolean {
    return this.#session.isLost
  }

  end(): void {
    this.#session.end()
  }

  #perform(request: Read, signal: AbortSignal | undefined): Promise<ReadResults[Read['type']]> {
    switch (request.type) {
      case 'get':
        return this.#get(request.key)
      case 'getMany':
        return this.#getMany(request.keys, signal)
      case 'exists':
        return this.#get(request.key).then((row) => row !== null)
      case 'scan':
        return this.#scan(request, signal)
      case 'count':
        return this.#count(request, signal)
      case 'find':
      case 'related':
      case 'figures':
        return this.#query(request, signal)
      case 'salvage':
      case 'explain':
        return this.#session.read(request, signal)
    }
  }

  async #get(key: Uint8Array): Promise<StoredRow | null> {
    this.#context.assertOpen()
    const own = this.#context.own.of(key)
    if (own === undefined) return this.#addRead(key, await this.#session.read({ type: 'get', key }))
    return this.#ownRow(key, own)
  }

  async #getMany(
    keys: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<(StoredRow | null)[]> {
    this.#context.assertOpen()
    const own = keys.map((key) => this.#context.own.of(key))
    const asked = keys.filter((_, i) => own[i] === undefined)
    const found =
      asked.length === 0 && keys.length > 0
        ? []
        : await this.#session.read({ type: 'getMany', keys: asked }, signal)
    let next = 0
    return inSlices(keys, (key, i) => {
      const write = own[i]
      return write === undefined ? this.#addRead(key, found[next++]!) : this.#ownRow(key, write)
    })
  }

  async #scan(request: ReadOf<'scan'>, signal: AbortSignal | undefined): Promise<KeyedRow[]> {
    const { scan } = request
    await this.#showOwn(scan.range)
    const rows = await this.#session.read(request, signal)
    // A full page ends at its last row: nothing after it was read.
    const lastRow = rows.length === scan.limit ? rows.at(-1) : undefined
    const last = lastRow && encodeStoredKey(lastRow.key)
    const { start, end } = scan.range
    if (last === undefined) this.#addRange(scan.range)
    else this.#addRange(scan.reverse ? { start: last, end } : { start, end: successor(last) })
    return rows
  }

  async #count(request: ReadOf<'count'>, signal: AbortSignal | undefined): Promise<number> {
    const range = request.range ?? this.#context.collectionRange(request.collection)
    await this.#showOwn(range)
    const count = await this.#session.read(request, signal)
    this.#addRange(range)
    return count
  }

  async #query(
    request: ReadOf<'find' | 'related' | 'figures'>,
    signal: AbortSignal | undefined,
  ): Promise<KeyedRow[] | Figures[]> {
    const range = this.#rangeOf(request.query)
    await this.#showOwn(range)
    const rows = await this.#session.read(request, signal)
    this.#addRange(range)
    return rows
  }

  /** Any change of the collection, or of keys below the prefix, may change the result of a query. */
  #rangeOf({ plan, operands }: Planned): KeyRange {
    return plan.range === null
      ? this.#context.collectionRange(plan.collection)
      : { start: operandAt(operands, plan.range.start), end: operandAt(operands, plan.range.end) }
  }

  /** The row after the unit's own writes of a key, applied to the stored row if they build upon it. */
  async #ownRow(key: Uint8Array, { mutations, version }: OwnWrite): Promise<StoredRow | null> {
    const before = replaces(mutations[0]!) ? null : await this.#stored(key)
    const row = mutatedRow(mutations, before, version)
    if (row === null || row.expiresAt === null) return row
    // Queries judge it by the time of the state.
    const { at } = this.#hasRead ? await this.#session.state() : { at: this.#now() }
    return hasExpired(row.expiresAt, at) ? null : row
  }

  get #hasRead(): boolean {
    return this.#keys.length + this.#ranges.length > 0
  }

  async #stored(key: Uint8Array): Promise<StoredRow | null> {
    return this.#addRead(key, await this.#session.read({ type: 'get', key }))
  }

  /** Shows the session all writes of the unit, including values in the range that were changed in place. */
  async #showOwn(range: KeyRange): Promise<void> {
    this.#context.assertOpen()
    await this.#context.writeChangedValues(range)
    if (this.#context.own.keys.length !== this.#shown) {
      const showing = this.#showing.then(() => this.#showSince())
      this.#showing = showing.catch(() => {})
      await showing
    }
    // The function may have returned meanwhile.
    this.#context.assertOpen()
  }

  async #showSince(): Promise<void> {
    const { own } = this.#context
    const { length } = own.keys
    const written = new Map(own.keys.slice(this.#shown).map((key) => [keyText(key), key]))
    const rows = await Promise.all(Array.from(written.values(), (key) => this.#ownShown(key)))
    this.#session.show(rows)
    this.#shown = length
  }

  async #ownShown(key: Uint8Array): Promise<ShownRow> {
    const write = this.#context.own.of(key)!
    const row = await this.#ownRow(key, write)
    const last = write.mutations.at(-1)!
    const collection = 'collection' in last ? last.collection : this.#context.collectionOf(key)
    return { key, collection, row }
  }

  /** Adds a row to the read set, and returns it. */
  #addRead(key: Uint8Array, row: StoredRow | null): StoredRow | null {
    const text = keyText(key)
    if (!this.#known.has(text)) {
      this.#known.add(text)
      this.#keys.push({ key, version: row?.version ?? null })
    }
    const expiresAt = row?.expiresAt ?? null
    if (expiresAt !== null) this.#validUntil = Math.min(this.#validUntil ?? expiresAt, expiresAt)
    return row
  }

  /** The pages of one list become one range. */
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
}
