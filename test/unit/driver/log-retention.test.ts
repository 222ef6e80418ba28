import { Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()
const keepRows = 100
const open = (file: string) => Valkeyrie.open(file, { log: { keepRows } })
const logged = async (db: Awaited<ReturnType<typeof open>>) =>
  db.drizzle.$client.prepare<[], number>('SELECT count(*) FROM kv_log').pluck().get()!

test('handles that live for a few commits trim the log together', async () => {
  const file = path()
  for (let handle = 0; handle < 25; handle++) {
    await using db = await open(file)
    for (let commit = 0; commit < 20; commit++) await db.set(['n'], commit)
  }
  await using db = await open(file)
  expect(await logged(db)).toBeLessThanOrEqual(2 * keepRows)
})

test('the writes of one turn, sweeps and clear trim it too', async () => {
  await using db = await open(path())
  await Promise.all(Array.from({ length: 5_000 }, (_, i) => db.set(['n', i], i)))
  expect(await logged(db)).toBeLessThanOrEqual(2 * keepRows)
  for (let n = 0; n < 250; n++) await db.clear()
  expect(await logged(db)).toBeLessThanOrEqual(2 * keepRows)
  const { $client } = db.drizzle
  for (let n = 0; n < 250; n++) {
    await db.set(['n'], n)
    $client.prepare('UPDATE kv SET expires_at = 1').run()
    expect(await db.cleanup()).toBe(1)
  }
  expect(await logged(db)).toBeLessThanOrEqual(2 * keepRows)
})

test('what is kept is the newest, and a log that is too long gets shorter', async () => {
  const file = path()
  {
    await using db = await Valkeyrie.open(file)
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => db.set(['n', i], i)))
    expect(await logged(db)).toBe(1_000)
  }
  await using db = await open(file)
  const versions = () =>
    db.drizzle.$client.prepare<[], number>('SELECT version FROM kv_log ORDER BY version').pluck().all()
  for (let n = 0; n < 500; n++) await db.set(['n'], n)
  const kept = versions()
  expect(kept.length).toBeGreaterThanOrEqual(keepRows)
  expect(kept.length).toBeLessThanOrEqual(2 * keepRows)
  expect(kept).toEqual(kept.map((_, i) => 1_500 - kept.length + 1 + i))
})
