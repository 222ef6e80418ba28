import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import {
  byHand,
  type CityQueries,
  cities,
  drizzleOrm,
  type Place,
  pageFrom,
  pageRows,
  repository,
} from '../contenders/city-queries.ts'
import { closeStore } from '../contenders/contender.ts'
import { checksum, reads } from '../harness/calls.ts'
import type { Racer } from '../harness/race.ts'
import { atMost, timesAsLong, timesFaster } from '../report/bound.ts'
import { formatCount } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'
import { type City, loadCities } from '../values/cities.ts'

/** How many times as long as by hand a query may take, and Drizzle at the least: most of what a page takes is its rows. */
const tasks = {
  'unique lookup': { n: 5_000, least: 100, ofByHand: 1.6, ofDrizzle: 5 },
  'indexed page of 20': { n: 500, least: 20, ofByHand: 1.6, ofDrizzle: 2 },
  'page of 20 by cursor': { n: 500, least: 20, ofByHand: 1.6, ofDrizzle: 2 },
}
/** How many times as much as by hand a query may grow, from the first thousand cities to all: the engine has more pages to find. */
const growth = 1.3

const contenders = { 'by hand': byHand, 'valkeyrie repository': repository, Drizzle: drizzleOrm(true) }
const noIndexNamed = 'the same, no index named'

const fewCities = 1_000
/** So few that what their pages need of the file stays in memory, however many cities there are. */
const places = 50

/** A place, and what the queries must answer there: the checksums of the ids. */
interface Asked extends Place {
  readonly page: number
  readonly nextPage: number
}

export const queries = suite({
  name: 'queries',
  tasks: Object.keys(tasks),
  async measure(run) {
    run.step('load the cities')
    const files = await writeFiles(run.temporary.path)
    const wanted = Object.entries(tasks).filter(([task]) => run.wants(task))
    await using opened = new AsyncDisposableStack()
    const racers: Record<string, Racer> = {}
    const slow: Record<string, Racer> = {}
    for (const { rows, path, asked } of files) {
      const racer = async (name: string, open: (path: string) => CityQueries | Promise<CityQueries>) => {
        const copy = `${path}-${name}`
        copyFileSync(path, copy)
        return tasksOf(opened.adopt(await open(copy), closeStore), asked)
      }
      for (const [name, open] of Object.entries(contenders))
        racers[`${name}, ${rows}`] = await racer(name, open)
      if (rows > fewCities) slow[noIndexNamed] = await racer(noIndexNamed, drizzleOrm(false))
    }
    return {
      sizes: files.map(({ rows }) => rows),
      outcomes: await run.race(racers, Object.fromEntries(wanted), run.rounds),
      // It reads all cities for each query.
      unnamed: await run.race(slow, Object.fromEntries(wanted.map(([task]) => [task, { n: 2 }])), 3),
    }
  },
  report({ sizes, outcomes, unnamed }) {
    const [few, all] = [sizes[0]!, sizes.at(-1)!]
    const names = Object.keys(contenders)
    const measured = Object.entries(tasks).filter(([task]) => outcomes[task] !== undefined)
    const of = (task: string, contender: string, rows: number) => outcomes[task]?.[`${contender}, ${rows}`]
    const growthOf = (task: string, contender: string) =>
      timesAsLong(of(task, contender, all), of(task, contender, few))
    return [
      {
        title: 'Indexed queries',
        blocks: [
          'Cities of the world by a unique field, and pages of 20 by their population, from a place in its order and behind a cursor. By hand is the same SQL, prepared. Drizzle has no words for an index: where the query does not name one in SQL, SQLite reads the whole collection.',
          table(
            ['', 'cities', ...names, noIndexNamed],
            measured.flatMap(([task]) =>
              sizes.map((rows) => [
                task,
                formatCount(rows),
                ...names.map((name) => of(task, name, rows)),
                rows === all ? unnamed[task]?.[noIndexNamed] : undefined,
              ]),
            ),
          ),
        ],
        bounds: measured.flatMap(([task, { ofByHand, ofDrizzle }]) => {
          const own = of(task, 'valkeyrie repository', all)
          const other = (against: string) => ({ what: task, against, own, other: of(task, against, all) })
          return [
            atMost(ofByHand, other('by hand')),
            timesFaster(ofDrizzle, other('Drizzle')),
            atMost(growth, {
              what: `growth of ${task}, ${few} to ${all} cities`,
              against: 'by hand',
              own: growthOf(task, 'valkeyrie repository'),
              other: growthOf(task, 'by hand'),
            }),
          ]
        }),
      },
    ]
  },
})

function tasksOf(store: CityQueries, asked: readonly Asked[]): Racer {
  const prepare = (n: number) => Array.from({ length: n }, (_, i) => asked[(i * 7) % asked.length]!)
  const pages = (read: CityQueries['page'], expected: (place: Asked) => number) =>
    reads({ prepare, read, sum: (page) => checksumOfIds(page.map(({ value }) => value)), expected })
  return {
    'unique lookup': reads({
      prepare,
      read: store.one,
      sum: (found) => found?.value.cityId ?? Number.NaN,
      expected: ({ cityId }) => cityId,
    }),
    'indexed page of 20': pages(store.page, ({ page }) => page),
    'page of 20 by cursor': pages(store.nextPage, ({ nextPage }) => nextPage),
  }
}

/** A file with the first cities, and one with all. By itself, so that the cities are not kept in memory while the queries run. */
async function writeFiles(folder: string) {
  const all = loadCities()
  const files = []
  for (const rows of [fewCities, all.length]) {
    const path = join(folder, `${rows}.db`)
    files.push({ rows, path, asked: await fill(path, all.slice(0, rows)) })
  }
  return files
}

/** Puts the cities into a new file, and finds the places in their order. */
async function fill(path: string, rows: readonly City[]): Promise<readonly Asked[]> {
  await using db = await Valkeyrie.withSchemas([cities]).open(path)
  await db.repositories.cities.insertMany(rows.map((city) => [String(city.cityId), city]))
  const ordered = rows.toSorted((a, b) => a.population - b.population || compareIds(a, b))

  async function placeAt(i: number): Promise<Asked> {
    const { population, cityId } = ordered[Math.floor((i / places) * (rows.length - 100))]!
    const start = ordered.findIndex((city) => city.population >= population)
    const page = ordered.slice(start, start + pageRows)
    const last = page.at(-1)!
    const { cursor } = await db.repositories.cities.findPage(pageFrom(population))
    return {
      cityId,
      population,
      cursor: cursor!,
      last: { population: last.population, key: Buffer.from(`\x02cities\0\x02${last.cityId}\0`) },
      page: checksumOfIds(page),
      nextPage: checksumOfIds(ordered.slice(start + pageRows, start + 2 * pageRows)),
    }
  }
  return await Promise.all(Array.from({ length: places }, (_, i) => placeAt(i)))
}

const checksumOfIds = (rows: readonly City[]) => checksum(rows.map(({ cityId }) => cityId))

/** As their keys are ordered, the ids being texts there. */
const compareIds = (a: City, b: City) => (String(a.cityId) < String(b.cityId) ? -1 : 1)
