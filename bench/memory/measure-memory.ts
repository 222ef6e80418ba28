import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expectEqual } from '../harness/expect-equal.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { loadCities } from '../values/cities.ts'
import type { MemoryGrowth } from './list-cities.ts'
import { openCities } from './open-cities.ts'

const script = fileURLToPath(new URL('./list-cities.ts', import.meta.url))

/** What it takes to iterate over all cities, in MB: in a process of its own, whose memory nothing else has stretched. */
export async function measureMemory(onTask: (task: string) => void): Promise<number> {
  onTask('load the cities')
  using temporary = temporaryFolder()
  const path = join(temporary.path, 'cities.db')
  const cities = loadCities()
  const db = await openCities(path)
  await db.repositories.cities.insertMany(cities.map((city) => [city.cityId, city]))
  await db.close()
  onTask('iterate')
  const output = execFileSync(process.execPath, ['--expose-gc', script, path], { encoding: 'utf8' })
  const growth: MemoryGrowth = JSON.parse(output)
  expectEqual(growth.rows, cities.length, 'cities')
  return growth.megabytes
}
