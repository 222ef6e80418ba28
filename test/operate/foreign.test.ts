import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import Sqlite from 'better-sqlite3'
import { type Key, KvU64, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { inspectStore } from '../../src/api/open.ts'
import { importRows } from '../../src/transfer/import.ts'
import { openSource, type SourceOptions } from '../../src/transfer/open-source.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { expiresAt, keys, values } from './foreign/values.ts'

// Files that the packages themselves have written: see foreign/make.ts.

const path = temporaryFolder()
let files = 0

/** A new database with what a file holds, and the lines of what was refused. */
async function imported(
  file: string,
  options: SourceOptions = {},
  schemas: Pick<typeof Valkeyrie, 'open'> = Valkeyrie,
) {
  const target = path(`${files++}.db`)
  await (await schemas.open(target)).close()
  const { store } = await inspectStore(target, {})
  try {
    using source = await openSource(file, options, store.registry)
    const refused: { error: string; key?: unknown; unreadKey?: string; unread?: unknown }[] = []
    const onRefused = (line: string) => void refused.push(JSON.parse(line))
    await importRows(store, source.rows, { onConflict: 'fail', onRefused })
    return { db: await schemas.open(target), refused, kind: source.kind }
  } finally {
    await store.close()
  }
}

/** A copy of a file, beside which SQLite may write what it likes. */
function foreign(name: string): string {
  copyFileSync(join(import.meta.dirname, 'foreign', name), path(name))
  return path(name)
}

/** Without what every store refuses or loses: an error loses its stack. */
const shown = (value: unknown) =>
  value instanceof Error ? [value.name, value.message] : inspect(value, { depth: 9 })

it('takes the values of a file that a Deno of a newer V8 has written', async () => {
  const file = foreign('deno-kv.sqlite')
  const written = new Sqlite(file)
  // The next version of the format, which differs in nothing but its number.
  written.exec("UPDATE kv SET v = unhex('ff10' || substr(hex(v), 5)) WHERE v_encoding = 1")
  written.close()
  const { db } = await imported(file)
  await using _ = db
  for (const name of ['map', 'date', 'text'] as const)
    expect(shown((await db.get(['values', name])).value)).toEqual(shown(values[name]))
})

it('takes every value and every key of a file of Deno KV', async () => {
  const { db, refused, kind } = await imported(foreign('deno-kv.sqlite'))
  await using _ = db
  expect(kind).toBe('deno-kv')
  const { boxed: _boxed, sparse: _sparse, ...taken } = values
  for (const [name, value] of Object.entries({ ...taken, u64: new KvU64(2n ** 63n) })) {
    const found = await db.get(['values', name])
    expect(shown(found.value), name).toEqual(shown(value))
  }
  for (const key of keys.filter(([part]) => !Number.isNaN(part)))
    expect((await db.get(['keys', ...key] as Key)).value, inspect(key)).toBe(1)
  const expiring = await db.get(['expires'])
  expect(Math.abs(expiring.expiresAt! - expiresAt)).toBeLessThan(60_000)
  expect(refused.map(({ error, key, unreadKey }) => [error, key ?? unreadKey])).toMatchInlineSnapshot(`
    [
      [
        "its key cannot be used, Not an encoded key: a number is NaN",
        "0x026b6579730021fff8000000000000",
      ],
      [
        "value is a Number object: store the primitive, with .valueOf()",
        [
          "values",
          "boxed",
        ],
      ],
      [
        "value has a hole at [1]: store null there",
        [
          "values",
          "sparse",
        ],
      ],
    ]
  `)
})

it('takes every value of a file of valkeyrie 0.8, and every key that it distinguishes', async () => {
  const { db, refused, kind } = await imported(foreign('valkeyrie-0.8.sqlite'))
  await using _ = db
  expect(kind).toBe('valkeyrie-0.8')
  const { boxed: _boxed, sparse: _sparse, ...taken } = values
  for (const [name, value] of Object.entries({ ...taken, u64: new KvU64(2n ** 63n) })) {
    const found = await db.get(['values', name])
    expect(shown(found.value), name).toEqual(shown(value))
  }
  expect((await db.get(['keys', 'a', 'b', 1n, true])).value).toBe(1)
  expect((await db.get(['keys', new Uint8Array([7, 8])])).value).toBe(1)
  expect((await db.get(['keys', -1.5])).value).toBe(1)
  expect((await db.get(['keys', false])).value).toBe(1)
  expect(refused.map(({ error, key, unreadKey }) => [error, key ?? unreadKey])).toMatchInlineSnapshot(`
    [
      [
        "value is a Number object: store the primitive, with .valueOf()",
        [
          "values",
          "boxed",
        ],
      ],
      [
        "value has a hole at [1]: store null there",
        [
          "values",
          "sparse",
        ],
      ],
      [
        "its key cannot be used, 0.8 does not say what its parts are",
        "026b657973000100ff0100",
      ],
      [
        "its key cannot be used, 0.8 does not say what its parts are",
        "026b657973000261006200",
      ],
      [
        "Key part 1 is NaN, which has no place in the order of keys: use a number",
        [
          "keys",
          {
            "number": "NaN",
          },
        ],
      ],
    ]
  `)
})

it('takes every value of a file of keyv as keyv gives it', async () => {
  const { db, refused, kind } = await imported(foreign('keyv.sqlite'))
  await using _ = db
  expect(kind).toBe('keyv')
  expect((await db.get(['keyv', 'text'])).value).toBe('text')
  expect((await db.get(['keyv', 'colon'])).value).toBe(':text')
  expect((await db.get(['keyv', 'bytes'])).value).toEqual(new Uint8Array([0, 255]))
  expect((await db.get(['users', 'bob'])).value).toEqual({ name: 'Bob', photo: new Uint8Array([104, 105]) })
  expect(Math.abs((await db.get(['keyv', 'expires'])).expiresAt! - expiresAt)).toBeLessThan(60_000)
  expect(refused).toEqual([])
})

it.each([
  [
    'keyv',
    'CREATE TABLE keyv (key TEXT PRIMARY KEY, value TEXT)',
    'INSERT INTO keyv VALUES (?, ?)',
    (name: string, value: object) => [name, JSON.stringify({ value })],
  ],
  [
    'valkeyrie-0.8',
    'CREATE TABLE kv_store (key_hash TEXT, value BLOB, versionstamp TEXT, expires_at INTEGER)',
    "INSERT INTO kv_store VALUES (?, ?, '1', NULL)",
    (name: string, value: object) => [
      `02${Buffer.from(name).toString('hex')}00`,
      Buffer.from(JSON.stringify({ value, isU64: false })),
    ],
  ],
])(
  'keeps names with escapes in the values of %s, which JSON.parse may confuse',
  async (of, create, insert, rowOf) => {
    const file = path(`${of}-names.sqlite`)
    const other = new Sqlite(file)
    other.exec(create)
    const [first, second] = [
      { u: 1, '\\': { __proto__: null, a: 1 } },
      { u: 1, '\n': [{ a: 'x' }] },
    ]
    for (const row of [rowOf('a', first), rowOf('b', second), rowOf('c', JSON.parse('{"__proto__":1}'))])
      other.prepare(insert).run(...row)
    other.close()
    const { db, kind, refused } = await imported(file)
    await using _ = db
    expect([kind, refused]).toEqual([of, []])
    expect(JSON.stringify(await Array.fromAsync(db.list({ prefix: [] }), ({ value }) => value))).toBe(
      '[{"u":1,"\\\\":{"a":1}},{"u":1,"\\n":[{"a":"x"}]},{"__proto__":1}]',
    )
  },
)

it('takes the rows of any table, as the schema of their repository wants them', async () => {
  const file = path('shop.sqlite')
  const shop = new Sqlite(file)
  shop.exec(`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, admin INTEGER, born TEXT, big INTEGER, tags TEXT, photo BLOB, note TEXT);
    INSERT INTO users VALUES (1, 'Ada', 1, '1815-12-10', 9007199254740993, '["a"]', x'00ff', NULL), (2, 'Bob', 7, NULL, 1, '[]', NULL, 'x')`)
  shop.close()
  const user = z.object({
    name: z.string(),
    admin: z.boolean(),
    born: z.date().optional(),
    big: z.bigint(),
    tags: z.array(z.string()),
    photo: z.instanceof(Uint8Array).nullable(),
    note: z.string().nullable(),
  })
  const schemas = Valkeyrie.withSchema(['people', '*'], user)
  const options = { table: 'users', id: ['id'] }
  const { db, refused } = await imported(file, { ...options, repository: 'people' }, schemas)
  await using _ = db
  const ada = { name: 'Ada', admin: true, born: new Date('1815-12-10'), big: 9007199254740993n, tags: ['a'] }
  expect((await db.get(['people', 1])).value).toEqual({ ...ada, photo: new Uint8Array([0, 255]), note: null })
  expect(refused).toMatchObject([{ key: ['people', 2], error: expect.stringContaining('admin') }])

  const plain = await imported(file, options)
  await using __ = plain.db
  expect((await plain.db.get(['users', 2])).value).toEqual({
    name: 'Bob',
    admin: 7,
    born: null,
    big: 1,
    tags: '[]',
    photo: null,
    note: 'x',
  })
})

it('leaves nothing beside a file with a write-ahead log that nobody has open, and its log to one who has', async () => {
  const folder = path('logged')
  mkdirSync(folder)
  const file = join(folder, 'shop.sqlite')
  const shop = new Sqlite(file)
  shop.exec('PRAGMA journal_mode = WAL; CREATE TABLE users (id); INSERT INTO users VALUES (1)')
  const options = { table: 'users', id: ['id'] }
  const during = await imported(file, options)
  await using _ = during.db
  shop.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const after = await imported(file, options)
  await using __ = after.db
  expect(readdirSync(folder)).toEqual(['shop.sqlite', 'shop.sqlite-shm', 'shop.sqlite-wal'])
  shop.exec('INSERT INTO users VALUES (2)')
  shop.close()
  const { db } = await imported(file, options)
  await using ___ = db
  expect((await db.get(['users', 2])).value).toEqual({})
  expect(readdirSync(folder)).toEqual(['shop.sqlite'])
})

it('takes generated columns, and no hidden ones of a virtual table', async () => {
  const file = path('pages.sqlite')
  const written = new Sqlite(file)
  written.exec(`CREATE VIRTUAL TABLE pages USING fts5(url, title);
    INSERT INTO pages VALUES ('/a', 'First');
    CREATE TABLE sums (id, a, twice AS (a * 2), thrice AS (a * 3) STORED);
    INSERT INTO sums VALUES ('x', 2)`)
  written.close()
  const pages = await imported(file, { table: 'pages', id: ['url'] })
  await using _ = pages.db
  expect((await pages.db.get(['pages', '/a'])).value).toEqual({ title: 'First' })
  const sums = await imported(file, { table: 'sums', id: ['id'] })
  await using __ = sums.db
  expect((await sums.db.get(['sums', 'x'])).value).toEqual({ a: 2, twice: 4, thrice: 6 })
})

it.each(['UTF-8', 'UTF-16le', 'UTF-16be'])(
  'refuses texts of a %s file that are not Unicode',
  async (encoding) => {
    const file = path(`texts-${encoding}.sqlite`)
    const written = new Sqlite(file)
    const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
    const [broken, other] = encoding === 'UTF-8' ? ['80', '81'] : ['d8d8', 'd8d9']
    written.exec(`PRAGMA encoding = '${encoding}';
    CREATE TABLE notes (id, text, n);
    INSERT INTO notes VALUES (CAST(x'${broken}' AS TEXT), 'a', 1), (CAST(x'${other}' AS TEXT), 'b', 2),
      ('plain', 'c', 3), ('broken', CAST(x'${broken}' AS TEXT), 4), ('\ufffd', '\ufffeff \ufffd ü', 5), (x'${broken}', x'${other}', 6)`)
    written.close()
    const { db, refused } = await imported(file, { table: 'notes', id: ['id'] })
    await using _ = db
    expect(
      await Array.fromAsync(db.list({ prefix: ['notes'] }), ({ key, value }) => [key[1], value]),
    ).toEqual([
      [bytes(broken), { text: bytes(other), n: 6 }],
      ['plain', { text: 'c', n: 3 }],
      ['\ufffd', { text: '\ufffeff \ufffd ü', n: 5 }],
    ])
    expect(refused).toEqual([
      {
        unreadKey: `0x${broken}`,
        unread: "{ text: 'a', n: 1 }",
        error: `its key cannot be used, id is text that is not Unicode: 0x${broken}`,
      },
      {
        unreadKey: `0x${other}`,
        unread: "{ text: 'b', n: 2 }",
        error: `its key cannot be used, id is text that is not Unicode: 0x${other}`,
      },
      expect.objectContaining({
        key: ['notes', 'broken'],
        error: `text is text that is not Unicode: 0x${broken}`,
      }),
    ])
  },
)

it('refuses keys and values of other stores that are not Unicode', async () => {
  const file = foreign('keyv.sqlite')
  const keyv = new Sqlite(file)
  keyv.exec(`INSERT INTO keyv VALUES (CAST(x'80' AS TEXT), '{"value":1}'), ('text', CAST('{"value":"' || x'80' || '"}' AS TEXT))
    ON CONFLICT DO UPDATE SET value = excluded.value`)
  keyv.close()
  const { db, refused } = await imported(file)
  await using _ = db
  expect(refused).toMatchObject([
    { unreadKey: '0x80', unread: '1', error: expect.stringContaining('not Unicode: 0x80') },
    { key: ['text'], error: expect.stringContaining('it is text that is not Unicode: 0x7b22') },
  ])

  const older = foreign('valkeyrie-0.8.sqlite')
  const kv = new Sqlite(older)
  kv.exec(`DELETE FROM kv_store;
    INSERT INTO kv_store (key_hash, value, versionstamp) VALUES ('028000', '{"value":1,"isU64":false}', '1'),
      ('026100', CAST('{"value":"' || x'80' || '","isU64":false}' AS BLOB), '1')`)
  kv.close()
  const from08 = await imported(older)
  await using __ = from08.db
  expect(from08.refused).toMatchObject([
    { unreadKey: '028000', error: expect.stringContaining('not Unicode: 0x80') },
    { key: ['a'], error: expect.stringContaining('it is text that is not Unicode: 0x7b22') },
  ])
})

it.each([
  ['a table that is not there', { table: 'nope', id: ['id'] }, 'no table nope: there are users'],
  ['a column that is not there', { table: 'users', id: ['nope'] }, 'no column nope'],
  ['no table', {}, '--table'],
  ['no id', { table: 'users' }, '--id'],
  ['another kind', { from: 'deno-kv' as const }, 'no table as deno-kv'],
  ['a kind of text', { from: 'csv' as const }, 'is an SQLite file'],
  ['a repository that is not there', { table: 'users', id: ['id'], repository: 'x' }, "no repository 'x'"],
])('says what is wrong with %s', async (_, options, message) => {
  const file = path('users.sqlite')
  const connection = new Sqlite(file)
  connection.exec('CREATE TABLE IF NOT EXISTS users (id)')
  connection.close()
  await expect(imported(file, options)).rejects.toThrow(message)
})
