import type { Chapter } from '../chapter.ts'
import { printStatements } from '../statements.ts'

export const querying: Chapter = {
  title: 'Queries: compiled once to SQL, over the indexes that the schemas declare',
  async tell(atlas, show) {
    const { cities, countries } = atlas.repositories
    const ask = async (call: () => Promise<unknown>) => {
      await show(call)
      await printStatements(atlas, call)
    }

    // The largest cities of a country.
    await ask(() =>
      cities.findMany({
        where: { country: 'FR' },
        orderBy: { population: 'desc' },
        limit: 3,
        columns: { name: true, population: true },
      }),
    )

    // The largest of the world, page by page.
    const { cursor } = await cities.findPage({ orderBy: { population: 'desc' }, limit: 3 })
    await ask(() =>
      cities.findPage({
        orderBy: { population: 'desc' },
        limit: 3,
        after: cursor,
        columns: { name: true, country: true, population: true },
      }),
    )

    // How many cities each country has.
    await ask(() =>
      cities.aggregate({
        count: true,
        sum: 'population',
        max: 'population',
        groupBy: 'country',
        orderBy: { count: 'desc' },
        limit: 3,
      }),
    )

    // Countries with their largest cities: one statement for each level.
    await ask(() =>
      countries.findMany({
        where: { region: 'Oceania', subregion: 'Australia and New Zealand', unMember: true },
        columns: { flag: true, capital: true },
        with: {
          cities: { orderBy: { population: 'desc' }, limit: 5, columns: { name: true, population: true } },
        },
      }),
    )

    await ask(() => countries.count({ where: { landlocked: true, region: { in: ['Europe', 'Asia'] } } }))
    await ask(() => cities.findFirst({ where: { name: 'Timbuktu' } }))
  },
}
