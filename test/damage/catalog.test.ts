import Database from 'better-sqlite3'
import { KvError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../temporary-folder.ts'

const newPath = temporaryFolder()
const users = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }), {
  indexes: [{ on: 'name' }],
})

const nonsense = [
  ...[
    '',
    'x',
    '{',
    '[]',
    '7',
    'null',
    '[{"number":"x"}]',
    '[{"bigint":"x"}]',
    '[{"other":"1"}]',
    '[null]',
  ].map((text) => `pattern = '${text}'`),
  "pattern = x'00ff'",
  'pattern = 7',
  "schema = '{'",
  "schema = '7'",
  "schema = x'00'",
  "version = 'abc'",
  'version = 1.5',
  'version = -1',
  "version = x'00'",
  'version = 9223372036854775807',
  "indexes = '{'",
  "indexes = '[7]'",
  `indexes = '[{"fields":[7],"unique":true}]'`,
  `indexes = '[{"fields":"name","unique":1}]'`,
  "indexes = '{}'",
  '"references" = \'[]\'',
  '"references" = \'{"a":7}\'',
  "migrated = 'x'",
  "name = x'00'",
]

test.each(nonsense)('a catalogue with %s is a KvError when it is opened, and when it is met', async (set) => {
  const path = newPath()
  await using db = await users.open(path)
  await db.repositories.users.set('ann', { name: 'Ann' })
  const other = new Database(path)
  other.exec(`INSERT INTO kv_log VALUES (100, 0, x''); UPDATE kv_collections SET version = 100`)
  other.exec(`UPDATE kv_collections SET ${set}`)
  other.close()
  const met = await db.repositories.users.set('bob', { name: 'Bob' }).catch((thrown: unknown) => thrown)
  if (!/^(schema|"ref|migrated)/.test(set)) expect(met).toBeInstanceOf(KvError)
  for (const open of [users.open(path), Valkeyrie.open(path), Valkeyrie.open(path, { readOnly: true })]) {
    const error = await open.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'DATABASE_OPEN', path })
    expect((error as Error).message).toMatch(/damaged/)
  }
})

test('a pattern that belongs to two schemas is a KvError', async () => {
  const path = newPath()
  await using db = await users.open(path)
  db.drizzle.$client.exec(
    "INSERT INTO kv_collections (name, pattern, version) SELECT 'others', pattern, version FROM kv_collections",
  )
  await expect(Valkeyrie.open(path)).rejects.toMatchObject({ code: 'DATABASE_OPEN' })
})

test.each(["schema = '{'", "pattern = x'00'", "replaced_by = x'00'"])(
  'a past schema with %s is a KvError that names its table',
  async (set) => {
    const path = newPath()
    await (await users.open(path)).close()
    const other = new Database(path)
    other.exec(`CREATE TABLE kv_past_schemas (name TEXT NOT NULL, pattern TEXT NOT NULL, schema TEXT, replaced_by TEXT);
      INSERT INTO kv_past_schemas VALUES ('users', '["users","*"]', NULL, '0001_users');
      UPDATE kv_past_schemas SET ${set}`)
    other.close()
    const error = await users.open(path).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'DATABASE_OPEN', path })
    expect((error as Error).message).toMatch(/damaged.*delete this row of kv_past_schemas/)
  },
)
