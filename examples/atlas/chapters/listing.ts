import type { Chapter } from '../chapter.ts'

export const listing: Chapter = {
  title: 'Listing in the order of the keys, and counting',
  async tell(atlas, show) {
    const { countries, cities } = atlas.repositories
    await show(() =>
      Array.fromAsync(
        countries.list({ start: 'FI', end: 'FR' }),
        ({ id, value }) => `${id} ${value.name.common}`,
      ),
    )
    await show(() =>
      Array.fromAsync(
        cities.list({ prefix: ['IS'] }, { limit: 3, reverse: true }),
        ({ value }) => value.name,
      ),
    )
    await show(async () => {
      const page = atlas.list({ prefix: ['countries', 'LU'] }, { limit: 2 })
      const keys = await Array.fromAsync(page, ({ key }) => key)
      return { keys, cursor: page.cursor }
    })
    await show(() => cities.count())
    await show(() => cities.count({ prefix: ['FR'] }))
  },
}
