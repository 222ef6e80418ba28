import type { IndexTimes } from '../../indexes/measure-indexes.ts'
import { formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const indexesSection = ({ counts, outcomes }: IndexTimes): Section => ({
  title: 'Indexes of other repositories',
  blocks: [
    'An awaited set in a file with so many indexes, none of which holds the row: SQLite opens all of them for each write.',
    formatTable([
      ['indexes', ...counts.map(String)],
      ['set', ...outcomes.map(formatOutcome)],
    ]),
  ],
})
