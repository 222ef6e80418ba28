import type { TracingTimes } from '../../tracing/measure-tracing.ts'
import { formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const tracingSection = ({ tasks, outcomes }: TracingTimes): Section => ({
  title: 'Tracing',
  blocks: [
    'Awaited calls of a repository while nobody listens to the [channels](tracing.md) of a database, and while somebody counts all that they tell.',
    formatTable([
      ['who listens', ...tasks],
      ...['nobody', 'somebody'].map((who, i) => [who, ...outcomes.map((of) => formatOutcome(of[i]))]),
    ]),
  ],
})
