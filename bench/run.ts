import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { byHand } from './by-hand.ts'
import { type City, loadCities } from './cities.ts'
import { expectEqual, formatTable, formatTiming, race } from './harness.ts'
import { openDatabase, valkeyrie } from './library.ts'
import type { MemoryGrowth } from './memory.ts'
import { measureQueries } from './run-queries.ts'
import { bounds, loads, memoryBound, type TaskName } from './tasks.ts'

const holds = (value: number, bound: number) => (value <= bound ? 'yes' : 'NO')

/** In a process of its own, whose memory nothing else has stretched. */
async function measureMemory(cities: readonly City[]): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'valkeyrie-memory-'))
  try {
    const path = join(dir, 'cities.db')
    const db = await openDatabase(path)
    await db.repositories.cities.insertMany(cities.map((city) => [city.cityId, city]))
    await db.close()
    const script = fileURLToPath(new URL('./memory.ts', import.meta.url))
    const output = execFileSync(process.execPath, ['--expose-gc', script, path], { encoding: 'utf8' })
    const growth: MemoryGrowth = JSON.parse(output)
    expectEqual(growth.rows, cities.length, 'cities')
    return growth.megabytes
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const cities = loadCities()
const all = loads(cities.length)
const queries = 'queries'
const chosen = process.argv.slice(2)
const unknown = chosen.filter((task) => !(task in all) && task !== queries)
if (unknown.length > 0) {
  throw new RangeError(
    `no task ${unknown.map((task) => `'${task}'`).join(', ')}: choose of ${[...Object.keys(all), queries].join(', ')}`,
  )
}
const selected = Object.entries(all).filter(([task]) => chosen.length === 0 || chosen.includes(task))
const timings = await race([byHand(cities), valkeyrie(cities)], Object.fromEntries(selected) as typeof all)

const rows = Object.entries(timings).map(([task, [hand, library]]) => {
  const ratio = library!.median / hand!.median
  const bound = bounds[task as TaskName]
  return [
    task,
    formatTiming(hand!),
    formatTiming(library!),
    `×${ratio.toFixed(2)}`,
    `×${bound}`,
    holds(ratio, bound),
  ]
})
if (chosen.length === 0) {
  const megabytes = await measureMemory(cities)
  const figure = `${megabytes.toFixed(0)} MB`
  rows.push(['memory to iterate', '', figure, '', `${memoryBound} MB`, holds(megabytes, memoryBound)])
}
console.log(`Node ${process.versions.node}; per operation or row: median of the rounds (quartiles)\n`)
if (rows.length > 0) {
  console.log(formatTable([['task', 'by hand', 'valkeyrie', 'ratio', 'bound', 'holds'], ...rows]))
}
if (chosen.length === 0 || chosen.includes(queries)) {
  const report = await measureQueries(cities)
  for (const table of report.tables) console.log(`\n${table}`)
  if (!report.holds) process.exitCode = 1
}
if (rows.some((row) => row.at(-1) === 'NO')) process.exitCode = 1
