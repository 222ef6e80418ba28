import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Valkeyrie } from 'valkeyrie'
import { readCities, readCountries } from '../../examples/atlas/packages.ts'
import { cities, countries } from '../../schemas/index.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { quantile, summarize, type Timing } from '../harness/timing.ts'

/** What is started: a process or a worker thread that opens a file and reads one row, or `valkeyrie check` on the atlas. */
export type StartTask = 'process' | 'worker thread' | 'check of the atlas'

/** From the start until it has ended. */
export interface StartTimes {
  readonly task: StartTask
  readonly byHand: Timing
  readonly valkeyrie: Timing
  /** Resident memory at the end beyond that of "by hand", in MB; null where it was not measured. */
  readonly megabytes: number | null
}

/** What a start has printed: its memory in bytes, or nothing. */
type Start = () => string | Promise<string>

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = (name: string) => join(root, 'bench/starts', `${name}.js`)

export async function measureStarts(
  rounds: number,
  onTask: (task: string) => void,
): Promise<readonly StartTimes[]> {
  using temporary = temporaryFolder()
  onTask('write the files')
  const users = join(temporary.path, 'users.db')
  const atlas = join(temporary.path, 'atlas.db')
  await writeUser(users)
  await writeAtlas(atlas)

  const process = (name: string) => () => run(program(name), users, 'memory')
  const thread = (name: string) => () => runThread(program(name), users)
  const starts: Readonly<Record<StartTask, readonly [byHand: Start, valkeyrie: Start]>> = {
    process: [process('by-hand'), process('valkeyrie')],
    'worker thread': [thread('by-hand'), thread('valkeyrie')],
    'check of the atlas': [
      () => run(program('check-by-hand'), atlas),
      () => run(join(root, 'dist/cli/main.js'), 'check', atlas),
    ],
  }
  const measured: StartTimes[] = []
  for (const [task, pair] of Object.entries(starts) as [StartTask, readonly [Start, Start]][]) {
    onTask(task)
    measured.push({ task, ...(await inTurns(pair, rounds)) })
  }
  return measured
}

/** Both, one after the other, the other one first in each round; a first round does not count. */
async function inTurns(pair: readonly [Start, Start], rounds: number): Promise<Omit<StartTimes, 'task'>> {
  const samples = pair.map((start) => ({ start, times: [] as number[], memory: [] as number[] }))
  for (let round = 0; round <= rounds; round++) {
    for (const { start, times, memory } of round % 2 === 0 ? samples : samples.toReversed()) {
      const began = process.hrtime.bigint()
      const printed = await start()
      if (round === 0) continue
      times.push(Number(process.hrtime.bigint() - began))
      if (/^\d+$/.test(printed)) memory.push(Number(printed) / 1e6)
    }
  }
  const [byHand, valkeyrie] = samples
  const median = (memory: readonly number[]) =>
    quantile(
      memory.toSorted((a, b) => a - b),
      0.5,
    )
  return {
    byHand: summarize(byHand!.times),
    valkeyrie: summarize(valkeyrie!.times),
    megabytes: byHand!.memory.length === 0 ? null : median(valkeyrie!.memory) - median(byHand!.memory),
  }
}

const run = (script: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [script, ...args], { cwd: root, encoding: 'utf8' })

async function runThread(script: string, path: string): Promise<string> {
  await once(new Worker(script, { argv: [path] }), 'exit')
  return ''
}

async function writeUser(path: string): Promise<void> {
  const db = await Valkeyrie.open(path)
  await db.set(['users', 'alice'], { name: 'Alice', email: 'alice@example.com', age: 30 })
  await db.close()
}

async function writeAtlas(path: string): Promise<void> {
  const db = await Valkeyrie.withSchemas([countries, cities]).open(path, {
    migrations: join(root, 'schemas/migrations'),
  })
  const { countries: allCountries, cities: allCities } = db.repositories
  await allCountries.insertMany(readCountries().map((country) => [country.cca2, country] as const))
  await allCities.insertMany(readCities().map((city) => [[city.country, city.cityId], city] as const))
  await db.close()
}
