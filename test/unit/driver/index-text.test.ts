import { getTableConfig } from 'drizzle-orm/sqlite-core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDeclaredIndexes, createIndexes } from '../../../src/driver/sqlite/tables/ddl.ts'
import { readIndexText } from '../../../src/driver/sqlite/tables/index-text.ts'
import { ownColumns } from '../../../src/driver/sqlite/tables/own-tables.ts'
import { kvTables } from '../../../src/driver/sqlite/tables/table.ts'

const name = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .filter((text) => !/["'`\\,[\](){}.\p{Cc}\p{Cs}\u2028\u2029]/u.test(text))
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('.'))
const declaration = fc.record({
  collection: fc.oneof(name, fc.constantFrom("it's", 'a"b', 'a`b', 'CREATE', ' ')),
  fields: fc.uniqueArray(path, { minLength: 1, maxLength: 3 }),
  unique: fc.boolean(),
})

test('reading the text of an index gives its declaration, also as drizzle-kit writes it', () => {
  fc.assert(
    fc.property(declaration, ({ collection, fields, unique }) => {
      const { kv } = kvTables([{ name: collection, indexes: [{ fields, unique }] }])
      const text = [...createIndexes(kv)].find(
        ([index]) => !['kv_collection', 'kv_expires_at'].includes(index),
      )![1]
      expect(readIndexText(text)).toEqual({ collection, fields, unique })
      if (/[`"]/.test(collection) || fields.some((field) => /[^a-z.]/i.test(field))) return
      const kit = `${text.replaceAll('"', '`').replaceAll(', ', ',')};`
      expect(readIndexText(kit)).toEqual({ collection, fields, unique })
    }),
  )
})

test('the indexes are written without their Drizzle tables as with them', () => {
  const collections = fc.uniqueArray(
    fc.record({
      name: fc.oneof(name, fc.constantFrom("it's", 'a"b', 'a`b')),
      indexes: fc.array(
        fc
          .record({
            fields: fc.uniqueArray(path, { minLength: 1, maxLength: 3 }),
            unique: fc.boolean(),
            bigint: fc.nat(2),
          })
          .map(({ fields, unique, bigint }) => ({ fields, unique, bigints: fields.slice(bigint) })),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3, selector: (collection) => collection.name },
  )
  fc.assert(
    fc.property(collections, (declared) => {
      expect([...createDeclaredIndexes(declared)]).toEqual([...createIndexes(kvTables(declared).kv)])
    }),
  )
})

test('the columns that an open looks for are those of the tables', () => {
  const tables = Object.values(kvTables()).map((table) => getTableConfig(table))
  expect(Object.entries(ownColumns)).toEqual(
    tables.map(({ name: table, columns }) => [table, columns.map((column) => column.name)]),
  )
})

test.each([
  'CREATE INDEX "kv_collection" ON "kv" ("collection", "key") WHERE collection IS NOT NULL',
  `CREATE INDEX a ON "kv" (value ->> '$.b') WHERE collection = 'c'`,
  `CREATE INDEX "a" ON "other" (value ->> '$.b') WHERE collection = 'c'`,
  `CREATE INDEX "a" ON "kv" (value -> '$.b') WHERE collection = 'c'`,
  `CREATE INDEX "a" ON "kv" (value ->> '$.b') WHERE collection = 'c' AND 1`,
  `CREATE INDEX "a" ON "kv" (value ->> '$.b') WHERE collection = 'c`,
  `CREATE INDEX "a" ON "kv" (value ->> 'b') WHERE collection = 'c'`,
  `CREATE INDEX "a" ON "kv" (value ->> '$."b') WHERE collection = 'c'`,
  `CREATE INDEX "a" ON "kv" (value ->> '$.b' DESC) WHERE collection = 'c'`,
  `CREATE INDEX "a" ON "kv" (value ->> '$.b')`,
  `CREATE INDEX "a" ON "kv" ("key") WHERE collection = 'c'`,
  'CREATE',
  '',
])('no schema declares %s', (text) => {
  expect(readIndexText(text)).toBeNull()
})
