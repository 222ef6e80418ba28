import type { ServerTimes } from '../../postgres/measure-postgres.ts'
import type { ServerTask } from '../../postgres/tasks.ts'
import type { Chart } from './chart.ts'
import { colorOf } from './colors.ts'

const shown: readonly ServerTask[] = ['set', 'sets at once', 'unit of work']

/** What processes do in a second by the clock of the cloud, which waits for the network and the disk. */
export function postgresChart(times: readonly ServerTimes[]): Chart {
  const color = colorOf([...new Set(times.map(({ contender }) => contender))])
  return {
    name: 'postgres',
    description: 'Writes of several processes on one far server: how many a second in all',
    spec: {
      hconcat: shown.map((task) => ({
        title: task,
        width: 190,
        height: 180,
        data: {
          values: times
            .filter((it) => it.place === 'cloud' && it.task === task)
            .map(({ contender, processes, taken }) => ({ contender, processes, value: 1e9 / taken.median })),
        },
        mark: { type: 'line', point: true },
        encoding: {
          x: { field: 'processes', type: 'ordinal', axis: { labelAngle: 0 } },
          y: { field: 'value', type: 'quantitative', title: null, axis: { format: '~s' } },
          color,
        },
      })),
    },
  }
}
