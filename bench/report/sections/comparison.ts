import type { Comparison } from '../../comparison/compare.ts'
import { comparisonTasks, taskLabels } from '../../comparison/tasks.ts'
import { formatCount, formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import { failuresOf } from './failures.ts'
import type { Section } from './section.ts'

export const comparisonSection = (comparison: Comparison): Section => ({
  title: `Values of ${comparison.size.name}`,
  blocks: [
    `${formatCount(comparison.size.stored)} rows; a value is ${formatCount(comparison.valueBytes)} bytes as JSON.`,
    ...comparisonBlocks(comparison),
  ],
})

export const syncedSection = (comparison: Comparison): Section => ({
  title: 'Synced to the disk',
  blocks: [
    `Values of ${comparison.size.name}, and each commit synced before it is acknowledged, so that a crash of the machine does not undo it: \`durability: 'full'\`, \`synchronous=FULL\`, and lmdb with its syncs.`,
    ...comparisonBlocks(comparison),
  ],
})

function comparisonBlocks({ contenders, outcomes, bytesOnDisk }: Comparison): string[] {
  const rows = comparisonTasks
    .filter((task) => outcomes[task] !== undefined)
    .map((task) => [taskLabels[task], ...outcomes[task]!.map(formatOutcome)])
  const bytes = bytesOnDisk.map((perRow) => `${formatCount(Math.round(perRow))} B`)
  const table = formatTable([['', ...contenders], ...rows, ['on the disk, per row', ...bytes]])
  const failures = failuresOf(outcomes, contenders)
  return failures.length === 0 ? [table] : [table, failures.join('\n')]
}
