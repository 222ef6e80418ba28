import { Valkeyrie } from 'valkeyrie'
import { queue } from 'valkeyrie/queue'
import { z } from 'zod'
import { expectEqual } from '../harness/expect-equal.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { quantile, summarize, type Timing } from '../harness/timing.ts'
import { type JobContender, jobContenders } from './contenders.ts'

/** What a job takes to be enqueued with many others, and to be worked on by a worker that has so many in hand at once. */
export interface JobTimes {
  readonly atOnce: number
  readonly enqueue: Readonly<Record<JobContender, Timing>>
  readonly work: Readonly<Record<JobContender, Timing>>
}

/** How many milliseconds after their time the jobs of schedules begin that all have the same one, for a worker that has so many in hand at once. */
export interface Lateness {
  readonly schedules: number
  readonly atOnce: number
  readonly median: number
  readonly nearlyAll: number
  readonly most: number
}

export interface QueueTimes {
  readonly jobs: readonly JobTimes[]
  readonly lateness: readonly Lateness[]
}

export interface QueueMeasure {
  readonly atOnce: readonly number[]
  readonly rounds: number
  readonly jobs: number
  readonly schedules: number
  readonly onTask: (task: string) => void
}

const contenders = Object.keys(jobContenders) as readonly JobContender[]

export async function measureQueue(measure: QueueMeasure): Promise<QueueTimes> {
  const jobs: JobTimes[] = []
  for (const atOnce of measure.atOnce) {
    measure.onTask(`jobs, ${atOnce} at once`)
    jobs.push(await measureJobs(atOnce, measure))
  }
  const lateness: Lateness[] = []
  for (const atOnce of [10, 100, measure.schedules]) {
    measure.onTask(`schedules, ${atOnce} at once`)
    lateness.push(await measureLateness(measure.schedules, atOnce))
  }
  return { jobs, lateness }
}

async function measureJobs(atOnce: number, { rounds, jobs }: QueueMeasure): Promise<JobTimes> {
  using temporary = temporaryFolder()
  const samples = () => ({ 'by hand': [], 'valkeyrie/queue': [] }) as Record<JobContender, number[]>
  const [enqueue, work] = [samples(), samples()]
  for (let round = 0; round <= rounds; round++) {
    for (let place = 0; place < contenders.length; place++) {
      const contender = contenders[(round + place) % contenders.length]!
      const file = await jobContenders[contender](temporary.folder('jobs'))
      const started = performance.now()
      await file.enqueue(jobs)
      const enqueued = performance.now()
      await file.work(jobs, atOnce)
      const done = performance.now()
      await file.close()
      // The first round warms up.
      if (round === 0) continue
      enqueue[contender].push(((enqueued - started) * 1e6) / jobs)
      work[contender].push(((done - enqueued) * 1e6) / jobs)
    }
  }
  const timing = (times: Record<JobContender, number[]>) => ({
    'by hand': summarize(times['by hand']),
    'valkeyrie/queue': summarize(times['valkeyrie/queue']),
  })
  return { atOnce, enqueue: timing(enqueue), work: timing(work) }
}

async function measureLateness(count: number, atOnce: number): Promise<Lateness> {
  using temporary = temporaryFolder()
  const ticks = queue('ticks', z.int(), { concurrency: atOnce })
  await using db = await Valkeyrie.withSchemas([...ticks.definitions]).open(
    `${temporary.folder('ticks')}/ticks.db`,
  )
  const second = Math.ceil(Date.now() / 1_000) * 1_000 + 4_000
  const at = new Date(second)
  const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`
  await db.unitOfWork(async (unit) => {
    for (let n = 0; n < count; n++) await ticks.schedule(unit, `tick ${n}`, { cron, payload: n })
  })
  const late: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const worker = ticks.process(db, () => late.push(Date.now() - second) === count && resolve())
  await promise
  await worker.stop()
  expectEqual(late.length, count, 'jobs of schedules')
  late.sort((a, b) => a - b)
  return {
    schedules: count,
    atOnce,
    median: quantile(late, 0.5),
    nearlyAll: quantile(late, 0.99),
    most: late.at(-1)!,
  }
}
