import { Valkeyrie } from 'valkeyrie'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

const user = z.object({
  name: z.string(),
  email: z.email(),
  phone: z.string().nullable(),
  age: z.int(),
  address: z.object({ city: z.string() }),
  balance: z.bigint().default(0n),
  level: z.int().default(0),
})

const open = (options = {}) =>
  Valkeyrie.withSchema(['users', '*'], user, {
    indexes: [
      { on: 'email', unique: true },
      { on: 'phone', unique: true },
      { on: 'age' },
      { on: ['address.city', 'age'] },
      { on: 'balance' },
      { on: ['level', 'age'] },
    ],
  })
    .withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string() }), { name: 'posts' })
    .open(undefined, options)

describe('the plan of a query', () => {
  let db: Awaited<ReturnType<typeof open>>
  beforeAll(async () => {
    db = await open()
  })
  afterAll(() => db.close())

  type Query = Parameters<typeof db.repositories.users.explain>[0]
  const cases: Record<string, [Query, string[]]> = {
    'a bigint that is null': [
      { where: { balance: { isNull: true } } },
      ['SEARCH kv USING INDEX kv_users_balance (<expr>=? AND <expr>=?)'],
    ],
    'equality on a unique index': [
      { where: { email: 'a@b.c' } },
      ['SEARCH kv USING INDEX kv_users_email_unique (<expr>=?)'],
    ],
    'equality on an index, by key': [
      { where: { age: 3 } },
      ['SEARCH kv USING INDEX kv_users_age (<expr>=?)'],
    ],
    'a range, in the order of its index': [
      { where: { age: { gte: 18 } } },
      ['SEARCH kv USING INDEX kv_users_age (<expr>>? AND <expr><?)'],
    ],
    'a range and its order, backwards': [
      { where: { age: { gte: 18, lt: 65 } }, orderBy: { age: 'desc' }, limit: 10 },
      ['SEARCH kv USING INDEX kv_users_age (<expr>>? AND <expr><?)'],
    ],
    'an order alone': [{ orderBy: { age: 'asc' }, limit: 20 }, ['SCAN kv USING INDEX kv_users_age']],
    'the order of a unique index': [
      { orderBy: { email: 'asc' }, limit: 20 },
      ['SCAN kv USING INDEX kv_users_email_unique'],
    ],
    'the order of a unique index whose field may be null': [
      { orderBy: { phone: 'asc' }, limit: 20 },
      ['SCAN kv USING INDEX kv_users_phone_unique', 'USE TEMP B-TREE FOR LAST TERM OF ORDER BY'],
    ],
    'a compound index': [
      { where: { address: { city: 'Paris' } }, orderBy: { age: 'desc' } },
      ['SEARCH kv USING INDEX kv_users_address_city_age (<expr>=?)'],
    ],
    'a compound index with a range': [
      { where: { address: { city: 'Paris' }, age: { gt: 1 } }, orderBy: { age: 'asc' } },
      ['SEARCH kv USING INDEX kv_users_address_city_age (<expr>=? AND <expr>>? AND <expr><?)'],
    ],
    'a literal beginning of a text': [
      { where: { email: { startsWith: 'a@' } } },
      ['SEARCH kv USING INDEX kv_users_email_unique (<expr>>? AND <expr><?)'],
    ],
    'equality with 0, and the order behind it': [
      { where: { level: 0 }, orderBy: { age: 'asc' }, limit: 5 },
      ['SEARCH kv USING INDEX kv_users_level_age (<expr>=?)'],
    ],
    'equality with a bigint': [
      { where: { balance: 5n } },
      ['SEARCH kv USING INDEX kv_users_balance (<expr>=? AND <expr>=?)'],
    ],
    'a range of bigints': [
      { where: { balance: { gt: 5n, lte: 2n ** 70n } }, orderBy: { $id: 'asc' } },
      ['SEARCH kv USING INDEX kv_users_balance (<expr>>? AND <expr><?)', 'USE TEMP B-TREE FOR ORDER BY'],
    ],
    'the order of bigints': [
      { orderBy: { balance: 'desc' }, limit: 5 },
      ['SCAN kv USING INDEX kv_users_balance', 'USE TEMP B-TREE FOR LAST 4 TERMS OF ORDER BY'],
    ],
    'one of some bigints': [
      { where: { balance: { in: [5n, 6n] } } },
      [
        'SEARCH kv USING INDEX kv_users_balance (<expr>=? AND <expr>=?)',
        'LIST SUBQUERY 1',
        'SCAN json_each VIRTUAL TABLE INDEX 1:',
        'LIST SUBQUERY 2',
        'SCAN json_each VIRTUAL TABLE INDEX 1:',
        'USE TEMP B-TREE FOR LAST 4 TERMS OF ORDER BY',
      ],
    ],
    'an id': [{ where: { $id: 'ann' } }, ['SEARCH kv USING INDEX sqlite_autoindex_kv_1 (key=?)']],
    'a range of ids': [
      { where: { $id: { gte: 'a', lt: 'b' } }, orderBy: { $id: 'desc' } },
      ['SEARCH kv USING INDEX kv_collection (collection=? AND key>? AND key<?)'],
    ],
    'the beginning of an id': [
      { where: { $id: { startsWith: 'a' }, age: { gt: 5 } } },
      ['SEARCH kv USING INDEX kv_collection (collection=? AND key>? AND key<?)'],
    ],
    'all rows by key': [{ limit: 5 }, ['SEARCH kv USING INDEX kv_collection (collection=?)']],
  }
  for (const [name, [query, plan]] of Object.entries(cases)) {
    it(name, async () => expect(await db.repositories.users.explain(query)).toEqual(plan))
  }

  it('a prefix reads its keys only', async () => {
    expect(await db.repositories.posts.explain({ prefix: [] })).toEqual([
      'SEARCH kv USING INDEX kv_collection (collection=?)',
    ])
  })

  it('is of SQL that binds every operand', async () => {
    const { sql, params } = await db.repositories.users.toSQL({
      where: { age: { gte: 18 }, name: { like: 'A_%' } },
      orderBy: { age: 'desc' },
      limit: 10,
    })
    expect(sql).toBe(
      'select kv.value, kv.encoding, kv.types, kv.version, kv.expires_at, kv.key from kv indexed by "kv_users_age" ' +
        "where collection = 'users' and (kv.expires_at is null or kv.expires_at > ?) " +
        "and ((kv.value ->> '$.age' >= ? and kv.value ->> '$.age' < '') and (CASE WHEN kv.encoding < 2 THEN kv.value END) ->> '$.name' glob ?) " +
        "order by kv.value ->> '$.age' desc, kv.key desc limit ? + 0",
    )
    expect(params.slice(1)).toEqual([18, 'A?*', 10])
  })

  // For a bare parameter, SQLite would look at the value, and plan the statement again for each one that is bound.
  it('has a plus sign before the operand of an equality, whatever is bound, and still uses the index', async () => {
    const { users } = db.repositories
    for (const age of [0.5, 30]) {
      const query = { where: { age }, orderBy: { name: 'asc' } } as const
      expect((await users.toSQL(query)).sql).toMatch(/'\$\.age' = \+\? .*order by/)
      expect((await users.explain(query))[0]).toContain('(<expr>=?)')
      expect(await users.findMany(query)).toEqual([])
    }
  })

  it("has one bound on each side of a range, with a cursor's first: SQLite uses the first that it meets", async () => {
    const { users } = db.repositories
    const bounds = (text: string) =>
      [...text.matchAll(/'\$\.age' ([<>]=?) (\?|'')/g)].map((match) => match.slice(1).join(' '))
    const between = await users.toSQL({ where: { age: { gte: 18, lt: 65 } } })
    expect(bounds(between.sql)).toEqual(['>= ?', '< ?'])
    const apart = await users.toSQL({
      where: { AND: [{ age: { gte: 18 } }, { AND: [{ age: { lt: 65 } }] }] },
    })
    expect(bounds(apart.sql)).toEqual(['>= ?', '< ?'])
    const either = await users.toSQL({ where: { OR: [{ age: { gte: 18 } }, { age: { lt: 65 } }] } })
    expect(bounds(either.sql)).toEqual(['>= ?', "< ''", '< ?'])

    const address = { city: 'Paris' }
    const people = [1, 2].map((age) => ({
      name: 'A',
      email: `p${age}@example.com`,
      phone: `${age}`,
      age,
      address,
    }))
    await users.insertMany(people.map((person) => [person.age, person]))
    const query = { where: { age: { gt: 0 } }, orderBy: { age: 'asc' }, limit: 1 } as const
    const { cursor } = await users.findPage(query)
    const page = await users.toSQL({ ...query, after: cursor })
    expect(bounds(page.sql)).toEqual(['>= ?', '> ?', '> ?', "< ''"])
    const backwards = { where: { phone: { like: '%' } }, orderBy: { phone: 'desc' }, limit: 1 } as const
    const last = await users.findPage(backwards)
    const behind = await users.toSQL({ ...backwards, after: last.cursor })
    expect(behind.sql).not.toContain("kv.value ->> '$.phone' is null")
    const open = { orderBy: { phone: 'desc' }, limit: 1 } as const
    const first = await users.findPage(open)
    expect((await users.toSQL({ ...open, after: first.cursor })).sql).toContain(
      "kv.value ->> '$.phone' is null",
    )
    await users.deleteMany({ where: {} })
  })

  it('counts a collection without reading values', () => {
    const text = db.drizzle.$client
      .prepare("EXPLAIN QUERY PLAN SELECT count(*) FROM kv WHERE collection = 'users'")
      .all()
    expect(JSON.stringify(text)).toContain('COVERING INDEX')
  })
})

describe('the expired rows of a collection', () => {
  const noted = async (options: { readonly prefix?: readonly ['alice'] }) => {
    const statements: [string, readonly unknown[]][] = []
    const logger = { logQuery: (text: string, params: unknown[]) => void statements.push([text, params]) }
    await using db = await open({ logger })
    const { posts } = db.repositories
    await posts.set(['alice', 1], { title: 'Gone' }, { expireIn: 1 })
    await posts.insertMany([2, 3].map((n) => [['alice', n], { title: 'Here' }] as const))
    await posts.set(['bob', 1], { title: 'Here' })
    statements.length = 0
    const count = await posts.count(options)
    const plans = statements.map(([text, params]) => {
      const steps = db.drizzle.$client.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...params)
      return (steps as { detail: string }[]).map(({ detail }) => detail)
    })
    return { count, plans }
  }

  it('are counted in the index of expiring rows', async () => {
    const expired = ['SEARCH kv USING INDEX kv_expires_at (expires_at>? AND expires_at<?)']
    const all = await noted({})
    expect(all.plans).toEqual([['SEARCH kv USING COVERING INDEX kv_collection (collection=?)'], expired])
    const some = await noted({ prefix: ['alice'] })
    const range = 'SEARCH kv USING COVERING INDEX kv_collection (collection=? AND key>? AND key<?)'
    expect(some.plans).toEqual([[range], expired])
  })
})

describe('onUnindexed', () => {
  it("'error' refuses a query that reads a whole collection, and no other", async () => {
    const db = await open({ onUnindexed: 'error' })
    const { users } = db.repositories
    await expect(users.findMany({ where: { name: 'A' } })).rejects.toThrow(/reads all of 'users'/)
    await expect(users.findMany({ where: { name: 'A' } })).rejects.toThrow(/reads all of 'users'/)
    await expect(users.findMany({ orderBy: { name: 'asc' } })).rejects.toThrow(/reads all of 'users'/)
    expect(await users.findMany({ where: { age: 1, name: 'A' } })).toEqual([])
    expect(await users.findMany()).toEqual([])
    expect(await users.findMany({ orderBy: { age: 'asc' } })).toEqual([])
    await db.close()
  })

  it('says the same for a query beside its own writes, and for one condition however it is wrapped', async () => {
    await using db = await open({ onUnindexed: 'error' })
    const ann = { name: 'Ann', email: 'ann@example.com', phone: null, age: 30, address: { city: 'Rome' } }
    await db.unitOfWork(async (unit) => {
      const { users } = unit.repositories
      await users.set('own', ann)
      expect(await users.findMany({ where: { age: 30 } })).toHaveLength(1)
      await expect(users.findMany({ where: { name: 'A' } })).rejects.toThrow(/reads all of 'users'/)
    })
    const { users } = db.repositories
    expect(await users.findMany({ where: { OR: [{ AND: [{ age: 30 }] }] } })).toHaveLength(1)
    expect(await users.findMany({ where: { OR: [{ $id: 'own' }, { $id: 'other' }] } })).toHaveLength(1)
    await expect(users.findMany({ where: { OR: [{ age: 1 }, { name: 'A' }] } })).rejects.toThrow(/reads all/)
    await expect(users.findMany({ distinct: ['age'] })).rejects.toThrow(/reads all/)
    await expect(users.count({ where: { name: 'A' } })).rejects.toThrow(/reads all/)
  })
})
