import { expect, it } from 'vitest'
import type { Comparison } from '../../bench/comparison/compare.ts'
import { comparisonSection } from '../../bench/report/sections/comparison.ts'
import { contendersSection } from '../../bench/report/sections/contenders.ts'
import { userSizes } from '../../bench/values/user.ts'

const comparison: Comparison = {
  size: userSizes[0]!,
  valueBytes: 171,
  contenders: ['by hand', 'keyv'],
  outcomes: {
    get: [
      { median: 2_413, low: 2_300, high: 2_500 },
      { median: 1.5e6, low: 1.4e6, high: 1.7e6 },
    ],
    'atomic of 500': [{ median: 950, low: 950, high: 950 }, null],
    list: [{ median: 1_234, low: 1_234, high: 1_234 }, { failure: 'rows: expected 3, got 2' }],
  },
  bytesOnDisk: [237.4, 1_401],
}

it('a table shows medians and spread, blanks, and in full what has failed', () => {
  const { title, blocks } = comparisonSection(comparison)
  expect(title).toBe('Values of 150 B')
  expect(blocks.slice(1)).toEqual([
    [
      '|                             | by hand     | keyv         |',
      '|-----------------------------|-------------|--------------|',
      '| get                         | 2.41 µs ±4% | 1.50 ms ±10% |',
      '| list, per row               | 1.23 µs ±0% | failed       |',
      '| atomic of 500 sets, per set | 950 ns ±0%  |              |',
      '| on the disk, per row        | 237 B       | 1,401 B      |',
    ].join('\n'),
    '- keyv failed at “list”: rows: expected 3, got 2',
  ])
})

it('a contender that is not installed has a row that says so', () => {
  const absent = [{ name: 'lmdb', absent: "Cannot find package 'lmdb'" }]
  const [table] = contendersSection({ present: [], absent }).blocks
  expect(table).toContain("| lmdb | not installed | Cannot find package 'lmdb' |")
})
