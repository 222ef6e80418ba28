import { expect, it } from 'vitest'
import { comparison } from '../../bench/suites/comparison.ts'
import { userSizes } from '../../bench/values/user.ts'

const [contenders, values] = comparison.report({
  contenders: { present: [], absent: [{ name: 'lmdb', absent: "Cannot find package 'lmdb'" }] },
  comparisons: [
    {
      size: userSizes[0]!,
      valueBytes: 171,
      outcomes: {
        get: {
          'by hand': { median: 2_413, low: 2_300, high: 2_500 },
          keyv: { median: 1.5e6, low: 1.4e6, high: 1.7e6 },
        },
        'atomic of 500': { 'by hand': { median: 950, low: 950, high: 950 } },
        list: {
          'by hand': { median: 1_234, low: 1_234, high: 1_234 },
          keyv: { failure: 'rows: expected 3, got 2' },
        },
      },
      bytesOnDisk: { 'by hand': 237.4, keyv: 1_401 },
    },
  ],
})

it('a table shows medians and spread, blanks, and in full what has failed', () => {
  expect(values).toMatchObject({
    title: 'Values of 150 B',
    blocks: [
      '10,000 rows; a value is 171 bytes as JSON.',
      [
        '|                             | by hand     | keyv         |',
        '|-----------------------------|-------------|--------------|',
        '| get                         | 2.41 µs ±4% | 1.50 ms ±10% |',
        '| list, per row               | 1.23 µs ±0% | failed       |',
        '| atomic of 500 sets, per set | 950 ns ±0%  |              |',
        '| on the disk, per row        | 237 B       | 1,401 B      |',
        '',
        '- keyv failed at “list, per row”: rows: expected 3, got 2',
      ].join('\n'),
    ],
  })
})

it('a contender that is not installed has a row that says so', () => {
  expect(contenders!.blocks![0]).toContain("| lmdb | not installed | Cannot find package 'lmdb' |")
})
