import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { byHand } from '../contenders/by-hand.ts'
import type { Contender } from '../contenders/contender.ts'
import { keyValue } from '../contenders/valkeyrie.ts'
import { expectEqual } from '../harness/calls.ts'
import { type Child, startChildren } from '../harness/child.ts'
import { longestGap } from '../harness/longest-gap.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { median, quantile, summarize, type Timing } from '../harness/timing.ts'
import { inTurnsOf } from '../harness/turns.ts'
import type { Writer } from '../programs/writer.ts'
import { atLeast, within } from '../report/bound.ts'
import { lineChart } from '../report/chart.ts'
import { formatCount, formatDuration, formatSpread, milliseconds } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

/**
 * How many times as many sets as by hand several writing processes do at the least, and as many as fewer of them do; milliseconds that a
 * set takes with the most of them, and for which waiting for the lock may hold up the event loop.
 */
const bounds = { byHand: 0.7, fewer: 0.9, p99: 5, blocked: 2 }

/** What so many processes did that wrote to one file at the same time. */
interface ProcessTimes {
  readonly contender: string
  readonly processes: number
  /** Acknowledged sets of all of them in a second. */
  readonly throughput: Timing
  /** What one set took until it was acknowledged, over all rounds, in nanoseconds. */
  readonly p50: number
  readonly p99: number
}

const contenders = [byHand, keyValue]

/**
 * For how many milliseconds all of them share a file before they are measured: V8 discards what it has compiled when a process first
 * waits for another, and eight that take turns get to few sets in a second.
 */
const warmUpTogether = 15_000

export const processes = suite({
  name: 'processes',
  async measure(run) {
    // Before the processes are there: when they end, they take the processor from a timer.
    run.step('wait for the lock')
    const blocked = await measureWaiting()
    const times = await measureWriters(
      run.quick
        ? { counts: [1, 2, 4], rounds: 1, milliseconds: 300, warmUp: 500 }
        : { counts: [1, 2, 4, 8], rounds: 3, milliseconds: 1_000, warmUp: warmUpTogether },
      run.step,
    )
    return { times, blocked }
  },
  report({ times, blocked }) {
    const own = times.filter(({ contender }) => contender === 'valkeyrie')
    const most = own.at(-1)!
    const what = (of: ProcessTimes) => `sets a second, ${of.processes} processes`
    const panel = (title: string, measured: (of: ProcessTimes) => number, y: object) => ({
      title,
      y,
      points: times.map((of) => ({ contender: of.contender, x: of.processes, y: measured(of) })),
    })
    return [
      {
        title: 'Writing processes',
        blocks: [
          'Processes that write to one file, each one set after the other, once all have done so for some seconds. By hand, a process sleeps in SQLite until the file is free, and can do nothing else meanwhile. One process writes at a time, so what one set takes decides how many there are: valkeyrie validates and encodes the value, and its commit reads the newest version, checks whether the file is still at its path, and writes one page more to the write-ahead log, for the index by collection, without which a count of 200,000 rows would take 5 to 16 times as long. While it waits, its event loop goes on, and it checks every 17 ms or sooner whether the file is free. More frequent checks end a wait earlier, but slow down the process that writes.',
          table(
            ['', 'processes', 'sets a second, in all', 'a set, p50', 'p99'],
            times.map((of) => [
              of.contender,
              formatCount(of.processes),
              `${formatCount(Math.round(of.throughput.median))} ${formatSpread(of.throughput)}`,
              formatDuration(of.p50),
              formatDuration(of.p99),
            ]),
          ),
          `While a set waits for the lock of another connection, the event loop stands still for ${blocked.toFixed(1)} ms at the longest.`,
        ],
        chart: lineChart({
          name: 'processes',
          description: 'Sets of several processes on one file: how many a second in all, and what one takes',
          x: { title: 'processes' },
          panels: [
            panel('sets a second, in all', ({ throughput }) => throughput.median, {}),
            panel('a set, p50', ({ p50 }) => p50 / 1e3, { title: 'µs' }),
            panel('a set, p99', ({ p99 }) => p99 / 1e3, { title: 'µs', isLogarithmic: true }),
          ],
        }),
        bounds: [
          ...own.slice(1).map((of) => {
            const hand = times.find((it) => it.contender === 'by hand' && it.processes === of.processes)
            return atLeast(bounds.byHand, {
              what: what(of),
              against: 'by hand',
              own: of.throughput,
              other: hand?.throughput,
            })
          }),
          ...own.slice(1).map((of, i) =>
            atLeast(bounds.fewer, {
              what: what(of),
              against: `by ${own[i]!.processes}`,
              own: of.throughput,
              other: own[i]!.throughput,
            }),
          ),
          within(`a set, p99, ${most.processes} processes`, most.p99 / 1e6, bounds.p99, milliseconds(1)),
          within('the event loop stands still while a set waits', blocked, bounds.blocked, milliseconds(1)),
        ],
      },
    ]
  },
})

interface WriterRounds {
  readonly counts: readonly number[]
  readonly rounds: number
  /** How long they write in a round, and before the first. */
  readonly milliseconds: number
  readonly warmUp: number
}

async function measureWriters(
  { counts, rounds, milliseconds, warmUp }: WriterRounds,
  step: (text: string) => void,
): Promise<readonly ProcessTimes[]> {
  using temporary = temporaryFolder()
  using started = new DisposableStack()
  step('start the processes')
  const teams: Record<string, readonly Child<Writer>[]> = {}
  for (const { name } of contenders) {
    const { all } = started.use(await startChildren<Writer>('writer', Math.max(...counts)))
    await Promise.all(all.map((writer) => writer.call('warmUp', name)))
    teams[name] = all
  }
  step('warm up')
  for (const contender of contenders)
    await writeTogether(contender, teams[contender.name]!, temporary.folder('warm-up'), warmUp)
  step('write')
  const names = contenders.map(({ name }) => name)
  const samples = await inTurnsOf(names, counts, rounds, (name, count) => {
    const contender = contenders.find((it) => it.name === name)!
    const dir = temporary.folder('processes')
    return writeTogether(contender, teams[name]!.slice(0, count), dir, milliseconds)
  })
  return counts.flatMap((processes) =>
    names.map((contender) => {
      const of = samples(contender, processes)
      const sorted = Float64Array.from(of.flat().flatMap((some) => [...some])).sort()
      const rateOf = (latencies: readonly Float64Array[]) =>
        latencies.reduce((sum, { length }) => sum + length, 0) / (milliseconds / 1_000)
      return {
        contender,
        processes,
        throughput: summarize(of.map(rateOf)),
        p50: quantile(sorted, 0.5),
        p99: quantile(sorted, 0.99),
      }
    }),
  )
}

/** All of them write to one new file for so long. What was acknowledged to any of them has to be there. */
async function writeTogether(
  contender: Contender,
  writers: readonly Child<Writer>[],
  dir: string,
  milliseconds: number,
): Promise<readonly Float64Array[]> {
  // One after the other: by hand, two that create the file at once are in each other's way.
  for (const writer of writers) await writer.call('open', dir)
  const latencies = await Promise.all(
    writers.map((writer, i) => writer.call('write', `process-${i}`, milliseconds)),
  )
  const users = new Users(userSizes[0]!)
  const store = await contender.open(dir, users, 'normal')
  const found: number[] = []
  for await (const listed of store.list()) found.push(store.userOfListed(listed).age)
  await store.close()
  const written = latencies.flatMap(({ length }) => Array.from({ length }, (_, i) => users.at(i).age))
  expectEqual(countsOf(found), countsOf(written), 'rows by age')
  return latencies
}

function countsOf(ages: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const age of ages) counts[age] = (counts[age] ?? 0) + 1
  return counts
}

/** Milliseconds for which the event loop stands still while a set waits for the lock: the longest time of a wait, in the median. */
async function measureWaiting(): Promise<number> {
  using temporary = temporaryFolder()
  const path = join(temporary.path, 'waiting.db')
  await using db = await Valkeyrie.open(path)
  const holder = new Database(path)
  const longest: number[] = []
  for (let wait = 0; wait < 9; wait++) {
    for (let n = 0; n < 200; n++) await db.set(['n'], n)
    holder.exec('BEGIN IMMEDIATE')
    const write = db.set(['waits'], wait)
    const { gap } = await longestGap(() => new Promise((resolve) => setTimeout(resolve, 100)))
    // The timer ticks every millisecond.
    longest.push(gap - 1)
    holder.exec('ROLLBACK')
    await write
  }
  holder.close()
  return median(longest)
}
