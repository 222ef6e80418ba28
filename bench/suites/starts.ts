import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Valkeyrie } from 'valkeyrie'
import { readCities, readCountries } from '../../examples/atlas/packages.ts'
import { cities, countries } from '../../schemas/index.ts'
import { median, summarize } from '../harness/timing.ts'
import { inTurns } from '../harness/turns.ts'
import { atMost, within } from '../report/bound.ts'
import { megabytes } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'

/** How many times as long as by hand a start may take, and how much more memory, in MB. */
const bounds = { byHand: 1.6, megabytes: 25 }

/** Gives what a start has printed: its memory in bytes, or nothing. */
type Start = () => string | Promise<string>

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = (name: string) => join(root, 'bench/programs', `${name}.js`)

export const starts = suite({
  name: 'starts',
  async measure({ quick, step, temporary }) {
    step('write the files')
    const users = join(temporary.path, 'users.db')
    const atlas = join(temporary.path, 'atlas.db')
    await writeUser(users)
    await writeAtlas(atlas)

    const process = (name: string) => () => run(program(name), users, 'memory')
    const thread = (name: string) => () => runThread(program(name), users)
    const tasks: Readonly<Record<string, { readonly byHand: Start; readonly valkeyrie: Start }>> = {
      process: { byHand: process('start-by-hand'), valkeyrie: process('start-valkeyrie') },
      'worker thread': { byHand: thread('start-by-hand'), valkeyrie: thread('start-valkeyrie') },
      'check of the atlas': {
        byHand: () => run(program('check-by-hand'), atlas),
        valkeyrie: () => run(join(root, 'dist/cli/main.js'), 'check', atlas),
      },
    }
    const times = []
    for (const [task, { byHand, valkeyrie }] of Object.entries(tasks)) {
      step(task)
      const lanes = { byHand: () => timeOf(byHand), valkeyrie: () => timeOf(valkeyrie) }
      const samples = await inTurns(lanes, quick ? 5 : 25)
      const of = (name: keyof typeof lanes) => ({
        taken: summarize(samples[name]!.map(({ taken }) => taken)),
        memory: samples[name]!.flatMap(({ printed }) =>
          /^\d+$/.test(printed) ? [Number(printed) / 1e6] : [],
        ),
      })
      const [hand, own] = [of('byHand'), of('valkeyrie')]
      // Resident memory beyond that of "by hand", in MB; null where it was not measured.
      const more = hand.memory.length === 0 ? null : median(own.memory) - median(hand.memory)
      times.push({ task, byHand: hand.taken, valkeyrie: own.taken, more })
    }
    return times
  },
  report: (times) => [
    {
      title: 'Starts',
      blocks: [
        'From the start of a process or a worker thread that opens an existing file and reads one row until it has ended, and how much more resident memory the process has by then; and `valkeyrie check` on the atlas, 135,483 rows, beside a program that holds each row against its schema by better-sqlite3 and Zod.',
        table(
          ['', 'by hand', 'valkeyrie', 'more memory'],
          times.map(({ task, byHand, valkeyrie, more }) => [
            task,
            byHand,
            valkeyrie,
            more === null ? '' : megabytes(1)(more),
          ]),
        ),
      ],
      bounds: times.flatMap(({ task, byHand, valkeyrie, more }) => {
        const what = `start: ${task}`
        return [
          atMost(bounds.byHand, { what, against: 'by hand', own: valkeyrie, other: byHand }),
          ...(more === null ? [] : [within(`${what}, more memory`, more, bounds.megabytes, megabytes(0))]),
        ]
      }),
    },
  ],
})

async function timeOf(start: Start) {
  const began = process.hrtime.bigint()
  const printed = await start()
  return { taken: Number(process.hrtime.bigint() - began), printed }
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
