import type { Chapter } from '../chapter.ts'

export const reading: Chapter = {
  title: 'Reading by key',
  async tell(atlas, show) {
    const { countries, cities } = atlas.repositories
    await show(() => cities.get(['FR', 2988507]))
    await show(() => cities.get(['FR', 1]))
    await show(() => atlas.get(['countries', 'IS', 'cities', 3413829]))
    await show(async () => (await countries.getMany(['JP', 'PE'])).map((entry) => entry.value?.name.common))
    await show(() => cities.exists(['FR', 2988507]))
  },
}
