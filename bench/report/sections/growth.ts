import { type GrowthTimes, growthContenders } from '../../growth/measure-growth.ts'
import { growthTasks } from '../../growth/tasks.ts'
import { isTiming, type Outcome } from '../../harness/race.ts'
import { formatCount, formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import { failuresOf } from './failures.ts'
import type { Section } from './section.ts'

export function growthSection(grown: readonly GrowthTimes[]): Section {
  const rows = growthTasks.flatMap((task) =>
    growthContenders.map((contender, i) => {
      const outcomes = grown.map(({ outcomes }) => outcomes[task]?.[i])
      return [task, contender, ...outcomes.map(formatOutcome), growthOf(outcomes)]
    }),
  )
  const sizes = grown.map(({ rows }) => `${formatCount(rows)} rows`)
  const failures = grown.flatMap(({ outcomes }) => failuresOf(outcomes, growthContenders))
  return {
    title: 'Growth',
    blocks: [
      'Rows of about 170 B with an index, read and written at places spread over the whole file.',
      formatTable([['', '', ...sizes, 'growth'], ...rows]),
      ...(failures.length > 0 ? [failures.join('\n')] : []),
    ],
  }
}

function growthOf(outcomes: readonly (Outcome | undefined)[]): string {
  const [few, many] = [outcomes[0], outcomes.at(-1)]
  return isTiming(few) && isTiming(many) ? `×${(many.median / few.median).toFixed(2)}` : ''
}
