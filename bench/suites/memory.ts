import { join } from 'node:path'
import { expectEqual } from '../harness/calls.ts'
import { startChild } from '../harness/child.ts'
import type { CityList } from '../programs/city-list.ts'
import { within } from '../report/bound.ts'
import { megabytes } from '../report/figures.ts'
import { suite } from '../report/suite.ts'
import { loadCities, openCities } from '../values/cities.ts'

/** The most memory that iterating over all cities may take, in MB. */
const bound = 60

/** In a process of its own, whose memory nothing else has stretched. */
export const memory = suite({
  name: 'memory',
  async measure(run) {
    run.step('load the cities')
    const path = join(run.temporary.path, 'cities.db')
    const cities = loadCities()
    const db = await openCities(path)
    await db.repositories.cities.insertMany(cities.map((city) => [city.cityId, city]))
    await db.close()
    run.step('iterate')
    using child = await startChild<CityList>('city-list')
    const grown = await child.call('iterate', path)
    expectEqual(grown.rows, cities.length, 'cities')
    return grown.megabytes
  },
  report: (value) => [
    { bounds: [within('memory to iterate over 135,233 cities', value, bound, megabytes(0))] },
  ],
})
