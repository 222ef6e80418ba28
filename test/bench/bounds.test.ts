import { expect, it } from 'vitest'
import type { Outcome } from '../../bench/harness/race.ts'
import type { Timing } from '../../bench/harness/timing.ts'
import { atMost, timesFaster } from '../../bench/report/bound.ts'
import type { Section, Suite } from '../../bench/report/suite.ts'
import { claims } from '../../bench/suites/claims.ts'
import { comparison } from '../../bench/suites/comparison.ts'
import { indexes } from '../../bench/suites/extras.ts'
import { growth } from '../../bench/suites/growth.ts'
import { jobs } from '../../bench/suites/jobs.ts'
import { memory } from '../../bench/suites/memory.ts'
import { postgres } from '../../bench/suites/postgres.ts'
import { processes } from '../../bench/suites/processes.ts'
import { queries } from '../../bench/suites/queries.ts'
import { responsive } from '../../bench/suites/responsive.ts'
import { starts } from '../../bench/suites/starts.ts'
import { liveQueries, noticing, watchers } from '../../bench/suites/watchers.ts'
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

it('proves nothing against a missing contender, and a failure breaks it', () => {
  expect(timesFaster(3, of(taking(100), undefined))).toMatchObject({ value: '', holds: null })
  expect(timesFaster(3, of(undefined, taking(100)))).toMatchObject({ value: 'failed', holds: false })
  expect(atMost(2, of({ failure: 'wrong answer' }, taking(100)))).toMatchObject({ holds: false })
  expect(atMost(2, of(taking(100), { failure: 'wrong answer' }))).toMatchObject({ holds: false })
})

const boundsOf = <Measured>(suite: Suite<Measured>, measured: Measured) =>
  suite
    .report(measured)
    .flatMap(({ bounds = [] }: Section) => bounds)
    .map(({ what, against, holds }) => [what, against, holds])

/** By contender and a number of rows, processes or the like. */
const times = (all: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(all).map(([name, median]) => [name, timing(median)]))

it('is checked for what was measured, by key and by repository', () => {
  const compared = boundsOf(comparison, {
    contenders: { present: [], absent: [{ name: '@deno/kv', absent: 'not found' }] },
    comparisons: [
      {
        size: userSizes[0]!,
        valueBytes: 150,
        outcomes: {
          get: times({ 'by hand': 2, valkeyrie: 2.5, 'valkeyrie repository': 3.1, 'valkeyrie 0.8': 3.9 }),
        },
        bytesOnDisk: {},
      },
    ],
  })
  expect(compared).toEqual([
    ['get, 150 B', 'by hand', true],
    ['get by repository, 150 B', 'by hand', false],
    ['get, 150 B', 'valkeyrie 0.8', false],
    ['get, 150 B', '@deno/kv', null],
    ['get, 150 B', 'Drizzle', null],
  ])
})

it('is checked for queries and growth, at the most rows and from the fewest', () => {
  const lookup = times({
    'by hand, 10': 1,
    'valkeyrie repository, 10': 1,
    'Drizzle, 10': 9,
    'by hand, 1000': 1,
    'valkeyrie repository, 1000': 1.5,
    'Drizzle, 1000': 6,
  })
  const found = boundsOf(queries, {
    sizes: [10, 1_000],
    outcomes: { 'unique lookup': lookup },
    unnamed: {},
  })
  expect(found).toEqual([
    ['unique lookup', 'by hand', true],
    ['unique lookup', 'Drizzle', false],
    ['growth of unique lookup, 10 to 1000 cities', 'by hand', false],
  ])

  const grown = (byHand: readonly [number, number], own: readonly [number, number]) =>
    times({
      'by hand, 10': byHand[0],
      'by hand, 1000': byHand[1],
      'valkeyrie repository, 10': own[0],
      'valkeyrie repository, 1000': own[1],
    })
  const outcomes = { get: grown([1, 3], [2, 8]), 'indexed page of 20': grown([2, 10], [2, 8]) }
  expect(boundsOf(growth, { sizes: [10, 1_000], outcomes })).toEqual([
    ['growth of get, 10 to 1000 rows', 'by hand', false],
    ['growth of indexed page of 20, 10 to 1000 rows', 'by hand', true],
  ])
  expect(boundsOf(indexes, times({ 0: 100, 100: 301 }))).toEqual([
    ['set, 100 indexes of other repositories', 'no indexes', false],
  ])
})

it('is checked for watchers', () => {
  const outcomes = {
    'watchers of other rows': times({ 'valkeyrie, 0': 100, 'valkeyrie, 1000': 121 }),
    'watchers of the row': times({ 'valkeyrie, 0': 1, 'valkeyrie, 1000': 1 }),
  }
  expect(boundsOf(watchers, { contenders: ['valkeyrie'], outcomes })).toEqual([
    ['set, 1000 watchers of other rows', '0 watchers', false],
  ])
  const followed = {
    'page by an index': times({ 1: 1, 1000: 6 }),
    'page without an index': times({ 1: 100, 1000: 301 }),
  }
  expect(boundsOf(liveQueries, followed)).toEqual([
    ['live query, page by an index, 1000 readers', '1 reader', false],
    ['live query, page without an index, 1000 readers', '1 reader', false],
  ])
  expect(boundsOf(noticing, { median: 10, slowest: 51, idle: 0.001 })).toEqual([
    ['a change of another process is seen, median', '', true],
    ['99 of 100 changes', '', false],
    ['an idle watcher', '', true],
  ])
})

it('is checked for processes, against those by hand and fewer of them', () => {
  const written = [
    writing('by hand', 1, 100, 1),
    writing('valkeyrie', 1, 80, 1),
    writing('by hand', 2, 100, 1),
    writing('valkeyrie', 2, 70, 1),
    writing('by hand', 8, 100, 1),
    writing('valkeyrie', 8, 69, 6),
  ]
  expect(boundsOf(processes, { times: written, blocked: 2.1 })).toEqual([
    ['sets a second, 2 processes', 'by hand', true],
    ['sets a second, 8 processes', 'by hand', false],
    ['sets a second, 2 processes', 'by 1', false],
    ['sets a second, 8 processes', 'by 2', true],
    ['a set, p99, 8 processes', '', false],
    ['the event loop stands still while a set waits', '', false],
  ])
  const claimed = [
    { processes: 1, byHand: timing(100), valkeyrie: timing(200) },
    { processes: 2, byHand: timing(100), valkeyrie: timing(241) },
  ]
  expect(boundsOf(claims, claimed)).toEqual([
    ['claims by 1 process', 'by hand', true],
    ['claims by 2 processes', 'by hand', false],
    ['claims by 2 processes', 'by 1', false],
  ])
  const lateness = [
    { atOnce: 10, median: 70, nearlyAll: 99, most: 99 },
    { atOnce: 1_000, median: 20, nearlyAll: 51, most: 52 },
  ]
  expect(boundsOf(jobs, { times: [], lateness })).toEqual([
    ['99 of 100 of 1000 schedules of one time begin', '', false],
  ])
})

it('is checked on a server for one client near it', () => {
  const one = (task: string, byHand: number, valkeyrie: number) =>
    ({ place: 'here', processes: 1, task, taken: times({ 'pg by hand': byHand, valkeyrie }) }) as const
  const measured = {
    times: [
      { ...one('get', 1, 9), place: 'cloud' as const },
      one('get', 100, 130),
      { ...one('get', 1, 9), processes: 2 },
      one('page of 20', 100, 131),
      one('set', 100, 151),
      one('sets at once', 100, 160),
      one('unit of work', 100, 140),
    ],
    noticed: { median: 11, slowest: 99 },
  }
  expect(boundsOf(postgres, measured)).toEqual([
    ['get, PostgreSQL', 'pg by hand', true],
    ['page of 20, PostgreSQL', 'pg by hand', false],
    ['set, PostgreSQL', 'pg by hand', false],
    ['sets at once, PostgreSQL', 'pg by hand', true],
    ['unit of work, PostgreSQL', 'pg by hand', true],
    ['a change of another process is seen, PostgreSQL, median', '', false],
  ])
  expect(boundsOf(postgres, { obstacle: 'no server' })).toEqual([])
})

it('is checked for memory, starts and the event loop', () => {
  expect(boundsOf(memory, 61)).toEqual([['memory to iterate over 135,233 cities', '', false]])
  const started = [
    { task: 'process', byHand: timing(100), valkeyrie: timing(160), more: 26 },
    { task: 'worker thread', byHand: timing(100), valkeyrie: timing(161), more: null },
  ]
  expect(boundsOf(starts, started)).toEqual([
    ['start: process', 'by hand', true],
    ['start: process, more memory', '', false],
    ['start: worker thread', 'by hand', false],
  ])
  const stoodStill = {
    works: [
      { work: 'list', gap: 25, worked: 99, abort: 51 },
      { work: 'gets at once', gap: 26, worked: 1, abort: null },
    ],
    calls: [{ call: 'clear', gap: 999, worked: 31, byHand: 10 }],
    sizes: {
      afterCommit: { peak: 99, quiet: 18 },
      afterReader: { peak: 99, quiet: 19 },
      log: { commits: 5_501, bytes: 1 },
    },
  }
  expect(boundsOf(responsive, stoodStill)).toEqual([
    ['longest gap: list', '', true],
    ['until aborted: list', '', false],
    ['longest gap: gets at once', '', false],
    ['at work in one go: clear', 'by hand', false],
    ['write-ahead log after a large commit', '', true],
    ['write-ahead log after a reader', '', false],
    ['log of commits, of what it keeps', '', false],
  ])
})
