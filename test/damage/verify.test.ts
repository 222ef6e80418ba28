import { writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { DatabaseOpenError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'
import { schemas, soundFiles } from './damage.ts'

const newPath = temporaryFolder()

/** A sound file with this done to it by SQL. */
async function file(...statements: readonly string[]): Promise<string> {
  const path = newPath()
  {
    await using db = await schemas.open(path)
    await db.repositories.users.set('ann', { email: 'a', age: 1 })
    await db.repositories.users.set('bob', { email: 'b', age: 2 })
    await db.set(['misc', 1], new Date(0))
  }
  const connection = new Database(path)
  for (const statement of statements) connection.exec(statement)
  connection.close()
  return path
}

test('a sound file has no findings, also beside a program that writes', async () => {
  const path = await file()
  expect(await Valkeyrie.verify(path)).toEqual({ sound: true, findings: [], counts: {}, rows: 3, commits: 4 })
  await using db = await schemas.open(path)
  const verifying = Valkeyrie.verify(path)
  await db.set(['misc', 2], 2)
  expect(await verifying).toMatchObject({ sound: true, rows: 3 })
  for (const sound of await soundFiles(newPath().slice(0, -5)))
    expect((await Valkeyrie.verify(sound)).sound).toBe(true)
})

const ann = "WHERE hex(key) LIKE '%616E6E%'"
test.each([
  ["UPDATE kv SET types = '{' WHERE types IS NOT NULL", 'row', '["misc", 1]', /cannot be decoded/],
  [`UPDATE kv SET encoding = 9 ${ann}`, 'row', '["users", "ann"]', /cannot be decoded/],
  [`UPDATE kv SET version = 'x' ${ann}`, 'row', '["users", "ann"]', /version is x/],
  [`UPDATE kv SET version = 99 ${ann}`, 'row', '["users", "ann"]', /99, but the newest commit is 4/],
  [`UPDATE kv SET expires_at = 'x' ${ann}`, 'row', '["users", "ann"]', /expiry/],
  [
    `UPDATE kv SET collection = 'posts' ${ann}`,
    'row',
    '["users", "ann"]',
    /filed under posts.*belongs to users/,
  ],
  [`UPDATE kv SET key = x'022a00' ${ann}`, 'row', '0x022a00', /'\*'/],
  [`UPDATE kv SET key = 'text' ${ann}`, 'row', 'row 1', /not bytes/],
  ["UPDATE kv_log SET changes = x'01ff' WHERE version = 3", 'log', undefined, /cannot be read/],
  ["UPDATE kv_log SET at = 'x' WHERE version = 3", 'log', undefined, /time/],
  ['UPDATE kv_log SET version = -3 WHERE version = 3', 'log', undefined, /version/],
  ['DROP INDEX kv_users_age', 'index', undefined, /'users' on age is missing/],
  ["UPDATE kv_collections SET pattern = '['", 'catalog', undefined, /damaged/],
  ['DROP TABLE kv_log', 'catalog', undefined, /lacks tables/],
] as const)('%s is a finding of its place', async (statement, kind, key, message) => {
  const { sound, findings } = await Valkeyrie.verify(await file(statement))
  expect(sound).toBe(false)
  const found = findings.find((it) => it.kind === kind && message.test(it.message))
  expect(found).toBeDefined()
  expect(found!.key).toBe(key)
  if (kind === 'log') expect(found!.version).toMatch(/^(0{19}3|-3)$/)
})

test('findings are listed up to a hundred of a kind, and counted', async () => {
  const path = await file()
  const connection = new Database(path)
  const insert = connection.prepare("INSERT INTO kv VALUES (?, NULL, 9, NULL, 1, NULL, 'x')")
  const statement = connection.transaction(() => {
    for (let n = 0; n < 1_000; n++)
      insert.run(Buffer.from([2, 97, 97 + (n % 20), 98 + Math.floor(n / 20), 0]))
  })
  statement()
  connection.close()
  const { findings, counts, rows } = await Valkeyrie.verify(path)
  expect([findings.length, counts['row'], rows]).toEqual([100, 1_000, 1_003])
})

test('what is not a database is refused, and a signal ends it', async () => {
  const path = newPath()
  writeFileSync(path, 'nonsense '.repeat(1_000))
  await expect(Valkeyrie.verify(path)).rejects.toThrow(DatabaseOpenError)
  await expect(Valkeyrie.verify(newPath())).rejects.toThrow(DatabaseOpenError)
  await expect(Valkeyrie.verify(':memory:')).rejects.toThrow(TypeError)
  await expect(Valkeyrie.verify(path, { sound: true } as never)).rejects.toThrow(TypeError)
  const reason = new Error('enough')
  await expect(Valkeyrie.verify(await file(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
