import { expect, it } from 'vitest'
import { enginesOf, runExample } from './run-example.ts'

it.each(enginesOf('shutdown'))(
  'finishes the request in hand on SIGTERM, begins no other, and ends with code 0, on %s',
  async (engine) => {
    const output = await runExample('shutdown', engine)
    expect(output).toBe(
      [
        'The service works on "3 squared" and is told to end.',
        'It has ended with code 0.',
        '2 squared: 4, done',
        '3 squared: 9, done',
        '4 squared: not begun, left for the next start',
        '',
      ].join('\n'),
    )
  },
)
