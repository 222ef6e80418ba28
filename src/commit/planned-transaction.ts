// One class, because it stands for the open transaction of an engine, with all that one does.
import { compareBytes } from '../key/compare.ts'
import { keyText } from '../key/key-text.ts'
import type { StoredValue } from '../value/encoding.ts'
import type { CommitFacts } from './facts.ts'
import type { CollectedChanges, LoggedChange, LoggedCommit } from './log-format.ts'
import { hasExpired, type StoredRow } from './row.ts'
import type { CommitTransaction, ExpiredRow, RowVersion } from './transaction.ts'
import { type HeldValue, mayViolate, type UniqueHolder } from './unique.ts'
import type { Claim, Mutation, SetMutation } from './write.ts'

/** The new row under a key. `touch` changes only its version and expiry. */
export type PlannedRow =
  | {
      readonly type: 'put'
      readonly key: Uint8Array
      readonly collection: string | null
      readonly stored: StoredValue
      readonly version: number
      readonly expiresAt: number | null
    }
  | {
      readonly type: 'touch'
      readonly key: Uint8Array
      readonly version: number
      readonly expiresAt: number | null
    }
  | { readonly type: 'remove'; readonly key: Uint8Array }

/** A new row of the log. */
export interface PlannedCommit extends LoggedCommit {
  readonly changes: readonly LoggedChange[]
}

/** Changes, with the written values if the log keeps them. */
class PlannedChanges implements CollectedChanges {
  readonly #withValues: boolean
  #changes: LoggedChange[] = []

  constructor(withValues: boolean) {
    this.#withValues = withValues
  }

  add(type: LoggedChange['type'], key: Uint8Array, stored?: StoredValue): void {
    this.#changes.push(this.#withValues && stored !== undefined ? { type, key, stored } : { type, key })
  }

  reset(): void {
    this.#changes = []
  }

  take(): readonly LoggedChange[] {
    const changes = this.#changes
    this.reset()
    return changes
  }
}

/** Storing this row would violate a unique index, as far as the facts show. */
class KnownViolation extends Error {}

/** A fact was needed that was not read: `needsOf` did not ask for it. */
class UnknownFact extends Error {}

/** A transaction over facts that were read before. It records what to do, and which facts that depends on. */
export class PlannedTransaction implements CommitTransaction {
  readonly log: PlannedChanges
  readonly #facts: CommitFacts
  readonly #versions: ReadonlyMap<string, RowVersion | null>
  readonly #rows: ReadonlyMap<string, StoredRow | null>
  readonly #planned = new Map<string, PlannedRow>()
  readonly #conditions = new Map<string, { key: Uint8Array; version: number | null }>()
  readonly #commits: PlannedCommit[] = []
  #endedTurn: string | null = null
  /** What was planned for the keys that have changed since the mark, in the order of the changes. */
  #before: { readonly text: string; readonly planned: PlannedRow | undefined }[] = []

  constructor(facts: CommitFacts, logValues: boolean) {
    this.log = new PlannedChanges(logValues)
    this.#facts = facts
    this.#rows = new Map(facts.rows.map(({ key, row }) => [keyText(key), row]))
    this.#versions = new Map([...facts.versions, ...facts.rows].map(({ key, row }) => [keyText(key), row]))
  }

  planned() {
    const inOrder = (a: { key: Uint8Array }, b: { key: Uint8Array }) => compareBytes(a.key, b.key)
    return {
      versions: [...this.#conditions.values()].sort(inOrder),
      rows: [...this.#planned.values()].sort(inOrder),
      log: this.#commits,
      endedTurn: this.#endedTurn,
    }
  }

  versionOf(key: Uint8Array): RowVersion | null {
    const planned = this.#planned.get(keyText(key))
    if (planned !== undefined) return planned.type === 'remove' ? null : planned
    return this.#relyOn(key)
  }

  row(key: Uint8Array): StoredRow | null {
    const planned = this.#planned.get(keyText(key))
    if (planned?.type === 'remove') return null
    if (planned?.type === 'put') {
      const { stored, version, expiresAt } = planned
      return { ...stored, version, expiresAt }
    }
    this.#relyOn(key)
    const row = this.#rows.get(keyText(key))
    if (row === undefined) throw new UnknownFact('The row under a key')
    if (planned === undefined || row === null) return row
    const { version, expiresAt } = planned
    return { ...row, version, expiresAt }
  }

  oldestLogged(): number {
    return this.#facts.oldestLogged
  }

  loggedAfter(version: number): LoggedCommit[] {
    return [...this.#facts.logged, ...this.#commits].filter((commit) => commit.version > version)
  }

  expiredBetween(after: number, until: number): ExpiredRow[] {
    const own = [...this.#planned.values()].filter((row) => row.type !== 'remove')
    const stored = this.#facts.expired.filter(({ key }) => !this.#planned.has(keyText(key)))
    return [...stored, ...own].filter(
      ({ expiresAt }) => hasExpired(expiresAt, until) && !hasExpired(expiresAt, after),
    )
  }

  claimable(claim: Claim) {
    const rows = this.#facts.claimable.get(claim)
    // Nobody has read what the query finds after earlier writes of the batch.
    if (rows === undefined || this.#planned.size > 0) throw new UnknownFact('What the query of a claim finds')
    return rows
  }

  mayViolateUnique(mutations: readonly Mutation[]): boolean {
    return mayViolate(this.#facts.unique, mutations)
  }

  violatesUnique(error: unknown): boolean {
    return error instanceof KnownViolation
  }

  holderOf(_collection: string, _key: Uint8Array, stored: StoredValue): UniqueHolder | null {
    const holder = this.#facts.holders.get(stored)?.find((holder) => this.#stands(holder))
    if (holder === undefined) return null
    const { key, version } = holder
    // It was looked up by itself, and others may have changed it since.
    if (version !== undefined) this.#conditions.set(keyText(key), { key, version })
    return holder
  }

  upsert(set: SetMutation, version: number, expiresAt: number | null): void {
    const { key, collection, stored } = set
    if (this.#facts.holders.get(stored)?.some((holder) => this.#stands(holder))) throw new KnownViolation()
    this.#plan({ type: 'put', key, collection, stored, version, expiresAt })
  }

  /** Whether a row still has the value that violates the unique index. */
  #stands({ key, stored, version }: HeldValue): boolean {
    const text = keyText(key)
    const planned = this.#planned.get(text)
    if (stored !== undefined) return planned?.type === 'put' && planned.stored === stored
    const known = this.#versions.get(text)
    if (known !== undefined && known?.version !== version) return false
    return planned === undefined || planned.type === 'touch'
  }

  insert(set: SetMutation, version: number, expiresAt: number | null): boolean {
    if (this.versionOf(set.key) !== null) return false
    this.upsert(set, version, expiresAt)
    return true
  }

  replace(
    set: SetMutation,
    version: number,
    expiresAt: number | null,
    expected: number,
    now: number,
  ): boolean {
    if (!this.#isOf(set.key, expected, now)) return false
    this.upsert(set, version, expiresAt)
    return true
  }

  touch(key: Uint8Array, version: number, expiresAt: number | null): void {
    const planned = this.#planned.get(keyText(key))
    if (planned?.type === 'put') this.#plan({ ...planned, version, expiresAt })
    else this.#plan({ type: 'touch', key, version, expiresAt })
  }

  remove(key: Uint8Array): void {
    this.#plan({ type: 'remove', key })
  }

  removeVersion(key: Uint8Array, expected: number, now: number): boolean {
    if (!this.#isOf(key, expected, now)) return false
    this.remove(key)
    return true
  }

  append(version: number, at: number): void {
    this.#commits.push({ version, at, changes: this.log.take() })
  }

  endTurn(id: string): void {
    this.#endedTurn = id
  }

  mark(): void {
    this.#before = []
  }

  undo(): void {
    for (const { text, planned } of this.#before.reverse()) {
      if (planned === undefined) this.#planned.delete(text)
      else this.#planned.set(text, planned)
    }
    this.#before = []
  }

  keep(): void {
    this.#before = []
  }

  failsAll(error: unknown): boolean {
    return error instanceof UnknownFact
  }

  #isOf(key: Uint8Array, expected: number, now: number): boolean {
    const row = this.versionOf(key)
    return row !== null && row.version === expected && !hasExpired(row.expiresAt, now)
  }

  #plan(row: PlannedRow): void {
    const text = keyText(row.key)
    this.#before.push({ text, planned: this.#planned.get(text) })
    this.#planned.set(text, row)
  }

  /** The row under a key, which must then stay unchanged until the plan is carried out. */
  #relyOn(key: Uint8Array): RowVersion | null {
    const text = keyText(key)
    const row = this.#versions.get(text)
    if (row === undefined) throw new UnknownFact('The version of the row under a key')
    this.#conditions.set(text, { key, version: row?.version ?? null })
    return row
  }
}
