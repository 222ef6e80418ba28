import type { LiveQueryTask, LiveQueryTimes } from '../../watchers/measure-live-queries.ts'
import { formatCount, formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export function liveQueriesSection({ counts, outcomes }: LiveQueryTimes): Section {
  const tasks = Object.entries(outcomes) as [LiveQueryTask, (typeof outcomes)[LiveQueryTask]][]
  return {
    title: 'Live queries',
    blocks: [
      'An awaited set of a row in the result of `watchMany`, until all who follow the query have read the new result: twenty of a thousand users.',
      formatTable([
        ['', ...counts.map((count) => `${formatCount(count)} ${count === 1 ? 'reader' : 'readers'}`)],
        ...tasks.map(([task, times]) => [task, ...times.map(formatOutcome)]),
      ]),
    ],
  }
}
