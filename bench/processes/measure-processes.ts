import { byHand } from '../contenders/by-hand.ts'
import type { Contender } from '../contenders/contender.ts'
import { keyValue } from '../contenders/valkeyrie.ts'
import { expectEqual } from '../harness/expect-equal.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { quantile, summarize, type Timing } from '../harness/timing.ts'
import { WorkerProcess } from '../harness/worker-process.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'
import { measureWaiting } from './measure-waiting.ts'
import type { WritingOrder, WritingReport } from './writer.ts'

/** What so many processes did that wrote to one file at the same time. */
export interface ProcessTimes {
  readonly contender: string
  readonly processes: number
  /** Acknowledged sets of all of them in a second: the rounds' median and quartiles. */
  readonly throughput: Timing
  /** What one set took until it was acknowledged, over all rounds, in nanoseconds. */
  readonly p50: number
  readonly p99: number
}

export interface ProcessResults {
  readonly times: readonly ProcessTimes[]
  /** Milliseconds for which the event loop stands still while a set waits for the lock of another: the longest time of a wait, in the median. */
  readonly blocked: number
}

export interface ProcessOptions {
  /** How many processes write at the same time. */
  readonly counts: readonly number[]
  readonly rounds: number
  readonly milliseconds: number
  readonly onTask: (task: string) => void
}

const contenders = [byHand, keyValue]
const script = new URL('./writer.ts', import.meta.url)

export async function measureProcesses(options: ProcessOptions): Promise<ProcessResults> {
  const times = await measureWriters(options)
  options.onTask('wait for the lock')
  return { times, blocked: await measureWaiting() }
}

async function measureWriters(options: ProcessOptions): Promise<readonly ProcessTimes[]> {
  const { counts, rounds, milliseconds, onTask } = options
  using temporary = temporaryFolder()
  const teams: { readonly contender: Contender; readonly processes: WorkerProcess[] }[] = []
  onTask('start the processes')
  try {
    for (const contender of contenders) {
      const starting = Array.from({ length: Math.max(...counts) }, () =>
        WorkerProcess.start(script, [contender.name]),
      )
      teams.push({ contender, processes: await Promise.all(starting) })
    }
    const lanes = counts.flatMap((count) =>
      teams.map(({ contender, processes }) => ({
        contender,
        processes: processes.slice(0, count),
        rates: [] as number[],
        latencies: [] as Float64Array[],
      })),
    )
    for (let round = 0; round <= rounds; round++) {
      onTask(round === 0 ? 'warm up' : `round ${round} of ${rounds}`)
      for (let place = 0; place < lanes.length; place++) {
        const lane = lanes[(round + place) % lanes.length]!
        const dir = temporary.folder('processes')
        const latencies = await writeTogether(lane.contender, lane.processes, dir, milliseconds)
        if (round === 0) continue
        const sets = latencies.reduce((sum, { length }) => sum + length, 0)
        lane.rates.push(sets / (milliseconds / 1_000))
        lane.latencies.push(...latencies)
      }
    }
    return lanes.map(({ contender, processes, rates, latencies }) => {
      const sorted = Float64Array.from(latencies.flatMap((some) => [...some])).sort()
      return {
        contender: contender.name,
        processes: processes.length,
        throughput: summarize(rates),
        p50: quantile(sorted, 0.5),
        p99: quantile(sorted, 0.99),
      }
    })
  } finally {
    for (const { processes } of teams) for (const process of processes) process.end()
  }
}

/** All of them write to one new file for so long. What was acknowledged to any of them has to be there. */
async function writeTogether(
  contender: Contender,
  processes: readonly WorkerProcess[],
  dir: string,
  milliseconds: number,
): Promise<readonly Float64Array[]> {
  // One after the other: by hand, two that create the file at once are in each other's way.
  for (const [i, process] of processes.entries()) {
    await process.ask({ dir, prefix: `process-${i}`, milliseconds } satisfies WritingOrder)
  }
  const reports = await Promise.all(processes.map((process) => process.ask<WritingReport>('start')))
  const latencies = reports.map((report) => report.latencies)

  const users = new Users(userSizes[0]!)
  const store = await contender.open(dir, users, 'normal')
  const ages = new Map<number, number>()
  const count = (age: number) => ages.set(age, (ages.get(age) ?? 0) + 1)
  for await (const listed of store.list()) count(store.userOfListed(listed).age)
  await store.close()
  const expected = new Map<number, number>()
  for (const { length } of latencies) {
    for (let i = 0; i < length; i++) {
      const { age } = users.at(i)
      expected.set(age, (expected.get(age) ?? 0) + 1)
    }
  }
  expectEqual([...ages].sort(byAge), [...expected].sort(byAge), 'rows by age')
  return latencies
}

const byAge = ([a]: [number, number], [b]: [number, number]) => a - b
