import type { QueueTimes } from '../../jobs/measure-jobs.ts'
import { formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const jobsSection = ({ jobs, lateness }: QueueTimes): Section => ({
  title: 'Jobs',
  blocks: [
    'What a job of `valkeyrie/queue` takes, beside a table and three statements by hand: to be enqueued, all in one turn and one transaction, and to be claimed, handed out and ended by a worker that has some in hand at once.',
    formatTable([
      ['at once', 'enqueue by hand', 'valkeyrie', 'work by hand', 'valkeyrie'],
      ...jobs.map(({ atOnce, enqueue, work }) => [
        String(atOnce),
        formatOutcome(enqueue['by hand']),
        formatOutcome(enqueue['valkeyrie/queue']),
        formatOutcome(work['by hand']),
        formatOutcome(work['valkeyrie/queue']),
      ]),
    ]),
    `${lateness[0]!.schedules} schedules of one time, whose jobs take no time: how long after it they begin.`,
    formatTable([
      ['at once', 'median', '99 %', 'last'],
      ...lateness.map(({ atOnce, ...times }) => [
        String(atOnce),
        ...[times.median, times.nearlyAll, times.most].map((time) => `${time.toFixed(0)} ms`),
      ]),
    ]),
  ],
})
