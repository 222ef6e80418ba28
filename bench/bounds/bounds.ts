// Every bound is one line of this file: what a release has to keep reads as a list, and a result is judged in one place.
import type { ClaimTimes } from '../claims/measure-claims.ts'
import type { Comparison } from '../comparison/compare.ts'
import type { ComparisonTask } from '../comparison/tasks.ts'
import { type GrowthTimes, growthContenders } from '../growth/measure-growth.ts'
import type { GrowthTask } from '../growth/tasks.ts'
import type { IndexTimes } from '../indexes/measure-indexes.ts'
import type { Lateness } from '../jobs/measure-jobs.ts'
import type { ServerResults } from '../postgres/measure-postgres.ts'
import type { ServerTask } from '../postgres/tasks.ts'
import type { ProcessResults, ProcessTimes } from '../processes/measure-processes.ts'
import { type QueryTimes, queryContenders } from '../queries/measure-queries.ts'
import type { QueryTask } from '../queries/tasks.ts'
import type { Responsiveness } from '../responsive/measure-responsive.ts'
import type { Results } from '../results.ts'
import type { StartTask, StartTimes } from '../starts/measure-starts.ts'
import type { LiveQueryTimes } from '../watchers/measure-live-queries.ts'
import type { Noticing } from '../watchers/measure-noticing.ts'
import type { WatcherTimes } from '../watchers/measure-watchers.ts'
import { atLeast, atMost, type Bound, timesAsLong, timesFaster, within } from './bound.ts'

type Limits<Task extends string> = Readonly<Partial<Record<Task, number>>>

/** How many times as long as by hand a task may take, by key and by repository. */
const ofByHand: Limits<ComparisonTask> = {
  get: 1.4,
  list: 1.4,
  set: 1.5,
  'sets at once': 1.6,
  'atomic of 500': 2,
  'unit of work': 2.5,
  'bulk load': 2,
}

/**
 * How many times as long as this library others take, with small values: of large ones, all encode the same. None of these is more than
 * statements by hand reach.
 */
const fasterThan: Readonly<Record<string, Limits<ComparisonTask>>> = {
  'valkeyrie 0.8': { get: 1.6, set: 1.4, 'sets at once': 3.4, 'atomic of 500': 1.5, list: 2 },
  '@deno/kv': { get: 12, set: 7 },
  Drizzle: { get: 5 },
}

const queryOfByHand = 1.6
/** Most of what a page takes is its rows. */
const queryFasterThanDrizzle: Readonly<Record<QueryTask, number>> = {
  'unique lookup': 5,
  'indexed page of 20': 2,
  'page of 20 by cursor': 2,
}
/** How many times as much as by hand a query may grow, from the first thousand cities to all: the engine has more pages to find. */
const queryGrowth = 1.3

/** How many times as much as by hand a task may grow, from the fewest rows to the most: the engine's own caches are the same for both. */
const growth: Limits<GrowthTask> = { get: 1.2, 'indexed page of 20': 1.2 }

/** How many times as long as with none a set may take beside as many indexes as a file is to have. */
const indexed = { count: 100, limit: 3 }

/** The most memory that iterating over all cities may take, in MB. */
const memory = 60

/** How many times as long as by hand a start may take, and how much more memory, in MB. */
const starts: Readonly<Record<StartTask, number>> = {
  process: 1.6,
  'worker thread': 1.6,
  'check of the atlas': 1.6,
}
const startMemory = 25

/** How many times as long as by hand a claim may take, and as long as with one process fewer. */
const claims = { byHand: 2, more: 1.2 }

/**
 * How many times as many sets as by hand several writing processes do at the least, and as many as fewer of them do; milliseconds that a
 * set takes with the most of them, and for which waiting for the lock may hold up the event loop.
 */
const writers = { byHand: 0.7, fewer: 0.9, p99: 5, blocked: 2 }

/** How many times as long as by hand one client of a server may take, and milliseconds until a watcher in another process sees a change there. */
const server: { readonly byHand: Limits<ServerTask>; readonly noticed: number } = {
  byHand: { get: 1.3, 'page of 20': 1.3, set: 1.5, 'sets at once': 1.6, 'unit of work': 1.4 },
  noticed: 10,
}

/** The longest gap of a timer and the time until aborted work has ended, in ms. */
const responsiveness = { gap: 25, abort: 50 }
/** How many times as long as the engine by hand a call that cannot be split may take. */
const engineCall = 3
/** Bytes of the write-ahead log of a quiet database, and commits in the log of commits for each that it keeps. */
const files = { wal: 18 * 2 ** 20, log: 1.1 }

/** How many times as long as with none a set may take while so many watch other rows. */
const watched = 1.2
/** How many times as long as with one reader a write may take until a thousand of its query have read what is new. */
const shared = 3
/** Milliseconds until a change of another process is seen, and the share of a core that an idle watcher may take. */
const noticed = { median: 10, slowest: 50, idle: 0.01 }
/** Milliseconds after their time within which the jobs of schedules begin, where there is room for all of them. */
const punctual = 50

/** Every bound on what was measured. */
export function boundsOf(results: Results): Bound[] {
  const {
    comparisons,
    queries,
    growth: grown,
    indexes,
    watchers,
    liveQueries,
    noticing,
    memory: megabytes,
    starts: started,
    claims: claimed,
    processes,
    postgres,
    jobs,
    responsive,
  } = results
  return [
    ...comparisons.flatMap(boundsByHand),
    ...comparisons.slice(0, 1).flatMap(boundsOfOthers),
    ...(queries === null ? [] : queryBounds(queries)),
    ...(grown === null ? [] : growthBounds(grown)),
    ...(indexes === null ? [] : [indexBound(indexes)]),
    ...(watchers === null ? [] : [watcherBound(watchers)]),
    ...(liveQueries === null ? [] : liveQueryBounds(liveQueries)),
    ...(noticing === null ? [] : noticingBounds(noticing)),
    ...(megabytes === null ? [] : [memoryBound(megabytes)]),
    ...(started === null ? [] : started.flatMap(startBounds)),
    ...(claimed === null ? [] : claimed.flatMap(claimBounds)),
    ...(jobs === null ? [] : [punctualBound(jobs.lateness.at(-1)!)]),
    ...(processes === null ? [] : processBounds(processes)),
    ...(postgres === null || 'obstacle' in postgres ? [] : serverBounds(postgres)),
    ...(responsive === null ? [] : responsiveBounds(responsive)),
  ]
}

const boundsByHand = (comparison: Comparison): Bound[] => [
  ...comparisonBounds(comparison, 'valkeyrie', 'by hand', ofByHand, atMost),
  ...comparisonBounds(comparison, 'valkeyrie repository', 'by hand', ofByHand, atMost),
]

const boundsOfOthers = (comparison: Comparison): Bound[] =>
  Object.entries(fasterThan).flatMap(([other, limits]) =>
    comparisonBounds(comparison, 'valkeyrie', other, limits, timesFaster),
  )

function comparisonBounds(
  { size, contenders, outcomes }: Comparison,
  own: 'valkeyrie' | 'valkeyrie repository',
  against: string,
  limits: Limits<ComparisonTask>,
  bound: typeof atMost,
): Bound[] {
  const face = own === 'valkeyrie' ? '' : ' by repository'
  return entriesOf(limits).flatMap(([task, limit]) => {
    const of = outcomes[task]
    if (of === undefined) return []
    const compared = {
      what: `${task}${face}, ${size.name}`,
      against,
      own: of[contenders.indexOf(own)],
      other: of[contenders.indexOf(against)],
    }
    return [bound(limit, compared)]
  })
}

function queryBounds({ sizes }: QueryTimes): Bound[] {
  const [few, all] = [sizes[0]!, sizes.at(-1)!]
  const place = (contender: (typeof queryContenders)[number]) => queryContenders.indexOf(contender)
  return (Object.keys(all.outcomes) as QueryTask[]).flatMap((task) => {
    const outcomes = all.outcomes[task]!
    const own = outcomes[place('valkeyrie repository')]
    const other = (against: 'by hand' | 'Drizzle') => ({
      what: task,
      against,
      own,
      other: outcomes[place(against)],
    })
    const growthOf = (contender: (typeof queryContenders)[number]) =>
      timesAsLong(outcomes[place(contender)], few.outcomes[task]?.[place(contender)])
    return [
      atMost(queryOfByHand, other('by hand')),
      timesFaster(queryFasterThanDrizzle[task], other('Drizzle')),
      atMost(queryGrowth, {
        what: `growth of ${task}, ${few.rows} to ${all.rows} cities`,
        against: 'by hand',
        own: growthOf('valkeyrie repository'),
        other: growthOf('by hand'),
      }),
    ]
  })
}

function growthBounds(grown: readonly GrowthTimes[]): Bound[] {
  const [few, many] = [grown[0]!, grown.at(-1)!]
  return entriesOf(growth).map(([task, limit]) => {
    const growthOf = (contender: (typeof growthContenders)[number]) => {
      const place = growthContenders.indexOf(contender)
      return timesAsLong(many.outcomes[task]?.[place], few.outcomes[task]?.[place])
    }
    return atMost(limit, {
      what: `growth of ${task}, ${few.rows} to ${many.rows} rows`,
      against: 'by hand',
      own: growthOf('valkeyrie repository'),
      other: growthOf('by hand'),
    })
  })
}

function indexBound({ counts, outcomes }: IndexTimes): Bound {
  const of = (count: number) => outcomes[counts.indexOf(count)]
  return atMost(indexed.limit, {
    what: `set, ${indexed.count} indexes of other repositories`,
    against: 'no indexes',
    own: of(indexed.count),
    other: of(0),
  })
}

function watcherBound({ contenders, counts, outcomes }: WatcherTimes): Bound {
  const place = contenders.indexOf('valkeyrie')
  const of = (i: number) => outcomes['watchers of other rows'].at(i)?.[place]
  return atMost(watched, {
    what: `set, ${counts.at(-1)} watchers of other rows`,
    against: `${counts[0]} watchers`,
    own: of(-1),
    other: of(0),
  })
}

const liveQueryBounds = ({ counts, outcomes }: LiveQueryTimes): Bound[] =>
  entriesOf(outcomes).map(([task, of]) =>
    atMost(shared, {
      what: `live query, ${task}, ${counts.at(-1)} readers`,
      against: `${counts[0]} reader`,
      own: of.at(-1),
      other: of[0],
    }),
  )

const noticingBounds = ({ median, slowest, idle }: Noticing): Bound[] => [
  seenWithin('a change of another process is seen, median', median, noticed.median),
  seenWithin('99 of 100 changes', slowest, noticed.slowest),
  within('an idle watcher', idle, noticed.idle, (share) => `${(share * 100).toFixed(2)}% of a core`),
]

const seenWithin = (what: string, value: number, limit: number): Bound =>
  within(what, value, limit, (ms) => `${ms.toFixed(1)} ms`)

const memoryBound = (megabytes: number): Bound =>
  within('memory to iterate over 135,233 cities', megabytes, memory, (it) => `${it.toFixed(0)} MB`)

const punctualBound = ({ schedules, nearlyAll }: Lateness): Bound =>
  seenWithin(`99 of 100 of ${schedules} schedules of one time begin`, nearlyAll, punctual)

function claimBounds(
  { processes, byHand, valkeyrie }: ClaimTimes,
  i: number,
  all: readonly ClaimTimes[],
): Bound[] {
  const what = `claims by ${processes} ${processes === 1 ? 'process' : 'processes'}`
  const fewer = all[i - 1]
  return [
    atMost(claims.byHand, { what, against: 'by hand', own: valkeyrie, other: byHand }),
    ...(fewer === undefined
      ? []
      : [
          atMost(claims.more, {
            what,
            against: `by ${fewer.processes}`,
            own: valkeyrie,
            other: fewer.valkeyrie,
          }),
        ]),
  ]
}

function processBounds({ times, blocked }: ProcessResults): Bound[] {
  const own = times.filter(({ contender }) => contender === 'valkeyrie')
  const several = own.filter(({ processes }) => processes > 1)
  const what = ({ processes }: ProcessTimes) => `sets a second, ${processes} processes`
  const byHand = several.map((of) =>
    atLeast(writers.byHand, {
      what: what(of),
      against: 'by hand',
      own: of.throughput,
      other: times.find((it) => it.contender === 'by hand' && it.processes === of.processes)?.throughput,
    }),
  )
  const fewer = own.slice(1).map((of, i) =>
    atLeast(writers.fewer, {
      what: what(of),
      against: `by ${own[i]!.processes}`,
      own: of.throughput,
      other: own[i]!.throughput,
    }),
  )
  const most = own.at(-1)!
  const milliseconds = (value: number) => `${value.toFixed(1)} ms`
  return [
    ...byHand,
    ...fewer,
    within(`a set, p99, ${most.processes} processes`, most.p99 / 1e6, writers.p99, milliseconds),
    within('the event loop stands still while a set waits', blocked, writers.blocked, milliseconds),
  ]
}

function serverBounds({ times, noticed }: Exclude<ServerResults, { readonly obstacle: string }>): Bound[] {
  const of = (task: ServerTask, contender: string) =>
    times.find(
      (it) => it.place === 'here' && it.processes === 1 && it.task === task && it.contender === contender,
    )?.taken
  return [
    ...entriesOf(server.byHand).map(([task, limit]) =>
      atMost(limit, {
        what: `${task}, PostgreSQL`,
        against: 'pg by hand',
        own: of(task, 'valkeyrie'),
        other: of(task, 'pg by hand'),
      }),
    ),
    seenWithin('a change of another process is seen, PostgreSQL, median', noticed.median, server.noticed),
  ]
}

function startBounds({ task, byHand, valkeyrie, megabytes }: StartTimes): Bound[] {
  const what = `start: ${task}`
  return [
    atMost(starts[task], { what, against: 'by hand', own: valkeyrie, other: byHand }),
    ...(megabytes === null
      ? []
      : [within(`${what}, more memory`, megabytes, startMemory, (it) => `${it.toFixed(0)} MB`)]),
  ]
}

function responsiveBounds({ works, calls, files: sizes }: Responsiveness): Bound[] {
  const ms = (value: number) => `${value.toFixed(0)} ms`
  const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MB`
  const ofOne = (value: number) => ({ median: value, low: value, high: value })
  return [
    ...works.flatMap(({ work, gap, abort }) => [
      within(`longest gap: ${work}`, gap, responsiveness.gap, ms),
      ...(abort === null ? [] : [within(`until aborted: ${work}`, abort, responsiveness.abort, ms)]),
    ]),
    ...calls.map(({ call, worked, byHand }) =>
      atMost(engineCall, {
        what: `at work in one go: ${call}`,
        against: 'by hand',
        own: ofOne(worked),
        other: ofOne(byHand),
      }),
    ),
    within('write-ahead log after a large commit', sizes.afterCommit.quiet, files.wal, megabytes),
    within('write-ahead log after a reader', sizes.afterReader.quiet, files.wal, megabytes),
    within('log of commits, of what it keeps', sizes.log.commits / sizes.log.keeps, files.log, (it) =>
      it.toFixed(2),
    ),
  ]
}

const entriesOf = <Task extends string, Value>(of: Readonly<Partial<Record<Task, Value>>>) =>
  Object.entries(of) as [Task, Value][]
