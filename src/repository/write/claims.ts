import { checkQueryNames } from '../../arguments/option-names.ts'
import { checkWholeNumber } from '../../arguments/option-values.ts'
import { formatVersionstamp } from '../../key/versionstamp.ts'
import type { FindPlan, Planned } from '../../query/plan.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import { backOff } from '../../store/backoff.ts'
import { conflictError } from '../../store/conflict.ts'
import { checkExpireIn } from '../../store/expiry.ts'
import { KeyedMutex } from '../../store/keyed-mutex.ts'
import type { RowStore } from '../../store/row-store.ts'
import { inSlices } from '../../time/give-way.ts'
import { retried } from '../../trace/waiting.ts'
import { checkOrderedValues } from '../find/found-rows.ts'
import { claimInPlace, noteClaim } from './claim-in-place.ts'
import {
  type CheckedClaim,
  type CommittedOutcome,
  type PreparedRow,
  preparedRow,
  type UntypedClaim,
} from './claim-parts.ts'
import { updateMutation } from './update.ts'
import { checkSet, nothingWritten, planWrite, type UntypedWriteManyResult } from './write-many.ts'
import { judgeWritten, writtenEntry } from './written-entry.ts'

const options = ['where', 'prefix', 'orderBy', 'limit', 'set', 'expireIn']
const mostAttempts = 1_000
/** How many attempts follow at once, before others are given time. */
const quickAttempts = 3
const mostSpare = 64
const all = ''

/**
 * The claims of one repository: the rows that a query finds are changed and returned, in one commit.
 *
 * Where possible, they are prepared in the commit. All others are prepared before it, and take turns in this process. Because other
 * processes may take rows in between, they prepare some spare rows: as many as were needed lately.
 */
export class Claims {
  readonly #store: RowStore
  readonly #definition: AnyDefinition
  readonly #turns = new KeyedMutex()
  #spare = 0
  /** The version of the last claim that was prepared before. If it is still the newest at the next commit, nothing has changed. */
  #last: number | null = null

  constructor(store: RowStore, definition: AnyDefinition) {
    this.#store = store
    this.#definition = definition
  }

  async claim(query: UntypedClaim): Promise<UntypedWriteManyResult> {
    checkQueryNames(query, options, 'claimMany')
    const set = checkSet(query, 'claimMany')
    checkExpireIn(query.expireIn)
    const { limit } = query
    if (limit === undefined)
      throw new TypeError('claimMany needs a limit: the most rows to claim, at least 1')
    checkWholeNumber(limit, 'limit', 1)
    const asked = { ...query, set, limit }
    const outcome = await claimInPlace(this.#store, this.#definition, asked)
    if (outcome !== null) return this.#result(outcome)
    await this.#store.earlierWrites?.()
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(asked, attempt)
      if (result !== null) return result
      retried(this.#store.path, attempt)
      if (attempt >= quickAttempts) await backOff(this.#store.path, attempt - quickAttempts)
    }
  }

  /** `null`: others have taken rows that this attempt wanted. */
  async #attempt(asked: CheckedClaim, attempt: number): Promise<UntypedWriteManyResult | null> {
    const [store, definition] = [this.#store, this.#definition]
    let leave = await this.#turns.enter(all)
    try {
      store.assertOpen()
      const query = planWrite(store, definition, asked, 'claimMany')
      const since = this.#last
      const candidates = await this.#prepare(query, asked, () => {
        // The user's function may claim rows, too, and would wait for itself.
        leave()
        leave = () => {}
      })
      if (candidates.length === 0) return this.#result(null)
      const claim = { query, since, candidates }
      const outcome = await store.commit({ checks: [], mutations: [], claim })
      if (outcome.type === 'conflict') {
        if (attempt === mostAttempts) throw conflictError(outcome.conflicts, attempt)
        this.#spare = Math.min(2 * this.#spare + 1, mostSpare)
        return null
      }
      this.#last = outcome.version
      const { claimed = [] } = outcome
      const last = candidates.findIndex(({ key }) => key === claimed.at(-1)?.key)
      const needed = last + 1 - claimed.length
      this.#spare = Math.max(needed, this.#spare * 0.95)
      return this.#result(outcome)
    } finally {
      leave()
    }
  }

  /** `null`: it found no row. */
  async #result(outcome: CommittedOutcome | null): Promise<UntypedWriteManyResult> {
    noteClaim(this.#store, this.#definition, outcome !== null)
    if (outcome === null) return { ...nothingWritten, entries: [] }
    const { version } = outcome
    const claimed = outcome.claimed as readonly PreparedRow[]
    const entries = await inSlices(claimed, ({ mutation, decodedKey }) =>
      writtenEntry(this.#store, this.#definition, mutation, version, decodedKey),
    )
    return { ok: true, count: entries.length, versionstamp: formatVersionstamp(version), entries }
  }

  async #prepare(
    { plan, operands }: Planned<FindPlan>,
    { set, limit, expireIn }: CheckedClaim,
    onPause: () => void,
  ): Promise<PreparedRow[]> {
    const [store, definition] = [this.#store, this.#definition]
    // A spare row that the schema refuses must not fail the claim.
    const spare = store.validatesReads ? 0 : Math.round(this.#spare)
    const more = operands.with(plan.limit!.at, limit + spare)
    const planned = { plan, operands: more }
    const rows = await store.read({ type: 'find', query: planned })
    checkOrderedValues(plan, rows)
    const prepared = await inSlices(rows, (row) => {
      const mutation = updateMutation({ store, definition, key: row.key, row }, set, expireIn, onPause)
      return mutation instanceof Promise
        ? mutation.then((settled) => preparedRow(row, settled))
        : preparedRow(row, mutation)
    })
    const mutations = prepared.map(({ mutation }) => mutation)
    await judgeWritten(store, definition, mutations)
    return prepared
  }
}
