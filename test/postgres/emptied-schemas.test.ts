import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { describeEngine } from '../engines.ts'
import { clockedDatabase, inDatabase } from './clock.ts'
import { byHand } from './database.ts'
import { EmptiedSchemas } from './emptied-schemas.ts'

describeEngine('postgres', 'what tests use one after the other', (engine) => {
  let address: string
  let schemas: EmptiedSchemas
  beforeAll(async () => {
    const server = engine.newAddress()
    address = inDatabase(server, await clockedDatabase(server))
    schemas = await EmptiedSchemas.in(address)
  })
  afterAll(() => schemas.end())

  const notes = defineSchema(['notes', '*'], z.object({ text: z.string(), n: z.int() }), {
    name: 'notes',
    indexes: [{ on: 'text' }, { on: 'n', unique: true }],
    search: { on: ['text'] },
  })

  test('a schema is given again as a fresh one, whatever was declared and written there', async () => {
    const given = schemas.newAddress()
    const db = await Valkeyrie.withSchemas([notes]).open(given)
    await db.repositories.notes.insertMany([1, 2, 3].map((n) => [n, { text: `note ${n}`, n }]))
    await db.set(['a'], 1n, { expireIn: 60_000 })
    await db.close()
    await schemas.takeBack()
    expect(schemas.newAddress()).toBe(given)
    await using again = await Valkeyrie.open(given)
    const { kv, kvLog, kvCollections } = again.tables
    for (const table of [kv, kvLog, kvCollections])
      expect(await again.drizzle.select().from(table)).toEqual([])
    expect(await again.set(['a'], 1)).toMatchObject({ versionstamp: `${'0'.repeat(19)}1` })
  })

  test.each([
    'alter table S.kv add column more text',
    'alter table S.kv alter column value set not null',
    'alter table S.kv_log set (fillfactor = 50)',
    'alter table S.kv_log enable row level security',
    'alter table S.kv_collections add unique (pattern)',
    'alter table S.kv_meta alter column turns set default 1',
    'alter function S.kv_turns_1(text, text, boolean) cost 7 security definer',
    'create or replace function S.kv_turns_1(p_before text, p_after text, p_begins boolean) returns boolean language sql as $$ select true $$',
    'drop index S.kv_expires_at',
    'create view S.others as select 1',
    'create type S.mood as enum ()',
    'create sequence S.numbers',
    'grant select on S.kv to public',
    'comment on table S.kv is $$ours$$',
    'analyze S.kv',
  ])('one is not given again after: %s', async (statement) => {
    const given = schemas.newAddress()
    const db = await Valkeyrie.open(given)
    await db.close()
    const client = await byHand(address)
    await client.query(statement.replaceAll('S.', `${new URL(given).searchParams.get('schema')}.`))
    await client.end()
    await schemas.takeBack()
    expect(schemas.newAddress()).not.toBe(given)
    await schemas.takeBack()
  })

  test('nor is one that somebody still has open', async () => {
    const given = schemas.newAddress()
    const db = await Valkeyrie.open(given)
    await schemas.takeBack()
    expect(schemas.newAddress()).not.toBe(given)
    await db.close()
  })
})
