// A live query keeps a result, hears of changes and updates the result: three steps over the same private state.
import type { Watched, WatchedState } from '../../broadcast/shared-watch.ts'
import type { Subscription } from '../../broadcast/subscription.ts'
import type { KeyedRow, LoggedChange } from '../../driver/driver.ts'
import { decodeKey, encodeStoredKey } from '../../key/codec.ts'
import { keyText } from '../../key/key-text.ts'
import { patternRange } from '../../key/pattern.ts'
import { searchIn } from '../../query/condition.ts'
import { type ComparedRow, isBehind, rowOrder, selects } from '../../query/evaluate.ts'
import { operandAt } from '../../query/operand.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import type { Store } from '../../store/store.ts'
import { inSlices } from '../../time/give-way.ts'
import { foundRows } from '../find/found-rows.ts'
import { present } from '../find/with.ts'
import { GivenRows } from './given-rows.ts'
import type { LiveQueryPlan } from './live-query-plan.ts'
import { type Relation, relatedRows, withInner } from './relation.ts'

/** What is kept of the last result: no values. */
interface Outline {
  /** Identifies the versions of all rows, including related ones, and their order. */
  readonly token: string
  /** The keys of its rows, without related ones. */
  readonly keys: ReadonlySet<string>
  readonly last: { readonly key: Uint8Array; readonly version: number } | null
  /** When the first of its rows expires, in milliseconds since the epoch. */
  readonly expiry: number | null
}

/** A row that the query found, and the text of its key. */
interface Found {
  readonly row: KeyedRow
  readonly name: string
}

/** How many changes to check one by one; for more, running the query again costs less. */
const mostChanges = 256
/** How many characters to hash at once. */
const mostText = 65_536

/** The result of a query. Everyone who gets it shares its rows, which are frozen. */
export class LiveQuery implements Watched<readonly RowEntry[]> {
  readonly #store: Store
  readonly #plan: LiveQueryPlan
  /** The related queries, on all levels. */
  readonly #related: readonly Relation[]
  /** The collections with skipped rows before the first result row: if one of those expires, all others move. */
  readonly #skipped: readonly string[]
  readonly #given: GivenRows
  #outline: Outline | null = null
  /** The result that the outline describes, for a later reader, as long as there is memory to spare. */
  #result: WeakRef<readonly RowEntry[]> | null = null
  /** Every change up to this version is in the result, or does not affect it. */
  #position = 0

  constructor(store: Store, plan: LiveQueryPlan) {
    this.#store = store
    this.#plan = plan
    this.#related = withInner(plan.relations)
    this.#given = new GivenRows(plan.relations)
    this.#skipped = [plan, ...this.#related]
      .filter(({ query }) => query.offset !== undefined)
      .map(({ definition }) => definition.name)
  }

  subscribe(): Promise<Subscription> {
    const ranges = [this.#plan, ...this.#related].map(({ definition }) => patternRange(definition.pattern))
    return this.#store.hub.watchRanges(ranges)
  }

  async look(isKnown: (token: string) => boolean, told: number): Promise<WatchedState<readonly RowEntry[]>> {
    this.#position = Math.max(this.#position, told)
    const outline = this.#outline
    if (outline === null) return this.#read(isKnown)
    const { token, expiry } = outline
    const shown = this.#result?.deref() ?? null
    const isEnough = shown !== null || isKnown(token)
    if (isEnough && !(await this.#mayHaveChanged(outline))) return { token, shown, expiry }
    return this.#read(isKnown)
  }

  /** Whether the query must run again to find out. */
  async #mayHaveChanged(outline: Outline): Promise<boolean> {
    if (outline.expiry !== null && outline.expiry <= this.#store.driver.now()) return true
    const { commits, oldest, latest } = await this.#store.driver.commitsSince(this.#position, mostChanges)
    if (
      latest < this.#position ||
      this.#position + 1 < oldest ||
      (commits.at(-1)?.version ?? latest) < latest
    )
      return true
    if (commits.some((commit) => commit.changes === null)) return true
    const changes = commits.flatMap((commit) => commit.changes ?? [])
    if (changes.length > mostChanges || (await this.#concern(changes, outline))) return true
    this.#position = latest
    return false
  }

  /** Whether one of the changes may affect the result. */
  async #concern(changes: readonly LoggedChange[], outline: Outline): Promise<boolean> {
    const { definition, planned } = this.#plan
    const candidates: Uint8Array[] = []
    for (const { type, key: encodedKey } of changes) {
      if (outline.keys.has(keyText(encodedKey))) return true
      const key = decodeKey(encodedKey)
      const collection = this.#store.collectionOf(key)
      if (collection === definition.name) {
        // A change before the first row of the page moves all others.
        if (planned.plan.offset !== null) return true
        if (type === 'set') candidates.push(encodedKey)
      }
      for (const { definition, depth } of this.#related) {
        if (definition.name !== collection) continue
        if (depth === null) return true
        if (outline.keys.has(keyText(this.#store.encodeKey(key.slice(0, depth))))) return true
      }
    }
    return candidates.length > 0 && this.#enter(candidates, outline)
  }

  /** Whether one of these rows, which are not in the result, now belongs there. */
  async #enter(keys: readonly Uint8Array[], { keys: { size }, last }: Outline): Promise<boolean> {
    const { plan, operands } = this.#plan.planned
    // Only the engine knows the words of a text.
    if (searchIn(plan.where) !== null) return true
    const isFull = plan.limit !== null && size >= operandAt(operands, plan.limit)
    if (isFull && last === null) return false
    const end = isFull ? await this.#row(last!.key) : null
    // The last row has just changed, so nothing can be compared with it. The log will report it.
    if (isFull && end?.version !== last!.version) return true
    const precedes = rowOrder(plan)
    for (const key of keys) {
      const row = await this.#row(key)
      if (row === null || !selects(plan, operands, row)) continue
      // It may replace a row with the same values that is in the result or before it.
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

  /** Runs the query. All rows, including related ones, come from one state. */
  async #read(isKnown: (token: string) => boolean): Promise<WatchedState<readonly RowEntry[]>> {
    // Read before the rows, so it may be older than they are: then there is one more look.
    const position = await this.#store.driver.latestVersion()
    const readAt = this.#store.driver.now()
    const read = (view: RowStore) => this.#readOf(view, isKnown)
    // A single statement always reads one state.
    const { rows, entries, token } = await (this.#related.length > 0
      ? this.#store.ofOneState(read)
      : read(this.#store))
    const expiry = await this.#expiryOf(rows, entries, readAt)
    this.#outline = { token, expiry, ...(await outlineOf(rows)) }
    this.#position = position
    this.#result = entries && new WeakRef(entries)
    await this.#given.tidy(rows.length)
    return { token, shown: entries, expiry }
  }

  /** Without entries if the readers have them, and if the token does not need them. */
  async #readOf(view: RowStore, isKnown: (token: string) => boolean) {
    const found = await view.read({ type: 'find', query: this.#plan.planned })
    const rows = await inSlices(found, (row): Found => ({ row, name: keyText(encodeStoredKey(row.key)) }))
    const related = this.#related.length > 0 ? await this.#entriesOf(view, rows) : null
    const token = await this.#tokenOf(rows, related)
    return { rows, token, entries: related ?? (isKnown(token) ? null : await this.#entriesOf(view, rows)) }
  }

  async #entriesOf(view: RowStore, rows: readonly Found[]): Promise<readonly RowEntry[]> {
    const { definition, query, planned } = this.#plan
    // Its related rows may have changed although it has not.
    const known =
      this.#related.length > 0
        ? []
        : await inSlices(rows, ({ row, name }) => this.#given.of(name, row.version))
    const other = rows.filter((_, i) => known[i] === undefined)
    const found = await foundRows(
      view,
      definition,
      planned,
      other.map(({ row }) => row),
    )
    const fresh = (await present(view, definition, query, found)).values()
    return inSlices(
      rows,
      ({ row, name }, i) => known[i] ?? this.#given.renew(name, row.version, fresh.next().value!),
    )
  }

  async #tokenOf(rows: readonly Found[], related: readonly RowEntry[] | null): Promise<string> {
    // Loaded on demand, because it takes five milliseconds at start-up.
    const { createHash } = process.getBuiltinModule('node:crypto')
    const hash = createHash('sha256')
    let text = ''
    await inSlices(rows, ({ row, name }, i) => {
      text += `${name.length}:${name}${row.version};`
      if (related !== null) text += relatedText(related[i]!, this.#plan.relations)
      if (text.length < mostText) return
      hash.update(text)
      text = ''
    })
    return hash.update(text).digest('base64')
  }

  /** `readAt`: a time before the rows were read. */
  async #expiryOf(
    rows: readonly Found[],
    entries: readonly RowEntry[] | null,
    readAt: number,
  ): Promise<number | null> {
    const { driver } = this.#store
    return earliest([
      ...rows.map(({ row }) => row.expiresAt),
      ...relatedExpiries(entries ?? [], this.#plan.relations),
      ...(await Promise.all(
        this.#skipped.map((collection) => driver.nextExpiry({ collection, after: readAt })),
      )),
    ])
  }
}

/** Identifies the versions of the related rows in an entry. */
function relatedText(entry: RowEntry, relations: readonly Relation[]): string {
  return relations
    .map((relation) => {
      const texts = relatedRows(entry, relation).map((row) => {
        const name = keyText(encodeStoredKey(row.key))
        return `${name.length}:${name}${row.versionstamp}${relatedText(row, relation.inner)}`
      })
      return `${texts.length};${texts.join('')}`
    })
    .join('')
}

async function outlineOf(rows: readonly Found[]): Promise<Omit<Outline, 'token' | 'expiry'>> {
  const keys = new Set<string>()
  await inSlices(rows, ({ name }) => keys.add(name))
  const last = rows.at(-1)?.row
  return {
    keys,
    last: last === undefined ? null : { key: encodeStoredKey(last.key), version: last.version },
  }
}

/** When the related rows expire. */
function relatedExpiries(
  entries: readonly RowEntry[],
  relations: readonly Relation[],
): readonly (number | null)[] {
  return relations.flatMap((relation) => {
    const rows = entries.flatMap((entry) => relatedRows(entry, relation))
    return [...rows.map(({ expiresAt }) => expiresAt), ...relatedExpiries(rows, relation.inner)]
  })
}

function earliest(times: readonly (number | null)[]): number | null {
  let first: number | null = null
  for (const time of times) if (time !== null && (first === null || time < first)) first = time
  return first
}
