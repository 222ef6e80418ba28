import type { Bound } from '../../bounds/bound.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export function boundsSection(bounds: readonly Bound[]): Section {
  const broken = bounds.filter(({ holds }) => holds === false).length
  const rows = bounds.map(({ what, against, value, limit, holds }) => [
    what,
    against,
    value,
    limit,
    holds === null ? 'not measured' : holds ? 'yes' : 'NO',
  ])
  return {
    title: 'Bounds',
    blocks: [
      `What this library promises of its speed, held against the medians above. ${
        broken === 0
          ? 'All that was measured holds.'
          : `${broken} of ${bounds.length} did not hold in this run.`
      }`,
      formatTable([['', 'compared with', 'measured', 'bound', 'holds'], ...rows]),
    ],
  }
}
