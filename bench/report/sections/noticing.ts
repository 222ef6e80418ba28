import type { Noticing } from '../../watchers/measure-noticing.ts'
import { formatDuration } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export function noticingSection({ median, slowest, idle }: Noticing): Section {
  return {
    title: 'Changes of other processes',
    blocks: [
      'From the moment before a set, in another process that makes one every few milliseconds, until a watcher has the new value; and the share of a core that a watcher takes while nothing happens.',
      formatTable([
        ['median', '99 of 100 within', 'idle'],
        [formatDuration(median * 1e6), formatDuration(slowest * 1e6), `${(idle * 100).toFixed(2)}%`],
      ]),
    ],
  }
}
