import type { StartTimes } from '../../starts/measure-starts.ts'
import { formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const startsSection = (times: readonly StartTimes[]): Section => ({
  title: 'Starts',
  blocks: [
    'From the start of a process or a worker thread that opens an existing file and reads one row until it has ended, and how much more resident memory the process has by then; and `valkeyrie check` on the atlas, 135,483 rows, beside a program that holds each row against its schema by better-sqlite3 and Zod.',
    formatTable([
      ['', 'by hand', 'valkeyrie', 'more memory'],
      ...times.map(({ task, byHand, valkeyrie, megabytes }) => [
        task,
        formatOutcome(byHand),
        formatOutcome(valkeyrie),
        megabytes === null ? '' : `${megabytes.toFixed(1)} MB`,
      ]),
    ]),
  ],
})
