import { expect, it } from 'vitest'
import { atMost, timesFaster } from '../../bench/bounds/bound.ts'
import { boundsOf } from '../../bench/bounds/bounds.ts'
import type { Outcome } from '../../bench/harness/race.ts'
import type { Timing } from '../../bench/harness/timing.ts'
import type { Results } from '../../bench/results.ts'
import { userSizes } from '../../bench/values/user.ts'

const timing = (median: number): Timing => ({ median, low: median, high: median })
const taking: (median: number) => Outcome = timing
const writing = (contender: string, processes: number, throughput: number, p99: number) => ({
  contender,
  processes,
  throughput: timing(throughput),
  p50: 0,
  p99: p99 * 1e6,
})
const of = (own: Outcome | undefined, other: Outcome | undefined) => ({
  what: 'get',
  against: 'by hand',
  own,
  other,
})

it('holds up to its limit, and not beyond', () => {
  expect(atMost(1.4, of(taking(140), taking(100)))).toMatchObject({ value: '×1.40', holds: true })
  expect(atMost(1.4, of(taking(141), taking(100)))).toMatchObject({ value: '×1.41', holds: false })
  expect(timesFaster(3, of(taking(100), taking(300)))).toMatchObject({
    value: '3.0 times faster',
    holds: true,
  })
  expect(timesFaster(3, of(taking(100), taking(299)))).toMatchObject({ holds: false })
})

it('proves nothing against one that is not there, and is broken by a failure', () => {
  for (const absent of [null, undefined]) {
    expect(timesFaster(3, of(taking(100), absent))).toMatchObject({ value: '', holds: null })
    expect(timesFaster(3, of(absent, taking(100)))).toMatchObject({ value: 'failed', holds: false })
  }
  expect(atMost(2, of({ failure: 'wrong answer' }, taking(100)))).toMatchObject({ holds: false })
  expect(atMost(2, of(taking(100), { failure: 'wrong answer' }))).toMatchObject({ holds: false })
})

it('is checked for what was measured, by key and by repository', () => {
  const results: Results = {
    machine: { processor: '', cores: 1, memory: '', system: '', node: '', sqlite: '' },
    contenders: { present: [], absent: [{ name: '@deno/kv', absent: 'not found' }] },
    comparisons: [
      {
        size: userSizes[0]!,
        valueBytes: 150,
        contenders: ['by hand', 'valkeyrie', 'valkeyrie repository', 'valkeyrie 0.8'],
        outcomes: { get: [taking(2), taking(2.5), taking(3.1), taking(3.9)] },
        bytesOnDisk: [],
      },
    ],
    synced: null,
    postgres: null,
    checksums: null,
    tracing: null,
    responsive: null,
    queries: null,
    growth: [
      { rows: 10, outcomes: { get: [taking(1), taking(2)], 'indexed page of 20': [taking(2), taking(2)] } },
      {
        rows: 1_000,
        outcomes: { get: [taking(3), taking(8)], 'indexed page of 20': [taking(10), taking(8)] },
      },
    ],
    indexes: { counts: [0, 100], outcomes: [taking(100), taking(301)] },
    watchers: {
      contenders: ['valkeyrie'],
      counts: [0, 1_000],
      outcomes: {
        'watchers of other rows': [[taking(100)], [taking(121)]],
        'watchers of the row': [[taking(1)], [taking(1)]],
      },
    },
    liveQueries: {
      counts: [1, 1_000],
      outcomes: {
        'page by an index': [taking(1), taking(6)],
        'page without an index': [taking(100), taking(301)],
      },
    },
    noticing: { median: 10, slowest: 51, idle: 0.001 },
    processes: {
      times: [
        writing('by hand', 1, 100, 1),
        writing('valkeyrie', 1, 80, 1),
        writing('by hand', 2, 100, 1),
        writing('valkeyrie', 2, 70, 1),
        writing('by hand', 8, 100, 1),
        writing('valkeyrie', 8, 69, 6),
      ],
      blocked: 2.1,
    },
    memory: 61,
    starts: [
      { task: 'process', byHand: timing(100), valkeyrie: timing(160), megabytes: 26 },
      { task: 'worker thread', byHand: timing(100), valkeyrie: timing(161), megabytes: null },
    ],
    claims: [
      { processes: 1, byHand: timing(100), valkeyrie: timing(200) },
      { processes: 2, byHand: timing(100), valkeyrie: timing(241) },
    ],
    jobs: {
      jobs: [],
      lateness: [
        { schedules: 1_000, atOnce: 10, median: 70, nearlyAll: 99, most: 99 },
        { schedules: 1_000, atOnce: 1_000, median: 20, nearlyAll: 51, most: 52 },
      ],
    },
  }
  const bounds = boundsOf(results).map(({ what, against, holds }) => [what, against, holds])
  expect(bounds).toEqual([
    ['get, 150 B', 'by hand', true],
    ['get by repository, 150 B', 'by hand', false],
    ['get, 150 B', 'valkeyrie 0.8', false],
    ['get, 150 B', '@deno/kv', null],
    ['get, 150 B', 'Drizzle', null],
    ['growth of get, 10 to 1000 rows', 'by hand', false],
    ['growth of indexed page of 20, 10 to 1000 rows', 'by hand', true],
    ['set, 100 indexes of other repositories', 'no indexes', false],
    ['set, 1000 watchers of other rows', '0 watchers', false],
    ['live query, page by an index, 1000 readers', '1 reader', false],
    ['live query, page without an index, 1000 readers', '1 reader', false],
    ['a change of another process is seen, median', '', true],
    ['99 of 100 changes', '', false],
    ['an idle watcher', '', true],
    ['memory to iterate over 135,233 cities', '', false],
    ['start: process', 'by hand', true],
    ['start: process, more memory', '', false],
    ['start: worker thread', 'by hand', false],
    ['claims by 1 process', 'by hand', true],
    ['claims by 2 processes', 'by hand', false],
    ['claims by 2 processes', 'by 1', false],
    ['99 of 100 of 1000 schedules of one time begin', '', false],
    ['sets a second, 2 processes', 'by hand', true],
    ['sets a second, 8 processes', 'by hand', false],
    ['sets a second, 2 processes', 'by 1', false],
    ['sets a second, 8 processes', 'by 2', true],
    ['a set, p99, 8 processes', '', false],
    ['the event loop stands still while a set waits', '', false],
  ])
})
