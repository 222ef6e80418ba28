import { describe, test } from 'vitest'
import { inTurn } from '../extent.ts'
import { atomicCases } from './cases/atomic.ts'
import { badInputCases } from './cases/bad-input.ts'
import { bulkLoadCases } from './cases/bulk-load.ts'
import { claimCases } from './cases/claims.ts'
import { closingCases } from './cases/closing.ts'
import { commitOrderCases } from './cases/commit-order.ts'
import { emptinessCases } from './cases/emptiness.ts'
import { entryCases } from './cases/entries.ts'
import { expiryCases } from './cases/expiry.ts'
import { givingWayCases } from './cases/giving-way.ts'
import { ifVersionCases } from './cases/if-version.ts'
import { keepExpiryCases } from './cases/keep-expiry.ts'
import { keyValueCases } from './cases/key-value.ts'
import { listingCases } from './cases/listing.ts'
import { messageQueueCases } from './cases/message-queue.ts'
import { queryCases } from './cases/queries.ts'
import { queryLanguageCases } from './cases/query-language.ts'
import { refusedQueryCases } from './cases/refused-queries.ts'
import { repositoryCases } from './cases/repository.ts'
import { repositoryListCases } from './cases/repository-list.ts'
import { searchCases } from './cases/search.ts'
import { signalCases } from './cases/signals.ts'
import { storedValueCases } from './cases/stored-values.ts'
import { typedIdCases } from './cases/typed-ids.ts'
import { uniqueIndexCases } from './cases/unique-index.ts'
import { updateCases } from './cases/update.ts'
import { upsertCases } from './cases/upsert.ts'
import { valueTypeCases } from './cases/value-types.ts'
import { watchChangesCases } from './cases/watch-changes.ts'
import { watchKeysCases } from './cases/watch-keys.ts'
import { watchManyCases } from './cases/watch-many.ts'
import { watchSharedCases } from './cases/watch-shared.ts'

/** A way to store a database: the cases open it at `path()`, which is a new and empty place at each call. */
export interface Place {
  readonly name: string
  path(): string | undefined
  /** Milliseconds by which its clock may differ from that of this process. */
  readonly clockError?: number
  /** Cases that say nothing there, and why. */
  readonly passedOver?: Readonly<Record<string, string>>
  /** Which cases a run takes to it, where another place has the same driver: every `step`-th, `from` where two take turns. */
  readonly turns?: { readonly step: number; readonly from: number }
}

/** What every driver has to do, by a name that says it. */
export type Cases = Readonly<Record<string, (place: Place) => Promise<void>>>

/** Every case, by topic and name. */
export const suite: Readonly<Record<string, Cases>> = {
  'key-value face': keyValueCases,
  listing: listingCases,
  'atomic operations': atomicCases,
  'order of commits': commitOrderCases,
  repositories: repositoryCases,
  'rows of a repository': repositoryListCases,
  entries: entryCases,
  'typed ids': typedIdCases,
  'upserts, increments and returned rows': upsertCases,
  claims: claimCases,
  'the queue of messages': messageQueueCases,
  updates: updateCases,
  'stored values': storedValueCases,
  'optimistic locking': ifVersionCases,
  queries: queryCases,
  'the query language': queryLanguageCases,
  'refused queries': refusedQueryCases,
  'full text': searchCases,
  'writes of many rows without a condition': emptinessCases,
  expiry: expiryCases,
  'keeping an expiry': keepExpiryCases,
  'unique indexes': uniqueIndexCases,
  'bulk loading': bulkLoadCases,
  'bad input': badInputCases,
  'watching keys': watchKeysCases,
  'following changes': watchChangesCases,
  'live queries': watchManyCases,
  'what watchers share': watchSharedCases,
  'kinds of values': valueTypeCases,
  'giving way': givingWayCases,
  signals: signalCases,
  closing: closingCases,
}

export function runSuite({ passedOver = {}, turns = { step: 1, from: 0 }, ...place }: Place): void {
  const names = new Set(Object.values(suite).flatMap((cases) => Object.keys(cases)))
  for (const name of Object.keys(passedOver))
    if (!names.has(name)) throw new Error(`There is no case '${name}'`)
  const cases = Object.entries(suite).flatMap(([topic, ofTopic]) =>
    Object.entries(ofTopic).map(([name, run]) => ({ topic, name, run })),
  )
  const chosen = inTurn(`cases on ${place.name}`, cases, turns.step, turns.from)
  for (const [topic, ofTopic] of Map.groupBy(chosen, ({ topic }) => topic)) {
    describe(topic, () => {
      for (const { name, run } of ofTopic) {
        const reason = passedOver[name]
        if (reason === undefined) test(name, () => run(place))
        else test.skip(`${name}: ${reason}`, () => run(place))
      }
    })
  }
}
