import { openIndexed } from './indexed-cities.ts'
import type { Queries } from './queries.ts'
import { pageRows } from './tasks.ts'

/** This library: query objects, compiled once for their shape. */
export async function repository(path: string): Promise<Queries> {
  const db = await openIndexed(path)
  const { cities } = db.repositories
  return {
    one: ({ cityId }) => cities.findFirst({ where: { cityId } }),
    page: ({ population }) =>
      cities.findMany({
        where: { population: { gte: population } },
        orderBy: { population: 'asc' },
        limit: pageRows,
      }),
    async nextPage({ population, cursor }) {
      const { entries } = await cities.findPage({
        where: { population: { gte: population } },
        orderBy: { population: 'asc' },
        limit: pageRows,
        after: cursor,
      })
      return entries
    },
    close: () => db.close(),
  }
}
