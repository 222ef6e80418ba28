import type { Hash } from 'node:crypto'
import type { KeyedRow, LoggedChange } from '../driver/driver.ts'
import { inSlices } from '../give-way.ts'
import { decodeKey, encodeKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'
import { patternRange } from '../key/pattern.ts'
import { type ComparedRow, isBehind, rowOrder, selects } from '../query/evaluate.ts'
import { operandAt } from '../query/operand.ts'
import type { FindPlan, Planned } from '../query/plan.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { RowEntry, RowStore } from '../store/row-store.ts'
import type { Store } from '../store/store.ts'
import type { Subscription } from '../watch/subscription.ts'
import type { WatchSource } from '../watch/watch-stream.ts'
import { foundRows, planFind, type UntypedQuery } from './found-rows.ts'
import { relatedDefinitions } from './related-definitions.ts'
import { present } from './with.ts'

/** What is kept of the result that was given last: no values. */
interface Given {
  /** Stands for the versions of all its rows, the related ones too, and for their order. */
  readonly digest: string
  /** The keys of its rows, without the related ones. */
  readonly keys: ReadonlySet<string>
  readonly last: { readonly key: Uint8Array; readonly version: number } | null
  /** When the first of the rows that it rests on expires, in milliseconds since the epoch. */
  readonly expiry: number | null
}

/** Changes to look at one by one; where there are more, running the query again costs less. */
const mostChanges = 256

/** The result of a query: as it is now, then each time that it is another one. */
export class LiveQuery implements WatchSource<RowEntry[]> {
  readonly #store: Store
  readonly #definition: AnyDefinition
  readonly #query: UntypedQuery
  readonly #planned: Planned<FindPlan>
  readonly #related: ReturnType<typeof relatedDefinitions>
  /** The collections of which rows are left out before the first that is given: when one of those expires, all others move. */
  readonly #skipped: readonly string[]
  #given: Given | null = null
  /** Every change up to this version is in the result, or does not concern it. */
  #position = 0
  #subscription: Subscription | null = null

  /** Throws a QueryError for a query that is not right. */
  constructor(store: Store, definition: AnyDefinition, query: UntypedQuery) {
    this.#store = store
    this.#definition = definition
    this.#query = query
    this.#planned = planFind(store, definition, query)
    this.#related = relatedDefinitions(store.registry, definition, query.with)
    this.#skipped = [
      ...(query.offset === undefined ? [] : [definition.name]),
      ...(skips(query.with) ? this.#related.map(({ definition: { name } }) => name) : []),
    ]
  }

  async next(isWanted: () => boolean): Promise<{ readonly item: RowEntry[] } | null> {
    const definitions = [this.#definition, ...this.#related.map(({ definition }) => definition)]
    const ranges = definitions.map(({ pattern }) => patternRange(pattern))
    const subscription = await this.#store.hub.watchRanges(ranges)
    this.#subscription = subscription
    try {
      while (isWanted()) {
        subscription.arm()
        const item = (await this.#mayHaveChanged()) ? await this.#readChanged() : null
        if (item !== null) return { item }
        await subscription.changed(this.#given?.expiry)
        this.#position = Math.max(this.#position, subscription.distributed)
      }
      return null
    } finally {
      this.#subscription = null
      subscription.end()
    }
  }

  wake(): void {
    this.#subscription?.wake()
  }

  /** Whether the query has to run again to tell. */
  async #mayHaveChanged(): Promise<boolean> {
    const given = this.#given
    if (given === null || (given.expiry !== null && given.expiry <= Date.now())) return true
    const { commits, oldest, latest } = await this.#store.driver.commitsSince(this.#position, mostChanges)
    if (this.#position + 1 < oldest || (commits.at(-1)?.version ?? latest) < latest) return true
    if (commits.some((commit) => commit.changes === null)) return true
    const changes = commits.flatMap((commit) => commit.changes ?? [])
    if (changes.length > mostChanges || (await this.#concern(changes, given))) return true
    this.#position = latest
    return false
  }

  /** Whether one of the changes may have changed the result. */
  async #concern(changes: readonly LoggedChange[], given: Given): Promise<boolean> {
    const candidates: Uint8Array[] = []
    for (const { type, key: encodedKey } of changes) {
      if (given.keys.has(keyText(encodedKey))) return true
      const key = decodeKey(encodedKey)
      const collection = this.#store.collectionOf(key)
      if (collection === this.#definition.name) {
        // One that lay before the first row of the page moves all others.
        if (this.#planned.plan.offset !== null) return true
        if (type === 'set') candidates.push(encodedKey)
      }
      for (const { definition, depth } of this.#related) {
        if (definition.name !== collection) continue
        if (depth === null) return true
        if (given.keys.has(keyText(this.#store.encodeKey(key.slice(0, depth))))) return true
      }
    }
    return candidates.length > 0 && this.#enter(candidates, given)
  }

  /** Whether one of these rows, none of which is in the result, belongs there now. */
  async #enter(keys: readonly Uint8Array[], { keys: { size }, last }: Given): Promise<boolean> {
    const { plan, operands } = this.#planned
    const isFull = plan.limit !== null && size >= operandAt(operands, plan.limit)
    if (isFull && last === null) return false
    const end = isFull ? await this.#row(last!.key) : null
    // It was changed just now: the log will tell, but the order cannot.
    if (isFull && end?.version !== last!.version) return true
    const precedes = rowOrder(plan)
    for (const key of keys) {
      const row = await this.#row(key)
      if (row === null || !selects(plan, operands, row)) continue
      // It may stand for others that agree with it, of which one is in the result or before it.
      if (plan.distinct.length > 0) return true
      if (!isBehind(plan, operands, row)) continue
      if (end === null || precedes(row, end) < 0) return true
    }
    return false
  }

  async #row(key: Uint8Array): Promise<(ComparedRow & { readonly version: number }) | null> {
    const row = await this.#store.read({ type: 'get', key })
    return row && { key, version: row.version, value: this.#store.comparedValue(row, decodeKey(key)) }
  }

  /** The result where it is not the one that was given last. Its rows, the related ones too, are of one state. */
  async #readChanged(): Promise<RowEntry[] | null> {
    // Of a state that may be older than what is read: then it is looked at once more.
    this.#position = await this.#store.driver.latestVersion()
    const readAt = Date.now()
    return this.#store.ofOneState((view) => this.#readChangedOf(view, readAt))
  }

  /** `readAt`: a time before the state of the view was told. */
  async #readChangedOf(view: RowStore, readAt: number): Promise<RowEntry[] | null> {
    const rows = await view.read({ type: 'find', query: this.#planned })
    const hash = newHash()
    const keys = await inSlices(rows, ({ key, version }) => {
      const encodedKey = encodeKey(key)
      hash.update(encodedKey).update(`${version};`)
      return encodedKey
    })
    let entries: RowEntry[] | null = null
    if (this.#related.length > 0) {
      entries = await this.#present(view, rows)
      for (const entry of entries) this.#addRelated(hash, entry, this.#query.with)
    }
    const digest = hash.digest('base64')
    const isSame = digest === this.#given?.digest
    if (!isSame) entries ??= await this.#present(view, rows)
    const { driver } = this.#store
    const expiry = earliest([
      ...rows.map(({ expiresAt }) => expiresAt),
      ...(this.#related.length > 0 ? relatedExpiries(entries!, this.#query.with) : []),
      ...(await Promise.all(
        this.#skipped.map((collection) => driver.nextExpiry({ collection, after: readAt })),
      )),
    ])
    const last = keys.length === 0 ? null : { key: keys.at(-1)!, version: rows.at(-1)!.version }
    this.#given = { digest, expiry, last, keys: new Set(await inSlices(keys, keyText)) }
    return isSame ? null : entries
  }

  async #present(view: RowStore, rows: readonly KeyedRow[]): Promise<RowEntry[]> {
    const found = await foundRows(view, this.#definition, this.#planned, rows)
    return present(view, this.#definition, this.#query, found)
  }

  #addRelated(hash: Hash, entry: RowEntry, relations: unknown): void {
    if (typeof relations !== 'object' || relations === null) return
    for (const [name, asked] of Object.entries(relations)) {
      const rows = relatedRows(entry, name)
      hash.update(`${name}:${rows.length};`)
      for (const row of rows) {
        hash.update(this.#store.encodeKey(row.key)).update(row.versionstamp)
        this.#addRelated(hash, row, (asked as { readonly with?: unknown }).with)
      }
    }
  }
}

function newHash(): Hash {
  // Loaded when it is needed: it takes a process five milliseconds to start with.
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256')
}

function relatedRows(entry: RowEntry, name: string): readonly RowEntry[] {
  const related = (entry as unknown as Record<string, RowEntry | RowEntry[] | null | undefined>)[name]
  return Array.isArray(related) ? related : related ? [related] : []
}

/** When the rows that were loaded along expire. */
function relatedExpiries(entries: readonly RowEntry[], relations: unknown): (number | null)[] {
  if (typeof relations !== 'object' || relations === null) return []
  return Object.entries(relations).flatMap(([name, asked]) => {
    const rows = entries.flatMap((entry) => relatedRows(entry, name))
    const nested = relatedExpiries(rows, (asked as { readonly with?: unknown }).with)
    return [...rows.map(({ expiresAt }) => expiresAt), ...nested]
  })
}

/** Whether a query on related rows leaves out some of them before the first. */
function skips(relations: unknown): boolean {
  if (typeof relations !== 'object' || relations === null) return false
  return Object.values(relations).some(
    (asked) => typeof asked === 'object' && asked !== null && ('offset' in asked || skips(asked.with)),
  )
}

function earliest(times: readonly (number | null)[]): number | null {
  let first: number | null = null
  for (const time of times) if (time !== null && (first === null || time < first)) first = time
  return first
}
