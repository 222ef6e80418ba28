import type { BatchOutcome, CommitBatch, Driver } from '../driver/driver.ts'
import { commits, type TracedCommit } from '../trace/channels.ts'
import { traced } from '../trace/traced.ts'

/** Commits a batch through the driver, and reports it to subscribers. */
export function tracedCommit(driver: Driver, database: string, batch: CommitBatch): Promise<BatchOutcome> {
  return commits.hasSubscribers ? commitTraced(driver, database, batch) : driver.commit(batch)
}

function commitTraced(driver: Driver, database: string, batch: CommitBatch): Promise<BatchOutcome> {
  const { writes } = batch
  const mutations: Record<string, number> = {}
  const count = (type: string) => {
    mutations[type] = (mutations[type] ?? 0) + 1
  }
  for (const write of writes) {
    for (const { type } of write.mutations) count(type)
    if (write.claim !== undefined) count('claim')
  }
  const message: TracedCommit = { database, writes: writes.length, mutations }
  return traced(commits, message, () => driver.commit(batch), settled)
}

function settled(message: TracedCommit, outcome: BatchOutcome): void {
  if (outcome.type === 'stale') return
  message.took = outcome.took
  message.conflicts = outcome.outcomes.filter(({ type }) => type === 'conflict').length
  message.failures = outcome.outcomes.filter(({ type }) => type === 'failed').length
}
