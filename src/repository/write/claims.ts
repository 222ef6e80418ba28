import { checkOptionNames, checkWholeNumber } from '../../arguments/option-names.ts'
import type { Candidate, SetMutation } from '../../commit/write.ts'
import type { Key } from '../../contract/key.types.ts'
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
import { type UntypedUpdate, updateMutation } from './update.ts'
import {
  checkSet,
  nothingWritten,
  planWrite,
  type UntypedSelection,
  type UntypedWriteManyResult,
} from './write-many.ts'
import { writtenEntry } from './written-entry.ts'

export interface UntypedClaim extends UntypedSelection {
  readonly set?: UntypedUpdate
  readonly expireIn?: number | undefined
}

interface CheckedClaim extends UntypedClaim {
  readonly set: UntypedUpdate
  readonly limit: number
}

interface Prepared extends Candidate {
  readonly mutation: SetMutation
  readonly decodedKey: Key
}

const options = ['where', 'prefix', 'orderBy', 'limit', 'set', 'expireIn']
const mostAttempts = 1_000
/** How many attempts follow at once, before others are given time. */
const quickAttempts = 3
const mostSpare = 64
const all = ''

/**
 * The claims of one repository: the rows that a query finds are changed and returned, in one commit. Claims of this process take
 * turns. Because other processes may take rows in between, a claim prepares some spare rows: as many as were needed lately.
 */
export class Claims {
  readonly #store: RowStore
  readonly #definition: AnyDefinition
  readonly #turns = new KeyedMutex()
  #spare = 0
  /** The version of the last claim. If it is still the newest at the next commit, nobody has changed anything. */
  #last: number | null = null

  constructor(store: RowStore, definition: AnyDefinition) {
    this.#store = store
    this.#definition = definition
  }

  async claim(query: UntypedClaim): Promise<UntypedWriteManyResult> {
    checkOptionNames(query, options, 'claimMany')
    const set = checkSet(query, 'claimMany')
    checkExpireIn(query.expireIn)
    const { limit } = query
    if (limit === undefined)
      throw new TypeError('claimMany needs a limit: the most rows to claim, at least 1')
    checkWholeNumber(limit, 'limit', 1)
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt({ ...query, set, limit }, attempt)
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
      if (candidates.length === 0) return { ...nothingWritten, entries: [] }
      const claim = { query, since, candidates }
      const outcome = await store.commit({ checks: [], mutations: [], claim })
      if (outcome.type === 'conflict') {
        if (attempt === mostAttempts) throw conflictError(outcome.conflicts, attempt)
        this.#spare = Math.min(2 * this.#spare + 1, mostSpare)
        return null
      }
      const { version, claimed = [] } = outcome
      this.#last = version
      const needed = Math.max(...claimed) + 1 - claimed.length
      this.#spare = Math.max(needed, this.#spare * 0.95)
      const entries = await inSlices(claimed, (place) => {
        const { mutation, decodedKey } = candidates[place]!
        return writtenEntry(store, definition, mutation, version, decodedKey)
      })
      return { ok: true, count: entries.length, versionstamp: formatVersionstamp(version), entries }
    } finally {
      leave()
    }
  }

  async #prepare(
    { plan, operands }: Planned<FindPlan>,
    { set, limit, expireIn }: CheckedClaim,
    onPause: () => void,
  ): Promise<Prepared[]> {
    const [store, definition] = [this.#store, this.#definition]
    const more = operands.with(plan.limit!.at, limit + Math.round(this.#spare))
    const planned = { plan, operands: more }
    const rows = await store.read({ type: 'find', query: planned })
    checkOrderedValues(plan, rows)
    return inSlices(rows, (row) => {
      const { key, version, expiresAt } = row
      const prepared = (mutation: SetMutation) => ({
        key: mutation.key,
        version,
        expiresAt,
        mutation,
        decodedKey: key,
      })
      const mutation = updateMutation({ store, definition, key, row }, set, expireIn, onPause)
      return mutation instanceof Promise ? mutation.then(prepared) : prepared(mutation)
    })
  }
}
