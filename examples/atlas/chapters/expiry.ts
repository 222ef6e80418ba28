import { setTimeout as delay } from 'node:timers/promises'
import type { Chapter } from '../chapter.ts'
import { poseidonis } from './fiction.ts'

export const expiry: Chapter = {
  title: 'Expiry: gone when its time is up, without anyone sweeping',
  async tell(atlas, show) {
    const { cities } = atlas.repositories
    const ghostTown = { ...poseidonis, cityId: 2, name: 'Ghost town' }
    await show(() => cities.set(['ZZ', 2], ghostTown, { expireIn: 60_000 }))
    await show(() => cities.touch(['ZZ', 2], { expireIn: 20 }))
    await show(async () => {
      await delay(25)
      return cities.get(['ZZ', 2])
    })
    await show(() => cities.touch(['ZZ', 2], { expireIn: null }))
  },
}
