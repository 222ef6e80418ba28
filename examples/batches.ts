/**
 * The same rows stored in five ways: what each costs on this machine, and what each does with a row that is refused.
 *
 *     node examples/batches.ts
 *     node examples/batches.ts 1    # of so many rounds: less exact, and sooner
 */
import type { OpenOptions } from 'valkeyrie'
import { addressOf, isOnServer } from './address/address-of.ts'
import { openReadings, type Readings, someReadings } from './batches/readings.ts'
import { load, ways } from './batches/ways.ts'
import { medians, type Timed } from './measure/medians.ts'

const [rounds = 7] = process.argv.slice(2).map(Number)
const pathOf = (name: string) => addressOf(`batches-${name}`)

async function versionsOf({ repositories: { readings } }: Readings): Promise<number> {
  const versionstamps = await Array.fromAsync(readings.list(), ({ versionstamp }) => versionstamp)
  return new Set(versionstamps).size
}

/** What each way costs, and of how many commits its rows are. */
async function compare(title: string, options: OpenOptions, count: number): Promise<void> {
  const rows = someReadings(count)
  const commits: Record<string, number> = {}
  await using db = await openReadings(pathOf('compared'), { ...options, destroyOnClose: true })

  const stores = Object.entries(ways).map(([name, store]): [string, Timed] => [
    name,
    async () => {
      await store(db, rows)
      return async () => {
        commits[name] = await versionsOf(db)
        await db.clear()
      }
    },
  ])
  const loads: Timed = async () => {
    const loaded = await load(pathOf('loaded'), rows, { ...options, destroyOnClose: true })
    return async () => {
      commits[load.name] = await versionsOf(loaded)
      await loaded.close()
    }
  }

  const times = await medians({ ...Object.fromEntries(stores), [load.name]: loads }, rounds)
  const least = Math.min(...Object.values(times))
  console.log(`${count} rows ${title}, the middle of ${rounds} rounds:`)
  for (const [name, time] of Object.entries(times)) {
    const cost = ((time / count) * 1_000).toFixed(1).padStart(7)
    const ratio = (time / least).toFixed(1).padStart(5)
    console.log(
      `  ${name.padEnd(10)} ${`${commits[name]}`.padStart(4)} commits ${cost} µs a row, ${ratio} x the least`,
    )
  }
}

/** What is stored when the schema refuses one reading of a thousand. */
async function refuseOne(): Promise<void> {
  const rows = someReadings(1_000)
  rows[500] = { ...rows[500]!, celsius: -300 }
  console.log('A thousand rows, one of which the schema refuses:')
  for (const [name, store] of Object.entries(ways)) {
    await using db = await openReadings(pathOf('refused'), { destroyOnClose: true })
    const outcome = await store(db, rows).then(
      () => 'resolves',
      (error: Error) => `rejects with ${error.name}`,
    )
    console.log(`  ${name.padEnd(10)} ${outcome}, ${await db.repositories.readings.count()} are stored`)
  }
  const refused: number[] = []
  await using db = await load(pathOf('loaded'), rows, {
    refused: (_, { id }) => refused.push(id),
    destroyOnClose: true,
  })
  const stored = await db.repositories.readings.count()
  console.log(`  ${load.name.padEnd(10)} reports number ${refused}, ${stored} are stored`)
}

if (isOnServer) await compare('as durable as the server makes them', {}, 100)
else {
  await compare("with durability 'normal'", { durability: 'normal' }, 1_000)
  await compare("with durability 'full'", { durability: 'full' }, 100)
}
console.log('A transaction costs much more than a row, above all where it waits for the disk: so share it.')
console.log(
  'A commit of its own costs a row a version and a line in the log; the time of load has a file made, too.',
)
await refuseOne()
