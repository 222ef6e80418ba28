import { type GrowthTimes, growthContenders } from '../../growth/measure-growth.ts'
import { growthTasks } from '../../growth/tasks.ts'
import { isTiming } from '../../harness/race.ts'
import type { Chart } from './chart.ts'
import { colorOf } from './colors.ts'

export function growthChart(grown: readonly GrowthTimes[]): Chart {
  const values = grown.flatMap(({ rows, outcomes }) =>
    growthTasks.flatMap((task) =>
      growthContenders.flatMap((contender, i) => {
        const outcome = outcomes[task]?.[i]
        return isTiming(outcome) ? [{ rows, task, contender, microseconds: outcome.median / 1e3 }] : []
      }),
    ),
  )
  return {
    name: 'growth',
    description: 'What a read or write takes as the rows become more',
    spec: {
      data: { values },
      columns: 4,
      facet: { field: 'task', type: 'nominal', sort: growthTasks },
      resolve: { scale: { y: 'independent' } },
      spec: {
        width: 150,
        height: 150,
        mark: { type: 'line', point: true },
        encoding: {
          x: {
            field: 'rows',
            type: 'quantitative',
            title: 'rows',
            scale: { type: 'log' },
            axis: { format: '~s', values: grown.map(({ rows }) => rows) },
          },
          y: { field: 'microseconds', type: 'quantitative', title: 'µs' },
          color: colorOf(growthContenders),
        },
      },
    },
  }
}
