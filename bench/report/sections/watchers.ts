import type { WatcherTimes, WatchTask } from '../../watchers/measure-watchers.ts'
import { formatCount, formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import { failuresOf } from './failures.ts'
import type { Section } from './section.ts'

export function watchersSection({ contenders, counts, outcomes }: WatcherTimes): Section {
  const tasks = Object.entries(outcomes) as [WatchTask, (typeof outcomes)[WatchTask]][]
  const rows = tasks.flatMap(([task, byCount]) =>
    counts.map((count, i) => [`${formatCount(count)} ${task}`, ...byCount[i]!.map(formatOutcome)]),
  )
  const failures = tasks.flatMap(([task, byCount]) =>
    byCount.flatMap((of, i) => failuresOf({ [`${counts[i]} ${task}`]: of }, contenders)),
  )
  return {
    title: 'Watching',
    blocks: [
      'An awaited set while rows are watched: others, or the one that is written. In the second case its time ends when all watchers have seen the new value.',
      formatTable([['', ...contenders], ...rows]),
      ...(failures.length > 0 ? [failures.join('\n')] : []),
    ],
  }
}
