import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { readIndexText } from '../../../src/driver/sqlite/tables/index-text.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const schema = z.object({ n: z.bigint(), city: z.string() })
const open = (path: string) =>
  Valkeyrie.withSchema(['things', '*'], schema, {
    indexes: [{ on: 'n' }, { on: ['city', 'n'] }, { on: 'n', unique: true }],
  }).open(path)

/** The index as an earlier release has made it. */
const earlier = `CREATE INDEX "kv_things_n" ON "kv" (value ->> '$.n', "key") WHERE collection = 'things'`

const newPath = temporaryFolder()

it('an index on a bigint has its integer before its digits, and a unique one only its digits', async () => {
  const db = await open(':memory:')
  const texts = db.drizzle.$client
    .prepare("SELECT sql FROM sqlite_schema WHERE name LIKE 'kv_things%' ORDER BY name")
    .pluck()
    .all() as string[]
  expect(texts.map((text) => readIndexText(text))).toEqual([
    { collection: 'things', fields: ['city', 'n'], unique: false },
    { collection: 'things', fields: ['n'], unique: false },
    { collection: 'things', fields: ['n'], unique: true },
  ])
  expect(texts[1]).toContain(`CAST(value ->> '$.n' AS INTEGER), value ->> '$.n'`)
  expect(texts[2]).not.toContain('CAST')
  await db.close()
})

it('an index of an earlier release is rebuilt when the file is opened, and its rows are found', async () => {
  const path = newPath()
  const first = await open(path)
  await first.repositories.things.insertMany([9n, 10n, -9n, 2n ** 70n].map((n, i) => [i, { n, city: 'x' }]))
  await first.close()
  const connection = new Database(path)
  connection.exec('DROP INDEX kv_things_n')
  connection.exec(earlier)
  connection.close()

  const db = await open(path)
  const { things } = db.repositories
  const found = await things.findMany({ where: { n: { gt: -10n } }, orderBy: { n: 'desc' } })
  expect(found.map(({ value }) => value.n)).toEqual([2n ** 70n, 10n, 9n, -9n])
  expect((await things.explain({ where: { n: { gt: 9n } } }))[0]).toContain('kv_things_n (<expr>>?)')
  await db.close()
})

it('damaged bigints have the place in a live query that they have in SQL', async () => {
  await using db = await Valkeyrie.withSchema(['things', '*'], z.object({ n: z.bigint().nullish() })).open()
  const { things } = db.repositories
  const write = db.drizzle.$client.prepare(
    'UPDATE kv SET value = ?, encoding = 0, types = NULL WHERE key = ?',
  )
  const damaged = [
    '"abc"',
    '"7"',
    '"007"',
    '"7.5"',
    '"-7x"',
    '"-8"',
    '" 7"',
    '""',
    '"+7"',
    '7',
    '-2.5',
    '{"a":1}',
    '[]',
    'null',
    'true',
  ]
  const beyond = ['"99999999999999999999"', '"99999999999999999999x"', '"-99999999999999999999"']
  for (const [id, n] of [...damaged, ...beyond].entries()) {
    await things.set(id, { n: 1n })
    write.run(`{"n":${n}}`, Buffer.from(encodeKey(['things', id])))
  }
  const count = damaged.length + beyond.length
  const ids = (rows: readonly { readonly id: unknown }[]) => rows.map(({ id }) => id)
  let entered = 0
  for (const direction of ['asc', 'desc'] as const) {
    for (let limit = 1; limit <= count; limit++) {
      const query = { orderBy: { n: direction }, limit } as const
      const reader = things.watchMany(query).getReader()
      const before = ids((await reader.read()).value!)
      // JavaScript decides whether it comes before the last of these rows.
      await things.set('own', { n: 7n })
      const after = ids(await things.findMany(query))
      if (after.includes('own')) {
        entered += 1
        expect(ids((await reader.read()).value!)).toEqual(after)
      } else {
        expect(after).toEqual(before)
      }
      await things.delete('own')
      await reader.cancel()
    }
  }
  expect(entered).toBeGreaterThan(count / 2)
})
