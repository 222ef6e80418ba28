import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { openReadings, type Readings, someReadings } from '../../examples/batches/readings.ts'
import { load, type Way, ways } from '../../examples/batches/ways.ts'
import { extent } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { longEngines, runExample } from './run-example.ts'

const path = temporaryFolder()
const named = Object.entries(ways)

async function stored({ repositories: { readings } }: Readings) {
  const rows = await Array.fromAsync(readings.list())
  return {
    values: rows.map(({ value }) => value),
    versions: rows.map(({ versionstamp }) => versionstamp),
  }
}

/** How many transactions the log of the engine (WAL) holds: a frame that ends one has the size of the file in its second word. */
function transactionsIn(file: string): number {
  const wal = readFileSync(`${file}-wal`)
  const frame = 24 + wal.readUInt32BE(8)
  let transactions = 0
  for (let at = 32; at + frame <= wal.length; at += frame) if (wal.readUInt32BE(at + 4) > 0) transactions++
  return transactions
}

it.each(longEngines)(
  'prints what each way costs, how many commits it makes, and what is stored beside a bad row, on %s',
  async (engine) => {
    const output = await runExample('batches', engine, extent('rounds', 1, 7))
    const number = String.raw`\d+\.\d`
    const compared = {
      sqlite: [
        ["with durability 'normal'", 1_000],
        ["with durability 'full'", 100],
      ],
      postgres: [['as durable as the server makes them', 100]],
    } as const
    for (const [title, rows] of compared[engine]) {
      expect(output).toMatch(new RegExp(`^${rows} rows ${title}`, 'm'))
      for (const [name, commits] of [
        ['oneAtATime', rows],
        ['allAtOnce', rows],
        ['oneAtomic', 1],
        ['insertMany', 1],
        ['load', rows],
      ]) {
        const line = `^ +${name} +${commits} commits +${number} µs a row, +${number} x the least$`
        expect(output).toMatch(new RegExp(line, 'm'))
      }
    }
    const outcomes = output
      .match(/^ +\w+ +re(jects|ports) .*$/gm)
      ?.map((line) => line.trim().replace(/ +/, ' '))
    expect(outcomes).toEqual([
      'oneAtATime rejects with ValidationError, 500 are stored',
      'allAtOnce rejects with ValidationError, 999 are stored',
      'oneAtomic rejects with ValidationError, 0 are stored',
      'insertMany rejects with ValidationError, 0 are stored',
      'load reports number 500, 999 are stored',
    ])
  },
)

it.each([0, 1, 999, 1_000, 1_001, 2_500])('stores the same %i rows in every way', async (count) => {
  const rows = someReadings(count)
  for (const [name, store] of named) {
    await using db = await openReadings()
    await store(db, rows)
    expect((await stored(db)).values, name).toEqual(rows)
  }
  await using db = await load(undefined, rows)
  expect((await stored(db)).values).toEqual(rows)
})

it('gives the rows of one commit one versionstamp, and growing ones to commits that share a transaction', async () => {
  const rows = someReadings(2_500)
  const versionsAfter = async (way: Way) => {
    await using db = await openReadings()
    await way(db, rows)
    return (await stored(db)).versions
  }
  const expectGrowing = (versions: readonly string[]) =>
    expect(versions).toEqual([...new Set(versions)].sort())

  expectGrowing(await versionsAfter(ways.oneAtATime))
  expectGrowing(await versionsAfter(ways.allAtOnce))
  expect(new Set(await versionsAfter(ways.oneAtomic)).size).toBe(1)

  const inserted = await versionsAfter(ways.insertMany)
  const groups = [inserted.slice(0, 1_000), inserted.slice(1_000, 2_000), inserted.slice(2_000)]
  for (const group of groups) expect(new Set(group).size).toBe(1)
  expectGrowing([...new Set(inserted)])
  expect(new Set(inserted).size).toBe(3)

  await using loaded = await load(undefined, rows)
  expectGrowing((await stored(loaded)).versions)
})

it('writes one transaction for each row, or few for all that come at once', async () => {
  const rows = someReadings(150)
  const transactions: Record<string, number> = {}
  for (const [name, store] of named) {
    const file = path()
    await using db = await openReadings(file)
    const before = transactionsIn(file)
    await store(db, rows)
    transactions[name] = transactionsIn(file) - before
  }
  expect(transactions).toMatchObject({ oneAtATime: 150, oneAtomic: 1, insertMany: 1 })
  // One, but where beginning them takes long enough for the event loop to have its turn in between.
  expect(transactions['allAtOnce']).toBeGreaterThan(0)
  expect(transactions['allAtOnce']).toBeLessThan(rows.length / 2)
})

it('keeps, of a batch with a bad row, what the way promises', async () => {
  const rows = someReadings(2_500)
  rows[1_500] = { ...rows[1_500]!, celsius: -300 }
  const left: Record<string, number> = {}
  for (const [name, store] of named) {
    await using db = await openReadings()
    await expect(store(db, rows), name).rejects.toMatchObject({
      code: 'VALIDATION',
      key: ['readings', 1_500],
    })
    left[name] = await db.repositories.readings.count()
  }
  expect(left).toEqual({ oneAtATime: 1_500, allAtOnce: 2_499, oneAtomic: 0, insertMany: 1_000 })

  await expect(load(path(), rows)).rejects.toMatchObject({ code: 'VALIDATION', key: ['readings', 1_500] })
  const refused: unknown[] = []
  await using db = await load(undefined, rows, { refused: (_, { id }) => refused.push(id) })
  expect(refused).toEqual([1_500])
  expect(await db.repositories.readings.count()).toBe(2_499)
})

it('is refused by insertMany if a row exists, and replaces it in the other ways', async () => {
  const rows = someReadings(3)
  const before = { ...rows[1]!, note: 'from before' }
  for (const [name, store] of named) {
    await using db = await openReadings()
    const { readings } = db.repositories
    await readings.set(before.id, before)
    if (store === ways.insertMany) {
      await expect(store(db, rows)).rejects.toMatchObject({ code: 'KEY_EXISTS', key: ['readings', 1] })
      expect((await stored(db)).values, name).toEqual([before])
    } else {
      await store(db, rows)
      expect((await stored(db)).values, name).toEqual(rows)
    }
  }
})
