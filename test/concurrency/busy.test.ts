import Database from 'better-sqlite3'
import { DatabaseBusyError, Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { startChild } from './child.ts'
import { newDatabasePath } from './temporary-folder.ts'

async function open(busyTimeout: number) {
  const path = newDatabasePath()
  const db = await Valkeyrie.open(path, { busyTimeout })
  onTestFinished(() => db.close())
  await db.set(['before'], 1)
  const other = startChild('concurrency/programs/lock.ts', { path })
  await other.message()
  const tell = async (message: 'lock' | 'unlock') => {
    other.send(message)
    await other.message()
  }
  return { db, path, tell }
}

/** How many turns the event loop makes until the work is settled. */
async function turnsUntilSettled(work: Promise<unknown>): Promise<number> {
  let settled = false
  const end = () => {
    settled = true
  }
  work.then(end, end)
  let turns = 0
  for (; !settled; turns++) await new Promise((resolve) => setImmediate(resolve))
  return turns
}

it('a write waits for the lock of another process, and the event loop goes on', async () => {
  const { db, tell } = await open(30_000)
  await tell('lock')
  const write = db.set(['a'], 1)
  const unit = db.unitOfWork(async (inner) => {
    const { value } = await inner.get(['before'])
    await inner.set(['b'], value)
    expect((await inner.get(['b'])).value).toBe(1) // needs the lock as well
  })
  for (let turn = 0; turn < 50; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    expect((await db.get(['before'])).value).toBe(1)
  }
  expect((await db.get(['a'])).value).toBeNull()
  await tell('unlock')
  await Promise.all([write, unit])
  expect((await db.getMany([['a'], ['b']])).map(({ value }) => value)).toEqual([1, 1])
})

it('after busyTimeout every write of the turn is a DatabaseBusyError, and nothing is half written', async () => {
  const { db, path, tell } = await open(200)
  await tell('lock')
  const begun = performance.now()
  const work = Promise.allSettled([
    db.set(['a'], 1),
    db.atomic().set(['b'], 1).set(['c'], 1).commit(),
    db.delete(['before']),
    db.unitOfWork((unit) => unit.set(['d'], 1)),
    db.clear(),
    Valkeyrie.withSchema(['new', '*'], { '~standard': anySchema }).open(path, { busyTimeout: 200 }),
  ])
  expect(await turnsUntilSettled(work)).toBeGreaterThan(10)
  expect(performance.now() - begun).toBeGreaterThanOrEqual(200)
  for (const result of await work) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(DatabaseBusyError) })
    expect((result as PromiseRejectedResult).reason.waited).toBeGreaterThanOrEqual(200)
  }
  await tell('unlock')
  await db.set(['after'], 1)
  expect((await Array.fromAsync(db.list({ prefix: [] }))).map(({ key }) => key)).toEqual([
    ['after'],
    ['before'],
  ])
})

it('a busyTimeout of 0 gives up at once', async () => {
  const { db, tell } = await open(0)
  await tell('lock')
  await expect(db.set(['a'], 1)).rejects.toThrow(DatabaseBusyError)
  await tell('unlock')
  await expect(db.set(['a'], 1)).resolves.toMatchObject({ ok: true })
})

it('a writer that has let others write waits no longer than busyTimeout, and the event loop goes on', async () => {
  const { db, path } = await open(200)
  const holder = new Database(path)
  onTestFinished(() => void holder.close())
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 200; n++) await db.set(['n'], n)
    holder.exec('BEGIN IMMEDIATE')
    const begun = performance.now()
    const write = db.set(['in vain'], round)
    expect(await turnsUntilSettled(write)).toBeGreaterThan(10)
    await expect(write).rejects.toThrow(DatabaseBusyError)
    expect(performance.now() - begun).toBeGreaterThanOrEqual(200)
    holder.exec('ROLLBACK')
  }
  expect((await db.get(['in vain'])).value).toBeNull()
})

it('writes that wait for the lock keep their order, clear among them', async () => {
  const { db, tell } = await open(30_000)
  await tell('lock')
  const first = db.set(['a'], 1)
  await turnsUntilSettled(db.get(['before']))
  const work = [first, db.set(['a'], 2), db.clear(), db.set(['a'], 3), db.set(['b'], 4)]
  await tell('unlock')
  await Promise.all(work)
  expect((await Array.fromAsync(db.list({ prefix: [] }))).map(({ key, value }) => [key[0], value])).toEqual([
    ['a', 3],
    ['b', 4],
  ])
})

const anySchema = { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } as const
