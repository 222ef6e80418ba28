import { serveParent } from '../harness/child.ts'
import { openCities } from '../values/cities.ts'

const functions = {
  /** How much more resident memory, in MB, a process that has only opened the database sees while it iterates over its cities. */
  async iterate(path: string) {
    const db = await openCities(path)
    globalThis.gc?.()
    const before = process.memoryUsage.rss()
    let most = before
    let rows = 0
    for await (const _ of db.repositories.cities.list()) {
      if (++rows % 1_000 === 0) most = Math.max(most, process.memoryUsage.rss())
    }
    most = Math.max(most, process.memoryUsage.rss())
    await db.close()
    return { rows, megabytes: (most - before) / 1e6 }
  },
}

export type CityList = typeof functions
serveParent(functions)
