import type { Machine } from '../machine.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const machineSection = ({ processor, cores, memory, system, node, sqlite }: Machine): Section => ({
  title: 'Machine',
  blocks: [
    formatTable([
      ['processor', 'cores', 'memory', 'system', 'Node.js', 'SQLite'],
      [processor, `${cores}`, memory, system, node, `${sqlite} (better-sqlite3)`],
    ]),
  ],
})
