import { checksum } from '../harness/checksum.ts'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Task } from '../harness/task.ts'
import type { IndexedCities, Place } from './indexed-cities.ts'
import type { Queries } from './queries.ts'
import type { QueryTask } from './tasks.ts'

export function tasksOf(queries: Queries, { places }: IndexedCities): Record<QueryTask, Task> {
  const placesOf = (n: number) => Array.from({ length: n }, (_, i) => places[(i * 7) % places.length]!)

  const pages =
    (find: Queries['page'], idsAt: (place: Place) => number): Task =>
    (n) => {
      const asked = placesOf(n)
      const found: number[] = []
      return {
        async run() {
          for (const place of asked) {
            const page = find(place)
            const cities = page instanceof Promise ? await page : page
            found.push(checksum(cities.map(({ value }) => value.cityId)))
          }
        },
        verify: () => expectEqual(found, asked.map(idsAt), 'ids of the pages'),
      }
    }

  return {
    'unique lookup': (n) => {
      const asked = placesOf(n)
      const found: (number | undefined)[] = []
      return {
        async run() {
          for (const place of asked) {
            const one = queries.one(place)
            found.push((one instanceof Promise ? await one : one)?.value.cityId)
          }
        },
        verify: () =>
          expectEqual(
            found,
            asked.map(({ cityId }) => cityId),
            'ids',
          ),
      }
    },
    'indexed page of 20': pages(queries.page, ({ page }) => page),
    'page of 20 by cursor': pages(queries.nextPage, ({ nextPage }) => nextPage),
  }
}
