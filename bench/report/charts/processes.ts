import type { ProcessTimes } from '../../processes/measure-processes.ts'
import type { Chart } from './chart.ts'
import { colorOf } from './colors.ts'

export function processesChart(times: readonly ProcessTimes[]): Chart {
  const color = colorOf([...new Set(times.map(({ contender }) => contender))])
  const panel = (title: string, measured: (of: ProcessTimes) => number, y: object) => ({
    title,
    width: 190,
    height: 180,
    data: {
      values: times.map((of) => ({
        contender: of.contender,
        processes: of.processes,
        value: measured(of),
      })),
    },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'processes', type: 'ordinal', title: 'processes', axis: { labelAngle: 0 } },
      y: { field: 'value', type: 'quantitative', axis: { format: '~s' }, ...y },
      color,
    },
  })
  return {
    name: 'processes',
    description: 'Sets of several processes on one file: how many a second in all, and what one takes',
    spec: {
      hconcat: [
        panel('sets a second, in all', ({ throughput }) => throughput.median, { title: null }),
        panel('a set, p50', ({ p50 }) => p50 / 1e3, { title: 'µs' }),
        panel('a set, p99', ({ p99 }) => p99 / 1e3, { title: 'µs', scale: { type: 'log' } }),
      ],
    },
  }
}
