import { once } from 'node:events'
import { statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished, vi } from 'vitest'
import { longestWal } from '../../src/driver/sqlite/file/connection.ts'
import { extent } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor } from '../waiting.ts'
import { start } from './child.ts'

const path = temporaryFolder()
const text = 'x'.repeat(50_000)

async function open(file: string) {
  const db = await Valkeyrie.open(file)
  onTestFinished(() => db.close())
  return db
}

type Db = Awaited<ReturnType<typeof open>>

const walOf = (file: string) => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0

const shortWal = (file: string) =>
  waitFor(
    'a short write-ahead log',
    (async () => {
      while (walOf(file) > longestWal) await wait(20)
    })(),
  )

/** One commit of some 35 MB. */
async function writeMuch(db: Db): Promise<void> {
  const atomic = db.atomic()
  for (let n = 0; n < 700; n++) atomic.set(['large', n], `${n} ${text}`)
  await atomic.commit()
}

async function expectWhole(db: Db): Promise<void> {
  let n = 0
  for await (const { value } of db.list({ prefix: ['large'] })) expect(value).toBe(`${n++} ${text}`)
  expect(n).toBe(700)
}

it('the log of one large commit is truncated once the database is quiet', async () => {
  const file = path()
  const db = await open(file)
  await writeMuch(db)
  expect(walOf(file)).toBeGreaterThan(longestWal)
  await shortWal(file)
  await expectWhole(db)
})

it('the log of one large commit is truncated by later commits', async () => {
  const file = path()
  const db = await open(file)
  await writeMuch(db)
  expect(walOf(file)).toBeGreaterThan(longestWal)
  await db.set(['a'], 1)
  await db.set(['a'], 2)
  expect(walOf(file)).toBeLessThanOrEqual(longestWal)
  await expectWhole(db)
})

it('a process that only reads truncates the log that a dead process left behind', async () => {
  const file = path()
  const idle = await open(file)
  const writer = start('write-much', file)
  await waitFor('a commit', once(writer.process.stdout!, 'data'))
  writer.process.kill('SIGKILL')
  await writer.ended
  // The idle one may have looked already.
  expect(Number(writer.lines[0])).toBeGreaterThan(longestWal)
  const again = await open(file)
  await shortWal(file)
  expect((await again.get(['large', 5])).value).toMatch(/^5 x/)
  expect((await idle.get(['large', 5])).value).toMatch(/^5 x/)
})

it('a log that a reader in another process holds back is truncated when that ends', async () => {
  const file = path()
  const db = await open(file)
  await db.set(['large', 0], 'before')
  const reader = start('hold-read', file)
  await waitFor('a reader', once(reader.process.stdout!, 'data'))
  for (let round = 0; round < 2; round++) await writeMuch(db)
  await db.set(['a'], 1)
  expect(walOf(file)).toBeGreaterThan(2 * longestWal)
  reader.process.stdin!.end()
  expect(await reader.ended).toBe(0)
  expect(reader.lines).toEqual(['reading', 'read before'])
  await shortWal(file)
  await expectWhole(db)
})

it('a log that is held back for long is reported with its age, and checked until it is truncated', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const file = path()
  const db = await open(file)
  await db.set(['a'], 1)
  const reader = new Database(file, { readonly: true })
  onTestFinished(() => void reader.close())
  reader.exec('BEGIN')
  expect(reader.prepare('SELECT count(*) FROM kv').pluck().get()).toBe(1)
  await writeMuch(db)
  const warned = once(process, 'warning')
  vi.advanceTimersByTime(60_000)
  const [warning] = await waitFor('a warning', warned)
  expect(warning).toMatchObject({
    name: 'LongSnapshotWarning',
    message: expect.stringContaining('write-ahead log'),
  })
  const { age, bytes } = JSON.parse(warning.detail)
  expect(age).toBeGreaterThanOrEqual(10_000)
  expect(bytes).toBe(walOf(file))
  expect(bytes).toBeGreaterThan(longestWal)
  expect(reader.prepare('SELECT count(*) FROM kv').pluck().get()).toBe(1)
  reader.exec('COMMIT')
  vi.advanceTimersByTime(20_000)
  expect(walOf(file)).toBe(0)
  await expectWhole(db)
})

it('several processes that write and look keep every commit', async () => {
  const file = path()
  const dbs = await Promise.all([open(file), open(file), open(file)])
  const writer = start('write-families', file)
  await waitFor('a writer', once(writer.process.stdout!, 'data'))
  const rounds = extent('rounds', 1, 3)
  for (let round = 0; round < rounds; round++) {
    for (const [i, db] of dbs.entries()) {
      await writeMuch(db)
      await db.set(['round', i], round)
    }
  }
  writer.process.kill('SIGKILL')
  await writer.ended
  await shortWal(file)
  for (const db of dbs) await expectWhole(db)
  for (const i of dbs.keys()) expect((await dbs[0]!.get(['round', i])).value).toBe(rounds - 1)
  const parent = (await dbs[0]!.get(['parents', 'p'])).value
  expect((await dbs[0]!.get(['parents', 'p', 'children', 2])).value).toEqual(parent)
})
