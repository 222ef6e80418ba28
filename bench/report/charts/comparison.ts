import type { Comparison } from '../../comparison/compare.ts'
import { comparisonTasks, taskLabels } from '../../comparison/tasks.ts'
import { isTiming } from '../../harness/race.ts'
import { formatDuration } from '../figures.ts'
import type { Chart } from './chart.ts'
import { colorOf } from './colors.ts'

/** A panel for each task, with a point for each contender: how long it took, on a logarithmic scale. */
export function comparisonChart({ size, contenders, outcomes }: Comparison): Chart {
  const tasks = comparisonTasks.filter((task) => outcomes[task] !== undefined)
  const values = tasks.flatMap((task) =>
    outcomes[task]!.flatMap((outcome, i) =>
      isTiming(outcome)
        ? [
            {
              task: taskLabels[task],
              contender: contenders[i],
              median: outcome.median / 1e3,
              low: outcome.low / 1e3,
              high: outcome.high / 1e3,
              label: formatDuration(outcome.median),
            },
          ]
        : [],
    ),
  )
  const y = { field: 'contender', type: 'nominal', sort: contenders, title: null, axis: { grid: true } }
  const log = { type: 'log', nice: true, padding: 20 }
  const x = (field: string) => ({
    field,
    type: 'quantitative',
    scale: log,
    title: null,
    axis: null,
  })
  return {
    name: 'comparison',
    description: `What each task takes with values of ${size.name}, by contender: to the left is faster, on a scale of its own for each task`,
    spec: {
      data: { values },
      columns: 3,
      facet: { field: 'task', type: 'nominal', sort: tasks.map((task) => taskLabels[task]) },
      resolve: { scale: { x: 'independent' }, axis: { x: 'independent' } },
      spec: {
        width: 220,
        height: { step: 19 },
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 2 },
            encoding: {
              y,
              x: x('low'),
              x2: { field: 'high' },
              color: { ...colorOf(contenders), legend: null },
            },
          },
          {
            mark: { type: 'point', filled: true, size: 60, opacity: 1 },
            encoding: { y, x: x('median'), color: { ...colorOf(contenders), legend: null } },
          },
          {
            mark: { type: 'text', align: 'left', dx: 8, fontSize: 10 },
            encoding: { y, x: x('high'), text: { field: 'label' } },
          },
        ],
      },
    },
  }
}
