import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { MigrationError, StorageError, UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const newSchema = () => `indexes_${randomUUID().replaceAll('-', '')}`

/** Runs a statement beside the database. */
async function query(text: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

const schema = z.object({
  name: z.string(),
  nick: z.string().optional(),
  age: z.number(),
  score: z.number().nullable(),
  big: z.bigint(),
  ok: z.boolean(),
  either: z.union([z.string(), z.number()]),
})
const indexes = [
  { on: 'name' },
  { on: 'nick' },
  { on: 'age' },
  { on: 'score' },
  { on: 'big' },
  { on: 'either' },
  { on: ['ok', 'age'] },
] as const

const open = (options: object = {}) =>
  Valkeyrie.withSchema(['things', '*'], schema, { name: 'things', indexes }).open(url, {
    schema: newSchema(),
    destroyOnClose: true,
    ...options,
  })

describe.runIf(url !== '')('a page', () => {
  let db: Awaited<ReturnType<typeof open>>

  beforeAll(async () => {
    const schema = newSchema()
    db = await open({ schema })
    const rows = Array.from({ length: 10_000 }, (_, i) => {
      const value = {
        name: `n${i % 100}`,
        age: i % 50,
        score: i % 3 === 0 ? null : i % 70,
        big: BigInt(i % 40),
        ok: i % 2 === 0,
        either: i % 5 === 0 ? `e${i % 20}` : i % 20,
        ...(i % 4 > 0 && { nick: `k${i % 30}` }),
      }
      return [i, value] as const
    })
    await db.repositories.things.insertMany(rows)
    await query(`analyze ${schema}.kv`)
  })
  afterAll(() => db.close())

  const queries = [
    { orderBy: { name: 'asc' } },
    { orderBy: { name: 'desc' } },
    { orderBy: { age: 'asc' } },
    { orderBy: { age: 'desc' } },
    { orderBy: { big: 'asc' } },
    { orderBy: { big: 'desc' } },
    { orderBy: { either: 'asc' } },
    { orderBy: { either: 'desc' } },
    { orderBy: { nick: 'asc' } },
    { orderBy: { nick: 'desc' } },
    { orderBy: { score: 'asc' } },
    { orderBy: { score: 'desc' } },
    { where: { ok: true }, orderBy: { age: 'asc' } },
    { where: { ok: true }, orderBy: { age: 'desc' } },
  ] as const

  it.each(queries.map((query) => [JSON.stringify(query), query] as const))(
    'of %s goes on where the one before has ended, by the index',
    async (_, query) => {
      const { things } = db.repositories
      const seen = new Set<unknown>()
      let after: string | null = null
      let pages = 0
      do {
        const asked = { ...query, ...(after && { after }) }
        const step = (await things.explain({ ...asked, limit: 20 } as never)).join('\n')
        expect(step).toMatch(/Index Scan (Backward )?(using|on) kv_things_/)
        // What there is behind a cursor is bound by the index, and comes out of it in order.
        if (after !== null) expect(step).toMatch(/Index Cond: .*(ROW\(|IS NULL|= true)/)
        // The few rows that are left without a field may be sorted by their keys.
        if (!step.includes('IS NULL')) expect(step).not.toContain('Sort')
        const page = (await things.findPage({ ...asked, limit: 1_000 } as never)) as unknown as {
          readonly entries: readonly { readonly id: unknown }[]
          readonly cursor: string | null
        }
        for (const { id } of page.entries) seen.add(id)
        after = page.cursor
        pages++
      } while (after !== null)
      expect(pages).toBeGreaterThan(4)
      expect(seen.size).toBe(await things.count('where' in query ? { where: query.where as never } : {}))
    },
  )
})

const rowsOf = (n: number) => Array.from({ length: n }, (_, i) => i)

describe.runIf(url !== '')('the indexes of a database', () => {
  const odd = [
    'é😀',
    'value',
    'a b',
    'Ab',
    '->>',
    '-',
    '1',
    'null',
    '::text',
    'é'.repeat(40),
    'x'.repeat(100),
  ]

  it('are those that are declared, as the server tells them, whatever the names of fields are', async () => {
    const schema = newSchema()
    const indexesOf = `select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = '${schema}' and c.relname like 'kv\\_things%' order by c.oid`
    const fields = Object.fromEntries(
      odd.flatMap((name, i) => [
        [name, i % 3 === 0 ? z.number() : i % 3 === 1 ? z.string() : z.bigint()],
        [`in ${name}`, z.object({ [name]: z.boolean().optional() })],
      ]),
    )
    const definition = () =>
      Valkeyrie.withSchema(["o'things", '*'], z.object(fields), {
        name: 'things',
        indexes: [
          ...odd.map((on) => ({ on })),
          ...odd.map((name) => ({ on: `in ${name}.${name}` })),
          { on: odd.slice(0, 3), unique: true },
        ] as never,
      })
    const first = await definition().open(url, { schema })
    await first.close()
    const before = await query(indexesOf)
    expect(before.length).toBe(2 * odd.length + 1)
    // An index that is mistaken for another would be rebuilt.
    const second = await definition().open(url, { schema, destroyOnClose: true })
    const after = await query(indexesOf)
    await second.close()
    expect(after).toEqual(before)
  })

  it('serve a program that does not know its fields, and are rebuilt for one that knows other types', async () => {
    const schema = newSchema()
    const indexes = [{ on: 'n' }] as const
    const of = (value: z.ZodType) =>
      Valkeyrie.withSchema(['things', '*'], value, { name: 'things', indexes: indexes as never })
    const oid = async () =>
      (
        await query(`select c.oid from pg_class c join pg_namespace n on n.oid = relnamespace
        where nspname = '${schema}' and relname = 'kv_things_n'`)
      )[0]![0]
    const texts = await of(z.object({ n: z.string() })).open(url, { schema })
    await texts.close()
    const ofTexts = await oid()
    const anything = await of(z.object({ n: z.any() })).open(url, { schema })
    await anything.close()
    expect(await oid()).toBe(ofTexts)
    const numbers = await of(z.object({ n: z.number() })).open(url, { schema, destroyOnClose: true })
    expect(await oid()).not.toBe(ofTexts)
    await numbers.close()
  })

  it('accept whatever a row has in their fields', async () => {
    const schema = newSchema()
    const loose = await Valkeyrie.withSchema(['things', '*'], z.any(), { name: 'things' }).open(url, {
      schema,
    })
    const values = [
      'x',
      '12',
      'NaN',
      '-',
      5,
      -0,
      1e300,
      true,
      null,
      [1],
      { a: 1 },
      7n,
      new Date(0),
      Number.NaN,
    ]
    for (const [i, one] of values.entries())
      await loose.set(['things', i], {
        name: one,
        nick: one,
        age: one,
        score: one,
        big: one,
        ok: one,
        either: one,
      })
    await loose.set(['things', 'text'], 'no object')
    await loose.set(['things', 'bytes'], new Uint8Array([1]))
    await loose.close()
    const db = await open({ schema })
    const ids = (orderBy: string) =>
      db.repositories.things.findMany({ orderBy: { [orderBy]: 'asc' } as never, columns: {} as never })
    for (const { on } of indexes) expect(await ids(String([on].flat()[0]))).toHaveLength(values.length + 2)
    await db.close()
  })

  it('refuse a row that is too large for one of them, and say so', async () => {
    const db = await open()
    const value = { name: '', age: 1, score: 1, big: 1n, ok: true, either: 1 }
    const long = rowsOf(400)
      .map(() => randomUUID())
      .join()
    const set = db.repositories.things.set(1, { ...value, name: long })
    await expect(set).rejects.toBeInstanceOf(StorageError)
    await expect(set).rejects.toThrow(/2,700 bytes/)
    await db.repositories.things.set(2, value)
    expect(await db.repositories.things.count()).toBe(1)
    await db.close()
  })
})

it.runIf(url !== '')(
  'a pattern may ask for characters that the server does not have, however long it is',
  async () => {
    const db = await open()
    const { things } = db.repositories
    const value = { nick: 'x', age: 1, score: 1, big: 1n, ok: true, either: 1 }
    for (const [id, name] of [
      'a\u0001b',
      'a\u0001\u0002b',
      'aab',
      '\ud7ff',
      '\u{10ffff}\ud7ff',
      '\ud800',
    ].entries())
      await things.set(id, { ...value, name })
    const found = async (like: string) =>
      (await things.findMany({ where: { name: { like } }, orderBy: { $id: 'asc' } })).map(({ id }) => id)
    expect(await found('a_b')).toEqual([0, 2])
    expect(await found('a\u0001_b')).toEqual([1])
    expect(await found('a\u0001%b')).toEqual([0, 1])
    expect(await found('_')).toEqual([3, 5])
    expect(await found('_\ud7ff')).toEqual([4])
    expect(await found(`${'%'.repeat(5_000)}b`)).toEqual([0, 1, 2])
    expect(await found(`\u0001${'_'.repeat(9_000)}%`)).toEqual([])
    await db.close()
  },
)

describe.runIf(url !== '')('a unique index', () => {
  const unique = (options: object = {}) =>
    Valkeyrie.withSchema(
      ['people', '*'],
      z.object({ email: z.string().optional(), n: z.number().optional(), any: z.any().optional() }),
      {
        name: 'people',
        indexes: [
          { on: 'email', unique: true },
          { on: 'n', unique: true },
          { on: 'any', unique: true },
        ],
      },
    ).open(url, { schema: newSchema(), destroyOnClose: true, ...options })

  it('refuses the later of two rows of one batch, and either of two of one write', async () => {
    const db = await unique()
    const { people } = db.repositories
    const sets = [people.set('a', { email: 'x' }), people.set('b', { email: 'x' }), people.set('c', { n: 1 })]
    const [a, b, c] = await Promise.allSettled(sets)
    expect([a!.status, b!.status, c!.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((b as PromiseRejectedResult).reason).toMatchObject({
      name: 'UniqueConstraintError',
      key: ['people', 'a'],
    })
    const both = db.atomic().set(['people', 'd'], { n: 2 }).set(['people', 'e'], { n: 2 }).commit()
    await expect(both).rejects.toBeInstanceOf(UniqueConstraintError)
    expect(await people.count()).toBe(2)
    await db.close()
  })

  it('treats a number as one value, however it is written, and ignores missing values', async () => {
    const db = await unique()
    const { people } = db.repositories
    for (const [id, any] of [1, '1', 'NaN', Number.NaN, null, undefined, null, '', 0].entries())
      if (any === 'NaN') continue
      else await people.set(String(id), { any })
    await expect(people.set('again', { any: 1 })).rejects.toBeInstanceOf(UniqueConstraintError)
    await expect(people.set('zero', { any: -0 })).rejects.toBeInstanceOf(UniqueConstraintError)
    await expect(people.set('text', { any: '1' })).rejects.toBeInstanceOf(UniqueConstraintError)
    await db.close()
  })

  it('ignores rows that have expired by the clock of the server', async () => {
    const schema = newSchema()
    const db = await unique({ schema })
    const { people } = db.repositories
    await people.set('a', { email: 'x' }, { expireIn: 60_000 })
    await people.set('b', { email: 'y' }, { expireIn: 60_000 })
    await expect(people.set('c', { email: 'x' })).rejects.toBeInstanceOf(UniqueConstraintError)
    await query(`update ${schema}.kv set expires_at = 1 where expires_at is not null`)
    await people.set('c', { email: 'x' })
    expect(await people.findMany({ where: { email: { in: ['x', 'y'] } } })).toMatchObject([{ id: 'c' }])
    expect(await people.count({ where: { email: { isNotNull: true } } })).toBe(1)
    await db.close()
  })

  it('takes the value of an expired row, but not the row, if that gets another value meanwhile', async () => {
    const schema = newSchema()
    const [one, two] = [await unique({ schema }), await unique({ schema, destroyOnClose: false })]
    const [people, others] = [one.repositories.people, two.repositories.people]
    const kinds: unknown[] = []
    for (let round = 0; round < 40; round++) {
      await others.delete('b')
      await people.set('a', { email: `shared ${round}` }, { expireIn: 60_000 })
      await query(`update ${schema}.kv set expires_at = 1 where expires_at is not null`)
      const taken = others.set('b', { email: `shared ${round}` })
      // The set of `b` takes some requests; this comes between any two of them.
      for (let pause = 0; pause < round % 8; pause++) await one.get(['nothing'])
      await Promise.all([taken, people.set('a', { email: `own ${round}` })])
      expect((await people.get('a')).value, `round ${round}`).toEqual({ email: `own ${round}` })
    }
    for await (const { type, id } of people.changes({ since: '0'.repeat(20) })) {
      if (id !== 'a') continue
      kinds.push(type)
      if (kinds.filter((kind) => kind === 'set').length === 80) break
    }
    const twice = kinds.some((kind, at) => kind === 'expire' && kinds[at - 1] === 'expire')
    expect(twice).toBe(false)
    await two.close()
    await one.close()
  })

  it('cannot be built if rows have the same values, and says which', async () => {
    const schema = newSchema()
    const loose = await Valkeyrie.withSchema(['people', '*'], z.any(), { name: 'people' }).open(url, {
      schema,
    })
    for (const id of ['a', 'b', 'c']) await loose.set(['people', id], { email: 'x' })
    await loose.close()
    const opening = unique({ schema })
    await expect(opening).rejects.toBeInstanceOf(MigrationError)
    await expect(opening).rejects.toThrow('["people","a"] and ["people","b"] and ["people","c"]')
    await query(`drop schema ${schema} cascade`)
  })
})

it.runIf(url !== '')('a load that goes on passes over a text that is too long for an index', async () => {
  const bad: unknown[] = []
  const row = (name: string) => ({ name, age: 1, score: null, big: 1n, ok: true, either: 'x' })
  // Random, because the server compresses what repeats.
  const long = Array.from({ length: 4_000 }, () => randomUUID()).join('')
  await using db = await Valkeyrie.withSchema(['things', '*'], schema, { name: 'things', indexes }).from(
    [row('a'), row(long), row('b')],
    {
      path: url,
      schema: newSchema(),
      destroyOnClose: true,
      prefix: ['things'],
      keyProperty: (item) => item.name.slice(0, 10),
      onError: 'continue',
      onErrorCallback: (error) => bad.push(error),
    },
  )
  expect(bad).toEqual([expect.any(StorageError)])
  expect(await db.repositories.things.count()).toBe(2)
})
