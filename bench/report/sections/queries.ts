import { type QueryTimes, queryContenders } from '../../queries/measure-queries.ts'
import { queryTasks } from '../../queries/tasks.ts'
import { formatCount, formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import { failuresOf } from './failures.ts'
import type { Section } from './section.ts'

const labels: readonly string[] = [...queryContenders, 'the same, no index named']

export function queriesSection({ sizes, untold }: QueryTimes): Section {
  const rows = queryTasks.flatMap((task) =>
    sizes
      .filter(({ outcomes }) => outcomes[task] !== undefined)
      .map(({ rows, outcomes }, i) => {
        const slow = i === sizes.length - 1 ? untold[task]?.[0] : undefined
        return [task, formatCount(rows), ...outcomes[task]!.map(formatOutcome), formatOutcome(slow)]
      }),
  )
  const failures = [
    ...sizes.flatMap(({ outcomes }) => failuresOf(outcomes, queryContenders)),
    ...failuresOf(untold, ['Drizzle, no index named']),
  ]
  return {
    title: 'Indexed queries',
    blocks: [
      'Cities of the world by a unique field, and pages of 20 by their population, from a place in its order and behind a cursor. By hand is the same SQL, prepared. Drizzle has no words for an index: where the query does not name one in SQL, SQLite reads the whole collection.',
      formatTable([['', 'cities', ...labels], ...rows]),
      ...(failures.length > 0 ? [failures.join('\n')] : []),
    ],
  }
}
