import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { ReaderPool } from '../../examples/reader-threads/reader-pool.ts'
import { ReaderDiedError, ReportError } from '../../examples/reader-threads/reader-thread.ts'
import { reports } from '../../examples/reader-threads/reports.ts'
import { fill, move, openStock } from '../../examples/reader-threads/stock.ts'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { extent } from '../extent.ts'
import type { MortalReports } from '../processes/fixtures/mortal-reader.ts'
import { runFixture } from '../processes/run-fixture.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { longEngines, runExample } from './run-example.ts'

const path = temporaryFolder()
const reader = new URL('../../examples/reader-threads/reader.ts', import.meta.url)
const mortal = new URL('../processes/fixtures/mortal-reader.ts', import.meta.url)

async function openFilled(count: number) {
  const file = path()
  const db = await openStock(file)
  onTestFinished(() => db.close())
  return { file, db, pieces: await fill(db, count) }
}

/** A pool over a stock of three items, whose threads a test can end, and the numbers that it shares with them. */
async function openMortal(threads: number) {
  const { file, db } = await openFilled(3)
  const shared = new Int32Array(new SharedArrayBuffer(64))
  const pool = new ReaderPool<MortalReports>(mortal, { threads, workerData: { path: file, shared } })
  onTestFinished(() => pool.close())
  const letGo = (place: number) => {
    Atomics.store(shared, place, 1)
    Atomics.notify(shared, place)
  }
  return { pool, db, shared, letGo }
}

it.each(longEngines)(
  'prints what each arrangement does to the event loop, and counts every piece in every report, on %s',
  async (engine) => {
    const items = extent('items', 3_000, 30_000)
    const output = await runExample('reader-threads', engine, items)
    expect(output.match(/^In .*:$/gm)).toEqual([
      'In this thread:',
      'In this thread, over a pool of 4 connections:',
      expect.stringMatching(/^In \d+ reader threads:$/),
    ])
    expect(output.match(/^ {2}[\d.]+ reports and \d+ moves a second$/gm)).toHaveLength(3)
    expect(
      output.match(/^ {2}the event loop comes round in .* \(median\) .* \(99%\) .* \(most\)$/gm),
    ).toHaveLength(3)
    expect(output.match(new RegExp(`^ {2}16 of 16 reports count ${10 * items} pieces$`, 'gm'))).toHaveLength(
      3,
    )
    expect(output).toMatch(/^Scarce now: item \d+ \(\d+\), /m)
  },
)

it('gives what the same reports give in this thread', async () => {
  const { file, db } = await openFilled(500)
  for (let n = 0; n < 50; n++) await move(db, n, n + 100)
  await using pool = new ReaderPool<typeof reports>(reader, { threads: 1, workerData: { path: file } })
  const [warehouses, scarcest] = await Promise.all([pool.ask('byWarehouse'), pool.ask('scarcest', 60)])
  expectTypeOf(scarcest).toEqualTypeOf<[name: string, pieces: number][]>()
  expect(warehouses).toEqual(await reports.byWarehouse(db))
  expect(warehouses).toHaveLength(12)
  expect(scarcest).toEqual(await reports.scarcest(db, 60))
  expect(scarcest.map(([, pieces]) => pieces)).toEqual([...Array(50).fill(9), ...Array(10).fill(10)])
})

it('sees one moment in each report while this thread writes, and all that was committed before it was asked', async () => {
  const count = extent('items that are moved', 600, 2_000)
  const { file, db, pieces } = await openFilled(count)
  const random = randomOf(seedOfThisRun())
  const some = () => Math.floor(random() * count)
  await using pool = new ReaderPool<typeof reports>(reader, { threads: 2, workerData: { path: file } })
  let moves = 0
  let asking = true
  const moving = (async () => {
    for (; asking; moves++) {
      await move(db, some(), some())
      await nextTurn()
    }
  })()
  const askOn = async () => {
    const totals: number[] = []
    for (let n = 0; n < 30; n++) {
      const warehouses = await pool.ask('byWarehouse')
      totals.push(warehouses.reduce((sum, total) => sum + total.pieces, 0))
    }
    return totals
  }
  const totals = (await Promise.all([askOn(), askOn(), askOn(), askOn()])).flat()
  asking = false
  await moving
  expect(totals).toEqual(Array(120).fill(pieces))
  // They have met: without that the run shows nothing.
  expect(moves).toBeGreaterThan(10)

  for (let n = 0; n < 20; n++) {
    await db.repositories.items.update(n, { pieces: 0 })
    const scarcest = await pool.ask('scarcest', count)
    expect(scarcest).toContainEqual([`item ${n}`, 0])
  }
})

it('has no more threads than it is allowed, and gives each asker its own answer', async () => {
  const { pool } = await openMortal(2)
  expect(pool.size).toBe(0)
  expect(await pool.ask('echo', 'first')).toBe('first')
  expect(pool.size).toBe(1)
  const values = Array.from({ length: 50 }, (_, n) => ({ n, at: new Date(n), set: new Set([n]) }))
  expect(await Promise.all(values.map((value) => pool.ask('echo', value)))).toEqual(values)
  expect(pool.size).toBe(2)
  const ids = await Promise.all(values.map(() => pool.ask('threadId')))
  expect(new Set(ids).size).toBeLessThanOrEqual(2)
  for (const threads of [0, 1.5, Number.NaN])
    expect(() => new ReaderPool(mortal, { threads })).toThrow(RangeError)
})

it('goes on in its other threads while one is busy for long', async () => {
  const { pool, letGo } = await openMortal(2)
  let over = false
  const long = pool.ask('waitFor', 0).finally(() => {
    over = true
  })
  for (let n = 0; n < 20; n++) expect(await pool.ask('echo', n)).toBe(n)
  expect(over).toBe(false)
  letGo(0)
  expect(await long).toBe(0)
})

it('asks another thread when one has died, and replaces it', async () => {
  const { pool } = await openMortal(2)
  const echoes = Array.from({ length: 20 }, (_, n) => pool.ask('echo', n))
  const asked = [pool.ask('die', 0, 1), pool.ask('die', 1, 1)]
  const more = Array.from({ length: 20 }, (_, n) => pool.ask('echo', n))
  expect(await Promise.all(asked)).toEqual(['survived', 'survived'])
  const numbers = Array.from({ length: 20 }, (_, n) => n)
  expect(await Promise.all(echoes)).toEqual(numbers)
  expect(await Promise.all(more)).toEqual(numbers)
  expect(pool.size).toBeLessThanOrEqual(2)
})

it('rejects what has killed two threads, and nothing else', async () => {
  const { pool, shared } = await openMortal(2)
  const [exits, throws, ...others] = await Promise.allSettled([
    pool.ask('die', 0, 100),
    pool.ask('throwOutside'),
    ...Array.from({ length: 20 }, (_, n) => pool.ask('echo', n)),
  ])
  expect(exits).toMatchObject({ status: 'rejected', reason: expect.any(ReaderDiedError) })
  expect(String((exits as PromiseRejectedResult).reason)).toContain('with code 7')
  expect(throws).toMatchObject({
    reason: { name: 'ReaderDiedError', cause: { message: 'outside of the report' } },
  })
  expect(others).toEqual(Array.from({ length: 20 }, (_, value) => ({ status: 'fulfilled', value })))
  expect(Atomics.load(shared, 0)).toBe(2)
})

it('replaces a thread that dies when it has nothing to do', async () => {
  const { pool } = await openMortal(1)
  const before = await pool.ask('threadId')
  await pool.ask('dieLater')
  while (pool.size > 0) await nextTurn()
  expect(await pool.ask('threadId')).not.toBe(before)
})

it('passes on how a report has failed, and keeps its thread', async () => {
  const { pool, db } = await openMortal(1)
  const before = await pool.ask('threadId')
  const query = pool.ask('query', { colour: 'red' })
  await expect(query).rejects.toBeInstanceOf(ReportError)
  await expect(query).rejects.toMatchObject({ code: 'QUERY', message: expect.stringContaining('colour') })
  await expect(pool.ask('write')).rejects.toMatchObject({ name: 'ReportError', code: 'STORAGE' })
  await expect(pool.ask('unsendable')).rejects.toThrow('DataCloneError')
  await expect(pool.ask('toString' as 'echo', 1)).rejects.toThrow("There is no report 'toString'")
  await expect(pool.ask('echo', () => {})).rejects.toThrow('could not be cloned')
  expect(await pool.ask('threadId')).toBe(before)
  expect(await db.repositories.items.exists(0)).toBe(true)
})

it('rejects where the threads cannot open the file', async () => {
  const workerData = { path: path(), shared: new Int32Array(1) }
  await using pool = new ReaderPool<MortalReports>(mortal, { threads: 1, workerData })
  const asked = [pool.ask('echo', 1), pool.ask('echo', 2)]
  for (const { status, ...outcome } of await Promise.allSettled(asked)) {
    expect(status).toBe('rejected')
    expect(outcome).toMatchObject({ reason: { name: 'ReaderDiedError', cause: { code: 'DATABASE_OPEN' } } })
  }
})

it('answers what it was asked before it is closed, takes nothing more, and leaves no thread', async () => {
  const { pool, letGo } = await openMortal(2)
  const asked = [pool.ask('waitFor', 0), ...Array.from({ length: 10 }, (_, n) => pool.ask('echo', n))]
  const died = expect(pool.ask('die', 1, 100)).rejects.toBeInstanceOf(ReaderDiedError)
  const closed = pool.close()
  await expect(pool.ask('echo', 1)).rejects.toThrow('Database is closed')
  letGo(0)
  expect(await Promise.all(asked)).toEqual([0, ...Array.from({ length: 10 }, (_, n) => n)])
  await died
  await closed
  await pool.close()
  expect(pool.size).toBe(0)
})

it('keeps no process alive that has forgotten to close it', async () => {
  const { file, db } = await openFilled(1)
  await db.close()
  expect(await runFixture('forgotten-pool', file)).toEqual(['a', 'b', 'c'])
})
