import type { ProcessResults } from '../../processes/measure-processes.ts'
import { formatCount, formatDuration, formatSpread } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const processesSection = ({ times, blocked }: ProcessResults): Section => ({
  title: 'Writing processes',
  blocks: [
    'Processes that write to one file, each one set after the other. By hand, a process sleeps in SQLite until the file is free, and can do nothing else meanwhile.',
    formatTable([
      ['', 'processes', 'sets a second, in all', 'a set, p50', 'p99'],
      ...times.map(({ contender, processes, throughput, p50, p99 }) => [
        contender,
        formatCount(processes),
        `${formatCount(Math.round(throughput.median))} ${formatSpread(throughput)}`,
        formatDuration(p50),
        formatDuration(p99),
      ]),
    ]),
    `While a set waits for the lock of another connection, the event loop stands still for ${blocked.toFixed(1)} ms at the longest.`,
  ],
})
