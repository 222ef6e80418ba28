import { expectEqual } from '../harness/expect-equal.ts'
import type { Task } from '../harness/task.ts'
import { type IndexedCities, type Place, sumOfIds } from './indexed-cities.ts'
import type { Found, Queries } from './queries.ts'
import type { QueryTask } from './tasks.ts'

export function tasksOf(queries: Queries, { places }: IndexedCities): Record<QueryTask, Task> {
  const placesOf = (n: number) => Array.from({ length: n }, (_, i) => places[(i * 7) % places.length]!)

  const pages =
    (find: Queries['page'], sumAt: (place: Place) => number): Task =>
    (n) => {
      const asked = placesOf(n)
      const found: (readonly Found[])[] = []
      return {
        async run() {
          for (const place of asked) {
            const page = find(place)
            found.push(page instanceof Promise ? await page : page)
          }
        },
        verify() {
          for (const [i, page] of found.entries()) {
            const ids = sumOfIds(page.map(({ value }) => value))
            expectEqual(ids, sumAt(asked[i]!), 'sum of the ids of the page')
          }
        },
      }
    }

  return {
    'unique lookup': (n) => {
      const asked = placesOf(n)
      const found: (Found | null)[] = []
      return {
        async run() {
          for (const place of asked) {
            const one = queries.one(place)
            found.push(one instanceof Promise ? await one : one)
          }
        },
        verify() {
          for (const [i, one] of found.entries()) expectEqual(one?.value.cityId, asked[i]!.cityId, 'id')
        },
      }
    },
    'indexed page of 20': pages(queries.page, ({ page }) => page),
    'page of 20 by cursor': pages(queries.nextPage, ({ nextPage }) => nextPage),
  }
}
