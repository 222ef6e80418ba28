import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import type { TemporaryFolder } from '../harness/temporary-folder.ts'
import { type City, citySchema } from '../values/cities.ts'
import { pageRows } from './tasks.ts'

/** So few that what their pages need of the file stays in memory, however many cities there are. */
const places = 50

export const cities = defineSchema(['cities', '*'], citySchema, {
  indexes: [{ on: 'cityId', unique: true }, { on: 'population' }],
})

export const openIndexed = (path: string) => Valkeyrie.withSchemas([cities]).open(path)

/** What the queries ask for, one place in the order of population after another, and what they must answer. */
export interface Place {
  readonly cityId: number
  readonly name: string
  readonly population: number
  /** The sum of the ids on the page of cities of this population and more. */
  readonly page: number
  /** Where that page ended: as text for `after`, and by what a statement by hand compares. */
  readonly cursor: string
  readonly last: { readonly population: number; readonly key: Buffer }
  /** The sum of the ids on the page behind it. */
  readonly nextPage: number
}

/** Cities in files, in an order and at places that are the same in every run. */
export interface IndexedCities {
  readonly rows: number
  readonly places: readonly Place[]
  /** A file of one's own with these cities. */
  copy(): string
}

export async function indexCities(rows: readonly City[], temporary: TemporaryFolder): Promise<IndexedCities> {
  const dir = temporary.folder('cities')
  const path = join(dir, 'cities.db')
  const db = await openIndexed(path)
  await db.repositories.cities.insertMany(rows.map((city) => [String(city.cityId), city]))
  const ordered = rows.toSorted((a, b) => a.population - b.population || compareIds(a, b))

  async function placeAt(i: number): Promise<Place> {
    const { population, cityId, name } = ordered[Math.floor((i / places) * (rows.length - 100))]!
    const start = ordered.findIndex((city) => city.population >= population)
    const page = ordered.slice(start, start + pageRows)
    const last = page.at(-1)!
    const { cursor } = await db.repositories.cities.findPage({
      where: { population: { gte: population } },
      orderBy: { population: 'asc' },
      limit: pageRows,
    })
    return {
      cityId,
      name,
      population,
      page: sumOfIds(page),
      cursor: cursor!,
      last: { population: last.population, key: Buffer.from(`\x02cities\0\x02${last.cityId}\0`) },
      nextPage: sumOfIds(ordered.slice(start + pageRows, start + 2 * pageRows)),
    }
  }

  const found = await Promise.all(Array.from({ length: places }, (_, i) => placeAt(i)))
  await db.close()
  let copies = 0
  return {
    rows: rows.length,
    places: found,
    copy() {
      const own = join(dir, `copy-${copies++}.db`)
      copyFileSync(path, own)
      return own
    },
  }
}

export const sumOfIds = (rows: readonly { readonly cityId: number }[]): number =>
  rows.reduce((sum, { cityId }) => sum + cityId, 0)

/** As their keys are ordered, the ids being texts there. */
const compareIds = (a: City, b: City) => (String(a.cityId) < String(b.cityId) ? -1 : 1)
