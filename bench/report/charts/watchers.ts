import { isTiming } from '../../harness/race.ts'
import type { WatcherTimes } from '../../watchers/measure-watchers.ts'
import type { Chart } from './chart.ts'
import { colorOf } from './colors.ts'

export function watchersChart({ contenders, counts, outcomes }: WatcherTimes): Chart {
  const values = Object.entries(outcomes).flatMap(([task, byCount]) =>
    byCount.flatMap((of, i) =>
      of.flatMap((outcome, j) =>
        isTiming(outcome)
          ? [{ task, watchers: counts[i], contender: contenders[j], microseconds: outcome.median / 1e3 }]
          : [],
      ),
    ),
  )
  return {
    name: 'watchers',
    description: 'What a write takes while so many watch',
    spec: {
      data: { values },
      facet: { field: 'task', type: 'nominal' },
      columns: 2,
      spec: {
        width: 260,
        height: 180,
        mark: { type: 'line', point: true },
        encoding: {
          x: { field: 'watchers', type: 'ordinal', title: 'watchers', axis: { labelAngle: 0 } },
          y: {
            field: 'microseconds',
            type: 'quantitative',
            title: 'µs',
            scale: { type: 'log' },
            axis: { format: '~s' },
          },
          color: colorOf(contenders),
        },
      },
    },
  }
}
