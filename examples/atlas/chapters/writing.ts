import type { Chapter } from '../chapter.ts'
import { atlantis, poseidonis } from './fiction.ts'

export const writing: Chapter = {
  title: 'Writing: schemas and unique indexes have their say',
  async tell(atlas, show) {
    const { countries, cities } = atlas.repositories
    await show(() => countries.insert('ZZ', atlantis))
    await show(() => countries.insert('ZZ', atlantis))
    await show(() => cities.set(['ZZ', 1], { ...poseidonis, name: '', population: -1 }))
    await show(() => cities.exists(['ZZ', 1]))
    await show(() => countries.set('XX', { ...atlantis, cca2: 'FR' }))
    await show(() => cities.insert(['ZZ', 1], poseidonis))
  },
}
