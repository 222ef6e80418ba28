import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { queue } from 'valkeyrie/queue'
import { z } from 'zod'
import { jobContenders } from '../contenders/job-files.ts'
import type { TemporaryFolder } from '../harness/temporary-folder.ts'
import { quantile, summarize } from '../harness/timing.ts'
import { inTurns } from '../harness/turns.ts'
import { within } from '../report/bound.ts'
import { milliseconds } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'

/** Milliseconds after their time within which the jobs of schedules begin, where there is room for all of them. */
const punctual = 50

const jobCount = 2_000
const schedules = 1_000

export const jobs = suite({
  name: 'jobs',
  async measure(run) {
    const times = []
    for (const atOnce of [1, 10, 100]) {
      run.step(`jobs, ${atOnce} at once`)
      times.push({ atOnce, ...(await measureJobs(atOnce, run.quick ? 5 : 25, run.temporary)) })
    }
    const lateness = []
    for (const atOnce of [10, 100, schedules]) {
      run.step(`schedules, ${atOnce} at once`)
      lateness.push({
        atOnce,
        ...(await measureLateness(atOnce, join(run.temporary.folder('ticks'), 'ticks.db'))),
      })
    }
    return { times, lateness }
  },
  report({ times, lateness }) {
    return [
      {
        title: 'Jobs',
        blocks: [
          'What a job of `valkeyrie/queue` takes, beside a table and three statements by hand: to be enqueued, all in one turn and one transaction, and to be claimed, handed out and ended by a worker that has some in hand at once.',
          table(
            ['at once', 'enqueue by hand', 'valkeyrie', 'work by hand', 'valkeyrie'],
            times.map(({ atOnce, enqueue, work }) => [
              String(atOnce),
              ...[enqueue, work].flatMap((of) => [of['by hand'], of['valkeyrie']]),
            ]),
          ),
          `${schedules} schedules of one time, whose jobs take no time: how long after it they begin.`,
          table(
            ['at once', 'median', '99 %', 'last'],
            lateness.map(({ atOnce, median, nearlyAll, most }) => [
              String(atOnce),
              ...[median, nearlyAll, most].map(milliseconds(0)),
            ]),
          ),
        ],
        bounds: [
          within(
            `99 of 100 of ${schedules} schedules of one time begin`,
            lateness.at(-1)!.nearlyAll,
            punctual,
            milliseconds(1),
          ),
        ],
      },
    ]
  },
})

/** Nanoseconds that a job takes to be enqueued, and to be worked on with so many in hand at once, by contender. */
async function measureJobs(atOnce: number, rounds: number, temporary: TemporaryFolder) {
  const lanes: Record<string, () => Promise<{ readonly enqueue: number; readonly work: number }>> = {}
  for (const [name, open] of Object.entries(jobContenders)) {
    lanes[name] = async () => {
      const file = await open(temporary.folder('jobs'))
      const started = performance.now()
      await file.enqueue(jobCount)
      const enqueued = performance.now()
      await file.work(jobCount, atOnce)
      const done = performance.now()
      await file.close()
      const each = 1e6 / jobCount
      return { enqueue: (enqueued - started) * each, work: (done - enqueued) * each }
    }
  }
  const samples = await inTurns(lanes, rounds)
  const timings = (of: 'enqueue' | 'work') =>
    Object.fromEntries(
      Object.entries(samples).map(([name, all]) => [name, summarize(all.map((sample) => sample[of]))]),
    )
  return { enqueue: timings('enqueue'), work: timings('work') }
}

/** How many milliseconds after their time the jobs of schedules begin that all have the same one. */
async function measureLateness(atOnce: number, path: string) {
  const ticks = queue('ticks', z.int(), { concurrency: atOnce })
  await using db = await Valkeyrie.withSchemas([...ticks.definitions]).open(path)
  const second = Math.ceil(Date.now() / 1_000) * 1_000 + 4_000
  const at = new Date(second)
  const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`
  await db.unitOfWork(async (unit) => {
    for (let n = 0; n < schedules; n++) await ticks.schedule(unit, `tick ${n}`, { cron, payload: n })
  })
  const late: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const worker = ticks.process(db, () => late.push(Date.now() - second) === schedules && resolve())
  await promise
  await worker.stop()
  late.sort((a, b) => a - b)
  return { median: quantile(late, 0.5), nearlyAll: quantile(late, 0.99), most: late.at(-1)! }
}
