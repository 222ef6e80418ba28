import type { ProcessTimes } from '../../processes/measure-processes.ts'
import type { Chart } from './chart.ts'
import { colorOf } from './colors.ts'

export function processesChart(times: readonly ProcessTimes[]): Chart {
  const contenders = [...new Set(times.map(({ contender }) => contender))]
  const x = { field: 'processes', type: 'ordinal', title: 'processes', axis: { labelAngle: 0 } }
  const color = colorOf(contenders)
  const [width, height] = [220, 180]
  return {
    name: 'processes',
    description: 'Sets of several processes on one file: how many a second in all, and what one takes',
    spec: {
      hconcat: [
        {
          width,
          height,
          title: 'sets a second, in all',
          data: {
            values: times.map(({ contender, processes, throughput }) => ({
              contender,
              processes,
              sets: throughput.median,
            })),
          },
          mark: { type: 'line', point: true },
          encoding: {
            x,
            y: { field: 'sets', type: 'quantitative', title: null, axis: { format: '~s' } },
            color,
          },
        },
        {
          width,
          height,
          title: 'a set, p50 and p99',
          data: {
            values: times.flatMap(({ contender, processes, p50, p99 }) => [
              { contender, processes, quantile: 'p50', microseconds: p50 / 1e3 },
              { contender, processes, quantile: 'p99', microseconds: p99 / 1e3 },
            ]),
          },
          mark: { type: 'line', point: true },
          encoding: {
            x,
            y: {
              field: 'microseconds',
              type: 'quantitative',
              title: 'µs',
              scale: { type: 'log' },
              axis: { format: '~s' },
            },
            color,
            strokeDash: { field: 'quantile', type: 'nominal', sort: ['p50', 'p99'] },
          },
        },
      ],
    },
  }
}
