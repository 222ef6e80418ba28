import type { Contenders } from '../../contenders/contenders.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const contendersSection = ({ present, absent }: Contenders): Section => ({
  title: 'Contenders',
  blocks: [
    formatTable([
      ['', 'version', ''],
      ...present.map(({ name, version, note = '' }) => [name, version, note]),
      ...absent.map(({ name, absent: reason }) => [name, 'not installed', reason]),
    ]),
  ],
})
