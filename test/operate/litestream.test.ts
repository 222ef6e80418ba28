import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { DatabaseBusyError, Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { longestWal } from '../../src/driver/sqlite/file/connection.ts'
import { command } from '../command/command.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor } from '../waiting.ts'
import { Replicator } from './litestream.ts'

const newPath = temporaryFolder()
const open = (path: string) =>
  Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }), { indexes: [{ on: 'name' }] }).open(
    path,
    {
      busyTimeout: 5_000,
    },
  )
type Db = Awaited<ReturnType<typeof open>>

const rowsOf = async (db: Db) =>
  Array.fromAsync(db.list({ prefix: [] }), ({ key, value, versionstamp }) => ({ key, value, versionstamp }))

/** All kinds of commits, and more than the write-ahead log should hold. */
async function work(db: Db, round: number): Promise<void> {
  const { users } = db.repositories
  await users.insertMany(Array.from({ length: 50 }, (_, i) => [`${round}-${i}`, { name: 'x'.repeat(1_000) }]))
  await users.updateMany({ where: { name: { like: 'x%' } }, set: { name: `round ${round}` } })
  await db.set(['gone', round], 1, { expireIn: 1 })
  await users.deleteMany({ where: {}, prefix: [] })
  await db.set(['large', round], 'x'.repeat(300_000))
  await db.unitOfWork(async (unit) => unit.set(['n'], ((await unit.get(['n'])).value as number | null) ?? 0))
}

function replicate(path: string): Replicator {
  const replicator = new Replicator(path, newPath())
  onTestFinished(() => replicator.close())
  return replicator
}

it('beside a replicator that holds the log, as Litestream does, no frame is lost, and its copy is the database', async () => {
  const path = newPath()
  const first = await open(path)
  await first.set(['a'], 1)
  await first.close()
  const replicator = replicate(path)
  let db = await open(path)
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 12; i++) await work(db, 12 * round + i)
    if (round === 1) await db.clear()
    if (round === 2) await db.cleanup()
    if (round === 3) {
      await db.close()
      db = await open(path)
    }
    if (round % 2 === 1) replicator.checkpoint()
    else replicator.sync()
  }
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)
  const restored = newPath()
  replicator.restore(restored)
  expect(replicator.breaks).toBe(0)
  const expected = await rowsOf(db)
  await db.close()
  await using copy = await open(restored)
  expect(await rowsOf(copy)).toEqual(expected)
  expect(await Valkeyrie.verify(restored)).toMatchObject({ sound: true })
})

it('the log is cut off again once the replicator has gone', async () => {
  const path = newPath()
  await using db = await open(path)
  const replicator = new Replicator(path, newPath())
  const atomic = db.atomic()
  for (let n = 0; n < 100; n++) atomic.set(['large', n], 'x'.repeat(400_000))
  await atomic.commit()
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(longestWal)
  replicator.close()
  await waitFor(
    'a short write-ahead log',
    (async () => {
      while (statSync(`${path}-wal`).size > longestWal) await wait(20)
    })(),
  )
})

it('the tables of Litestream belong to no other application, in a new file either', async () => {
  const path = newPath()
  replicate(path)
  await using db = await open(path)
  await db.repositories.users.set('ada', { name: 'Ada' })
  expect(await Valkeyrie.verify(path)).toMatchObject({ sound: true, findings: [] })
  // Anything else in such a file belongs to another program.
  const theirs = newPath()
  const replicator = new Replicator(theirs, newPath())
  replicator.close()
  new Database(theirs).exec('CREATE TABLE theirs (a)').close()
  await expect(open(theirs)).rejects.toThrow(/another application/)
})

it('every command works on a file that is replicated, and those that replace it wait in vain', async () => {
  const path = newPath()
  await using db = await open(path)
  await db.repositories.users.set('ada', { name: 'Ada' })
  const replicator = replicate(path)
  const [backup, copy, rows] = [newPath(), newPath(), newPath('rows.ndjson')]
  for (const args of [
    ['stats', path],
    ['doctor', path],
    ['doctor', path, '--repair'],
    ['backup', path, backup],
    ['copy', path, copy],
    ['export', path, '--output', rows],
    ['import', path, rows],
  ])
    expect([args[0], await command(process.cwd(), ...args)]).toMatchObject([args[0], { code: 0 }])
  const replaced = await command(process.cwd(), 'restore', backup, path, '--json', '--wait', '0')
  expect(JSON.parse(replaced.output)).toMatchObject({
    error: { code: 'DATABASE_BUSY' },
  })
  const other = await Valkeyrie.open(path, { busyTimeout: 1 })
  await expect(other.destroy()).rejects.toThrow(DatabaseBusyError)
  replicator.sync()
  expect(replicator.breaks).toBe(0)
})

const litestream = process.env['LITESTREAM'] ?? 'litestream'
const isThere = spawnSync(litestream, ['version']).status === 0

it.skipIf(!isThere)('what Litestream itself has replicated is the database (needs its binary)', async () => {
  const path = newPath()
  const replica = newPath('replica')
  let db = await open(path)
  await db.set(['a'], 1)
  const child = spawn(litestream, ['replicate', path, `file://${replica}`], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await waitFor(
    'its first snapshot',
    (async () => {
      while (!existsSync(replica)) await wait(20)
    })(),
  )
  for (let round = 0; round < 40; round++) await work(db, round)
  await db.clear()
  await db.close()
  db = await open(path)
  await work(db, 0)
  const expected = await rowsOf(db)
  // It ends with what it has not copied yet.
  child.kill('SIGINT')
  await once(child, 'exit')
  await db.close()
  const restored = newPath()
  execFileSync(litestream, ['restore', '-o', restored, `file://${replica}`], { stdio: 'ignore' })
  await using copy = await open(restored)
  expect(await rowsOf(copy)).toEqual(expected)
})
