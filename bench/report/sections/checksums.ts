import type { ChecksumTimes } from '../../checksums/measure-checksums.ts'
import { formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const checksumsSection = (times: readonly ChecksumTimes[]): Section => ({
  title: 'Checksums of values',
  blocks: [
    'What a call takes in a file that was created with `checksums: true`, beside one without: the value is summed up when it is written, and again each time that it is read.',
    formatTable([
      ['', 'bytes of a value', 'without', 'with checksums', 'ratio'],
      ...times.map(({ task, bytes, without, with: checked }) => [
        task,
        String(bytes),
        formatOutcome(without),
        formatOutcome(checked),
        `×${(checked.median / without.median).toFixed(2)}`,
      ]),
    ]),
  ],
})
