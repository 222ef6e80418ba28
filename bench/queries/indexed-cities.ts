import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { checksum } from '../harness/checksum.ts'
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
  readonly population: number
  /** The checksum of the ids on the page of cities of this population and more. */
  readonly page: number
  /** Where that page ended: as text for `after`, and by what a statement by hand compares. */
  readonly cursor: string
  readonly last: { readonly population: number; readonly key: Buffer }
  /** The checksum of the ids on the page behind it. */
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
  return copies(path, dir, rows.length, await fill(path, rows))
}

/** Apart from the cities, which are not to be kept in memory for this. */
function copies(path: string, dir: string, rows: number, found: readonly Place[]): IndexedCities {
  let made = 0
  return {
    rows,
    places: found,
    copy() {
      const own = join(dir, `copy-${made++}.db`)
      copyFileSync(path, own)
      return own
    },
  }
}

/** Puts the cities into a new file, and finds the places in their order. */
async function fill(path: string, rows: readonly City[]): Promise<readonly Place[]> {
  await using db = await openIndexed(path)
  await db.repositories.cities.insertMany(rows.map((city) => [String(city.cityId), city]))
  const ordered = rows.toSorted((a, b) => a.population - b.population || compareIds(a, b))

  async function placeAt(i: number): Promise<Place> {
    const { population, cityId } = ordered[Math.floor((i / places) * (rows.length - 100))]!
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
      population,
      page: checksumOfIds(page),
      cursor: cursor!,
      last: { population: last.population, key: Buffer.from(`\x02cities\0\x02${last.cityId}\0`) },
      nextPage: checksumOfIds(ordered.slice(start + pageRows, start + 2 * pageRows)),
    }
  }
  return await Promise.all(Array.from({ length: places }, (_, i) => placeAt(i)))
}

const checksumOfIds = (rows: readonly City[]) => checksum(rows.map(({ cityId }) => cityId))

/** As their keys are ordered, the ids being texts there. */
const compareIds = (a: City, b: City) => (String(a.cityId) < String(b.cityId) ? -1 : 1)
