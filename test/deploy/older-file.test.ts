import Database from 'better-sqlite3'
import { UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { encodeKey } from '../../src/key/codec.ts'
import { unitInTurn } from '../concurrency/in-turn.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const newPath = temporaryFolder()
const user = z.object({ email: z.string() })
const users = Valkeyrie.withSchema(['users', '*'], user, { indexes: [{ on: 'email', unique: true }] })

/** A file as the first release has written it: its catalogue keeps neither indexes nor references. */
function olderFile(): string {
  const path = newPath()
  const file = new Database(path)
  file.pragma('journal_mode = WAL')
  file.exec(`
    CREATE TABLE "kv" ("key" blob PRIMARY KEY NOT NULL, "collection" text, "encoding" integer NOT NULL, "types" text, "version" integer NOT NULL, "expires_at" integer, "value" text NOT NULL);
    CREATE TABLE "kv_log" ("version" integer PRIMARY KEY, "at" integer NOT NULL, "changes" blob NOT NULL);
    CREATE TABLE "kv_collections" ("name" text PRIMARY KEY, "pattern" text NOT NULL, "schema" text, "version" integer NOT NULL);
    CREATE INDEX "kv_collection" ON "kv" ("collection", "key") WHERE collection IS NOT NULL;
    CREATE INDEX "kv_expires_at" ON "kv" ("expires_at") WHERE expires_at IS NOT NULL;
    CREATE UNIQUE INDEX "kv_users_email_unique" ON "kv" (value ->> '$.email') WHERE collection = 'users';
    INSERT INTO kv_collections VALUES ('users', '["users","*"]', NULL, 1);
    INSERT INTO kv_log VALUES (1, 0, x''), (2, 0, x'');
    PRAGMA application_id = 0x564c4b59;
    PRAGMA user_version = 1;
  `)
  file
    .prepare("INSERT INTO kv VALUES (?, 'users', 0, NULL, 2, NULL, ?)")
    .run(encodeKey(['users', 'ann']), '{"email":"a"}')
  file.close()
  return path
}

test('is read without being written', async () => {
  const path = olderFile()
  await using db = await users.open(path, { readOnly: true })
  expect(await db.repositories.users.count()).toBe(1)
  expect((await db.repositories.users.findFirst({ where: { email: 'a' } }))?.id).toBe('ann')
})

test('is upgraded by whoever opens it, and keeps all it knows', async () => {
  const path = olderFile()
  {
    await using plain = await Valkeyrie.open(path)
    await expect(plain.set(['users', 'bob'], { email: 'a' })).rejects.toThrow(UniqueConstraintError)
    await plain.set(['users', 'bob'], { email: 'b' })
  }
  await using db = await users.open(path)
  expect(await db.repositories.users.count()).toBe(2)
  const kept = db.drizzle.$client.prepare('SELECT indexes FROM kv_collections').pluck().get()
  expect(kept).toBe('[{"fields":["email"],"unique":true}]')
})

test('is upgraded beside a process of the first release that goes on writing', async () => {
  const path = olderFile()
  const old = new Database(path)
  await using db = await users.open(path)
  old.exec(`BEGIN IMMEDIATE;
    INSERT INTO kv VALUES (x'02757365727300026300', 'users', 0, NULL, 9, NULL, '{"email":"c"}');
    INSERT INTO kv_log VALUES (9, 0, x'010a02757365727300026300');
    UPDATE kv_collections SET schema = '{}', version = 1;
    COMMIT`)
  old.close()
  expect(await db.repositories.users.count()).toBe(2)
  await expect(db.repositories.users.set('d', { email: 'c' })).rejects.toThrow(UniqueConstraintError)
})

test('a release without turns sees how far back the log goes while others have a turn', async () => {
  const path = olderFile()
  const old = new Database(path)
  await using db = await Valkeyrie.open(path)
  await db.set(['n'], 0)
  const kept = old.prepare<[], number>('SELECT max(version) FROM kv_log').pluck().get()!
  old.prepare('DELETE FROM kv_log WHERE version < ?').run(kept)
  const unit = await unitInTurn(db)
  expect(old.prepare('SELECT min(version) FROM kv_log').pluck().get()).toBe(kept)
  // The turn is not its to wait for.
  old.exec("INSERT INTO kv_log SELECT max(version) + 1, 0, x'' FROM kv_log")
  old.close()
  await unit.commit()
  expect((await db.get(['m'])).value).toBe(unit.runs)
})
