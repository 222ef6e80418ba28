import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadContenders } from './contenders/contenders.ts'
import { race } from './harness/race.ts'
import { temporaryFolder } from './harness/temporary-folder.ts'
import { installPackages } from './packages/install.ts'
import { boundsSection } from './report/bound.ts'
import { machineSection, writePerformancePage } from './report/performance-page.ts'
import { progress } from './report/progress.ts'
import { formatSection, type Section, type Suite } from './report/suite.ts'
import { claims } from './suites/claims.ts'
import { comparison, synced } from './suites/comparison.ts'
import { checksums, indexes, tracing } from './suites/extras.ts'
import { growth } from './suites/growth.ts'
import { jobs } from './suites/jobs.ts'
import { memory } from './suites/memory.ts'
import { postgres } from './suites/postgres.ts'
import { processes } from './suites/processes.ts'
import { queries } from './suites/queries.ts'
import { responsive } from './suites/responsive.ts'
import { starts } from './suites/starts.ts'
import { liveQueries, noticing, watchers } from './suites/watchers.ts'

/** In the order of the page. */
const suites: readonly Suite[] = [
  comparison,
  synced,
  queries,
  growth,
  indexes,
  watchers,
  liveQueries,
  noticing,
  processes,
  postgres,
  memory,
  starts,
  claims,
  jobs,
  checksums,
  tracing,
  responsive,
]

// `[--quick] [name…]`: no names are all of them.
const { values: options, positionals: chosen } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const names = [...new Set(suites.flatMap(({ name, tasks = [] }) => [name, ...tasks]))]
const unknown = chosen.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  const list = (some: readonly string[]) => some.map((name) => `'${name}'`).join(', ')
  throw new RangeError(`no task ${list(unknown)}: choose of ${list(names)}`)
}
const { quick } = options
const pace = quick ? { turn: 20, enough: 1_000 } : { turn: 50, enough: 6_000 }

const failedInstall = installPackages(join(import.meta.dirname, 'packages'))
if (failedInstall !== null)
  console.error(`The packages of bench/packages are not installed: ${failedInstall}`)
const contenders = await loadContenders()

const { step, end } = progress()
const sections: Section[] = [machineSection()]
for (const suite of suites) {
  const { name, tasks = [] } = suite
  const wants = (task: string) => chosen.length === 0 || chosen.includes(name) || chosen.includes(task)
  if (![name, ...tasks].some(wants)) continue
  using temporary = temporaryFolder()
  const stepOf = (text: string) => step(`${name}: ${text}`)
  const measured = await suite.measure({
    quick,
    contenders,
    temporary,
    rounds: quick ? 3 : 15,
    fewerRounds: quick ? 3 : 9,
    wants,
    step: stepOf,
    race: (racers, loads, rounds) => race(racers, loads, { ...pace, rounds, onTask: stepOf }),
  })
  sections.push(...suite.report(measured))
}
end()

const bounds = sections.flatMap((section) => section.bounds ?? [])
if (bounds.length > 0) sections.push(boundsSection(bounds))
const told = sections.filter(({ title }) => title !== undefined)
for (const section of told) console.log(`${formatSection(section)}\n`)
if (chosen.length === 0 && !quick && failedInstall === null) {
  await writePerformancePage(told)
  console.log('Written to docs/performance.md.')
}
// A watch of @deno/kv that was cancelled would keep the process waiting.
process.exit(bounds.some(({ holds }) => holds === false) ? 1 : 0)
