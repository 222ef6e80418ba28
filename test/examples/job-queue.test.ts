import { expect, it } from 'vitest'
import { enginesOf, runExample } from './run-example.ts'

it.each(enginesOf('job-queue'))(
  'runs: a worker is killed with its job in hand, and every job is done once or given up, on %s',
  async (engine) => {
    const output = await runExample('job-queue', engine)
    expect(output).toMatch(/^40 jobs are enqueued\. Order 7 was sent twice, and is one job\.$/m)
    expect(output).toMatch(/^Worker [abc] is killed with order 7 in hand, and worker d takes its place\.$/m)
    expect(output).toMatch(/^Done: 39 jobs /m)
    expect(output).toMatch(/^Order 7: done at attempt 2, /m)
    expect(output).toMatch(/^ {2}ada has 1900 cents\n {2}bob has 1900 cents\n {2}cleo has 100 cents$/m)
    expect(output).toMatch(/^Given up after 4 attempts: eve\. Error: The bank refuses eve$/m)
  },
)
