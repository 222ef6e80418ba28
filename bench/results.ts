import type { ChecksumTimes } from './checksums/measure-checksums.ts'
import type { ClaimTimes } from './claims/measure-claims.ts'
import type { Comparison } from './comparison/compare.ts'
import type { Contenders } from './contenders/contenders.ts'
import type { GrowthTimes } from './growth/measure-growth.ts'
import type { IndexTimes } from './indexes/measure-indexes.ts'
import type { QueueTimes } from './jobs/measure-jobs.ts'
import type { ServerResults } from './postgres/measure-postgres.ts'
import type { ProcessResults } from './processes/measure-processes.ts'
import type { QueryTimes } from './queries/measure-queries.ts'
import type { Machine } from './report/machine.ts'
import type { Responsiveness } from './responsive/measure-responsive.ts'
import type { StartTimes } from './starts/measure-starts.ts'
import type { TracingTimes } from './tracing/measure-tracing.ts'
import type { LiveQueryTimes } from './watchers/measure-live-queries.ts'
import type { Noticing } from './watchers/measure-noticing.ts'
import type { WatcherTimes } from './watchers/measure-watchers.ts'

/** What a run has measured: null where that was not wanted. */
export interface Results {
  readonly machine: Machine
  readonly contenders: Contenders
  /** One for each size of the values. */
  readonly comparisons: readonly Comparison[]
  /** Writes that a crash of the machine does not undo, with small values. */
  readonly synced: Comparison | null
  readonly queries: QueryTimes | null
  readonly growth: readonly GrowthTimes[] | null
  readonly indexes: IndexTimes | null
  readonly watchers: WatcherTimes | null
  readonly liveQueries: LiveQueryTimes | null
  readonly noticing: Noticing | null
  readonly processes: ProcessResults | null
  readonly postgres: ServerResults | null
  /** What it takes to iterate over all cities, in MB. */
  readonly memory: number | null
  readonly starts: readonly StartTimes[] | null
  readonly claims: readonly ClaimTimes[] | null
  readonly jobs: QueueTimes | null
  readonly checksums: readonly ChecksumTimes[] | null
  readonly tracing: TracingTimes | null
  readonly responsive: Responsiveness | null
}
