import type { Chapter } from '../chapter.ts'

export const updating: Chapter = {
  title: 'Updating: a patch, a function, and a hundred updates at once of which none is lost',
  async tell(atlas, show) {
    const { cities } = atlas.repositories
    await show(() => cities.update(['ZZ', 1], { altName: 'Acropolis' }))
    await show(() => cities.update(['ZZ', 1], (city) => ({ ...city, population: city.population * 2 })))
    await show(async () => {
      const births = Array.from({ length: 100 }, () =>
        cities.update(['ZZ', 1], (city) => ({ ...city, population: city.population + 1 })),
      )
      await Promise.all(births)
      return (await cities.get(['ZZ', 1])).value?.population
    })
    await show(() => cities.update(['ZZ', 404], { population: 0 }))
  },
}
