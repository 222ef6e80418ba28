import { openCities } from './open-cities.ts'

/** What a process that has only opened the database at `path` sees while it iterates over its cities. */
export interface MemoryGrowth {
  readonly rows: number
  /** The most resident memory seen, less what it was before, in MB. */
  readonly megabytes: number
}

if (import.meta.main) {
  const db = await openCities(process.argv[2]!)
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let most = before
  let rows = 0
  for await (const _ of db.repositories.cities.list()) {
    if (++rows % 1_000 === 0) most = Math.max(most, process.memoryUsage.rss())
  }
  most = Math.max(most, process.memoryUsage.rss())
  await db.close()
  const growth: MemoryGrowth = { rows, megabytes: (most - before) / 1e6 }
  console.log(JSON.stringify(growth))
}
