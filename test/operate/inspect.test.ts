import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { DatabaseOpenError, KvU64, MigrationError, ValidationError, Valkeyrie } from 'valkeyrie'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()

const author = z.object({ name: z.string().min(2), born: z.date(), email: z.email().optional() })
const book = z.object({
  title: z.string(),
  author: z.string(),
  copies: z.bigint(),
  price: z.number().nullable(),
  tags: z.array(z.string()),
  notes: z.map(z.string(), z.date()).optional(),
})
const schemas = Valkeyrie.withSchema(['authors', '*'], author, {
  indexes: [{ on: 'name' }, { on: 'email', unique: true }],
})
  .withSchema(['books', '*'], book, { indexes: [{ on: 'copies' }] })
  .withSchema(['site'], z.object({ title: z.string() }))
  .withSchema(['visits', '*'], z.instanceof(KvU64))

const ada = { name: 'Ada', born: new Date('1815-12-10'), email: 'ada@example.com' }
const notes = { title: 'Notes', author: 'ada', copies: 12n, price: null, tags: ['a'], notes: new Map() }

let files = 0
async function file() {
  const name = path(`${files++}.db`)
  await using db = await schemas.open(name)
  await db.repositories.authors.insert('ada', ada)
  await db.repositories.books.insert('notes', notes)
  await db.set(['plain'], 'text')
  return name
}

const catalogOf = (name: string) => {
  const connection = new Sqlite(name, { readonly: true })
  try {
    return [
      connection.prepare('SELECT * FROM kv_collections').all(),
      connection.prepare('SELECT name, sql FROM sqlite_schema').all(),
    ]
  } finally {
    connection.close()
  }
}

describe('a file that is inspected', () => {
  it('has a repository for each schema that programs have declared', async () => {
    await using db = await Valkeyrie.inspect(await file())
    expect(Object.keys(db.repositories)).toEqual(['authors', 'books', 'site', 'visits'])
    const { authors, books } = db.repositories
    expect((await authors!.get('ada')).value).toEqual(ada)
    const [found] = await books!.findMany({ where: { copies: { gt: 5n } }, orderBy: { title: 'asc' } })
    expect(found?.value).toEqual(notes)
    expect(await db.repository(['authors', '*']).count({ where: { born: { lt: new Date() } } })).toBe(1)
    expect((await db.get(['plain'])).value).toBe('text')
  })

  it('knows indexes, also those that hold bigints in their order, and uses them', async () => {
    await using db = await Valkeyrie.inspect(await file(), { onUnindexed: 'error' })
    const { authors, books } = db.repositories
    expect(await books!.count({ where: { copies: { gte: 12n } } })).toBe(1)
    expect(await authors!.count({ where: { name: 'Ada' } })).toBe(1)
    await expect(authors!.insert('other', ada)).rejects.toMatchObject({ fields: ['email'] })
  })

  it('knows references', async () => {
    const name = path('references.db')
    const users = z.object({ name: z.string() })
    {
      const { defineSchema } = await import('valkeyrie/schema')
      const people = defineSchema(['people', '*'], users)
      const posts = defineSchema(['posts', '*'], z.object({ by: z.string() }), { references: { by: people } })
      await using db = await Valkeyrie.withSchemas([people, posts]).open(name)
      await db.repositories.people.set('bob', { name: 'Bob' })
      await db.repositories.posts.set('hello', { by: 'bob' })
    }
    await using db = await Valkeyrie.inspect(name)
    const [found] = await db.repositories['posts']!.findMany({ with: { by: true } as never })
    expect(found).toMatchObject({ value: { by: 'bob' }, by: { value: { name: 'Bob' } } })
  })

  it('takes values of every type that the schema takes, and gives them back', async () => {
    await using db = await Valkeyrie.inspect(await file())
    const more = { ...notes, copies: -(2n ** 70n), price: 1.5, notes: new Map([['x', new Date(0)]]) }
    await db.repositories['books']!.set('more', more)
    await db.set(['visits', 'home'], new KvU64(7n))
    await db.set(['elsewhere'], new Set([1]))
    expect((await db.get(['books', 'more'])).value).toEqual(more)
    expect((await db.get(['visits', 'home'])).value).toEqual(new KvU64(7n))
  })

  it.each([
    ['a line break after a backslash', ['\\', '\n']],
    ['quotes, backslashes and their escapes', ['a"', 'a\\', 'a\\"', 'a\n', 'a\\n']],
    ['half of a surrogate pair', ['a', 'a\ud83d']],
  ])('takes the names of its fields as they are: %s', async (_, names) => {
    const name = path(`${files++}.db`)
    const withName = (it: string) => z.object({ first: z.string(), [it]: z.string() })
    const shape = Object.fromEntries(names.map((it, i) => [`of${i}`, withName(it)]))
    const value = Object.fromEntries(names.map((it, i) => [`of${i}`, { first: 'x', [it]: 'y' }]))
    await (await Valkeyrie.withSchema(['odd', '*'], z.object(shape)).open(name)).close()
    await using db = await Valkeyrie.inspect(name)
    const odd = db.repositories['odd']!
    await odd.set('there', value)
    expect((await odd.get('there')).value).toEqual(value)
    for (const [i, of] of names.entries()) {
      await expect(odd.set('here', { ...value, [`of${i}`]: { first: 'x' } })).rejects.toThrow(ValidationError)
      const wrong = { first: 'x', [of]: 1 }
      await expect(odd.set('here', { ...value, [`of${i}`]: wrong })).rejects.toThrow(ValidationError)
    }
  })

  it('takes a row back that its schema has stored, and knows more of it after the next open by its program', async () => {
    const name = path('stored.db')
    const row = z.object({
      slug: z.string().regex(/^[a-z-]+$/i),
      page: z.url(),
      any: z.any(),
      pair: z.tuple([z.string(), z.int().optional()]),
      most: z.union([z.int(), z.literal(Number.POSITIVE_INFINITY)]),
    })
    const value = {
      slug: 'ABC',
      page: 'http://münchen.de/straße',
      any: undefined,
      pair: ['a', undefined] as [string, undefined],
      most: Number.POSITIVE_INFINITY,
    }
    const rows = Valkeyrie.withSchema(['rows', '*'], row)
    const stored = async () => {
      await using db = await rows.open(name)
      await db.repositories.rows.set('a', value)
    }
    const copied = async () => {
      await using db = await Valkeyrie.inspect(name)
      const entry = await db.repositories['rows']!.get('a')
      await db.repositories['rows']!.set('copy', entry.value)
      await db.repositories['rows']!.update('copy', {} as never)
      return (await db.get(['rows', 'copy'])).value
    }
    await stored()
    expect(await copied()).toStrictEqual(value)
    const earlier = new Sqlite(name)
    earlier.exec(`UPDATE kv_collections SET schema = replace(schema, ',"flags":"i"', '')`)
    earlier.close()
    await expect(copied()).rejects.toThrow('slug: must match the pattern ^[a-z-]+$')
    await stored()
    expect(await copied()).toStrictEqual(value)
  })

  it('finds rows by a schema whose references another program has damaged', async () => {
    const name = path()
    const row = z.object({ name: z.string() })
    {
      await using db = await Valkeyrie.withSchema(['rows', '*'], row).open(name)
      await db.repositories.rows.set('a', { name: 'A' })
    }
    const other = new Sqlite(name)
    other.exec(`UPDATE kv_collections SET schema = '{"type":"object","properties":{"name":{"$ref":"#/%"}}}'`)
    other.close()
    await using db = await Valkeyrie.inspect(name)
    const found = await db.repositories['rows']!.findMany({ where: { name: 'A' } })
    expect(found.map(({ id }) => id)).toEqual(['a'])
  })

  it.each([
    ['a text for a Date', { ...ada, born: '1815-12-10T00:00:00.000Z' }, ['born']],
    ['an invalid Date', { ...ada, born: new Date(Number.NaN) }, ['born']],
    ['a text that is too short', { ...ada, name: 'A' }, ['name']],
    ['what is no email', { ...ada, email: 'ada' }, ['email']],
    ['a field that is not declared', { ...ada, age: 7 }, ['age']],
    ['a Map', new Map(), []],
    ['null', null, []],
    [
      'an object that contains itself',
      Object.assign(
        { ...ada },
        {
          get self() {
            return this
          },
        },
      ),
      ['self'],
    ],
  ])('refuses %s', async (_, value, at) => {
    const name = await file()
    await using db = await Valkeyrie.inspect(name)
    const refused = await db.set(['authors', 'x'], value).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ValidationError)
    expect((refused as ValidationError).issues.map((issue) => issue.path)).toContainEqual(at)
  })

  it.each([
    ['a number for a bigint', { ...notes, copies: 12 }, 'copies'],
    ['NaN', { ...notes, price: Number.NaN }, 'price'],
    ['a Set for an array', { ...notes, tags: new Set(['a']) }, 'tags'],
    ['undefined where null is asked for', { ...notes, price: undefined }, 'price'],
  ])('refuses %s in a patch and in a changed value', async (_, value, field) => {
    await using db = await Valkeyrie.inspect(await file())
    const books = db.repositories['books']!
    await expect(books.set('notes', value)).rejects.toThrow(ValidationError)
    await expect(books.update('notes', () => value)).rejects.toThrow(ValidationError)
    const patched = books.update('notes', { [field]: value[field as keyof typeof value] } as never)
    // A field that is undefined in a patch stays as it is.
    if (value[field as keyof typeof value] === undefined) await patched
    else await expect(patched).rejects.toThrow(ValidationError)
    expect((await books.get('notes')).value).toEqual(notes)
  })

  it('checks what is read with validateReads', async () => {
    const name = await file()
    const connection = new Sqlite(name)
    connection.prepare("UPDATE kv SET value = replace(value, 'Ada', 'A') WHERE collection = 'authors'").run()
    connection.close()
    await using db = await Valkeyrie.inspect(name, { validateReads: true })
    await expect(db.get(['authors', 'ada'])).rejects.toThrow(ValidationError)
  })

  it('stays as it was declared, also where an index has been dropped', async () => {
    const name = await file()
    const connection = new Sqlite(name)
    connection.exec('DROP INDEX kv_authors_name')
    connection.close()
    const before = catalogOf(name)
    await using db = await Valkeyrie.inspect(name)
    expect(await db.repositories['authors']!.count({ where: { name: 'Ada' } })).toBe(1)
    await db.set(['authors', 'bob'], { ...ada, email: undefined })
    await db.close()
    expect(catalogOf(name)).toEqual(before)
  })

  it('keeps its log as long as its programs ask for', async () => {
    const name = path('log.db')
    await using db = await Valkeyrie.open(name)
    for (let i = 0; i < 1_000; i++) await db.set(['n'], i)
    await db.close()
    await using known = await Valkeyrie.inspect(name)
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => known.set(['n'], i)))
    expect(known.drizzle.$client.prepare('SELECT count(*) FROM kv_log').pluck().get()).toBe(2_000)
  })

  it('is not written with readOnly', async () => {
    await using db = await Valkeyrie.inspect(await file(), { readOnly: true })
    expect((await db.repositories['authors']!.get('ada')).value).toEqual(ada)
    await expect(db.set(['authors', 'ada'], ada)).rejects.toMatchObject({ code: 'STORAGE' })
  })

  it('follows a program that declares more while it is inspected', async () => {
    const name = await file()
    await using known = await Valkeyrie.inspect(name)
    await using db = await Valkeyrie.withSchema(['authors', 'root'], author, { name: 'root' }).open(name)
    await expect(known.set(['authors', 'root'], ada)).rejects.toThrow(MigrationError)
    await db.repositories.root.set({ ...ada, email: undefined })
    expect((await known.get(['authors', 'root'])).value).toMatchObject({ name: 'Ada' })
  })

  it('takes every value if the library of the schema gives no JSON Schema', async () => {
    const name = path('unknown.db')
    const anything = {
      '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) },
    } as const
    await (await Valkeyrie.withSchema(['things', '*'], anything).open(name)).close()
    await using db = await Valkeyrie.inspect(name)
    await db.repositories['things']!.set('a', { any: [1n] })
    expect(await db.repositories['things']!.findMany()).toMatchObject([{ value: { any: [1n] } }])
  })
})

describe('what is not a database of this package', () => {
  it.each([
    ['a file that is not there', () => path('nowhere.db')],
    ['a folder', () => path('.')],
    ['a text', () => write('text.db', 'not a database, but long enough to look at it as one')],
    ['an empty file', () => write('empty.db', '')],
    [
      "another application's database",
      () => {
        const connection = new Sqlite(path('other.db'))
        connection.exec('CREATE TABLE users (id)')
        connection.close()
        return path('other.db')
      },
    ],
  ])('is refused: %s', async (_, make) => {
    const name = make()
    const there = existsSync(name)
    for (const readOnly of [true, false]) {
      const opened = Valkeyrie.inspect(name, { readOnly })
      await expect(opened).rejects.toThrow(DatabaseOpenError)
    }
    expect(existsSync(name)).toBe(there)
  })

  it('is a TypeError if it is not a path, or an option is unknown', async () => {
    await expect(Valkeyrie.inspect(':memory:')).rejects.toThrow(TypeError)
    await expect(Valkeyrie.inspect(undefined as never)).rejects.toThrow(TypeError)
    const name = await file()
    await expect(Valkeyrie.inspect(name, { readonly: true } as never)).rejects.toThrow("'readOnly'")
    await expect(Valkeyrie.inspect(name, { migrations: './x' } as never)).rejects.toThrow(TypeError)
  })
})

function write(name: string, text: string): string {
  writeFileSync(path(name), text)
  return path(name)
}

it('validates where code generation from text is forbidden', () => {
  const program = `
    import { knownSchema } from '${new URL('../../src/schema/known-schema.ts', import.meta.url)}'
    const { validate } = knownSchema({ type: 'string', minLength: 2 })['~standard']
    console.log(JSON.stringify([validate('ab'), validate('a').issues.length]))`
  const args = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program]
  expect(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))).toEqual([{ value: 'ab' }, 1])
})
