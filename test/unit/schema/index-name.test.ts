import { Valkeyrie } from 'valkeyrie'
import { postgresKvTables } from 'valkeyrie/postgres'
import { defineSchema, kvTables } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Registry } from '../../../src/schema/registry.ts'

const text = z.string()
const schema = z.object({
  org: text,
  user: text,
  org_user: text,
  n: text,
  n_unique: text,
  at: text,
  schemas: text,
  userid: text,
  userId: text,
  a: z.object({ b: text, c_d: text, c: z.object({ d: text }) }),
  a_b: text,
  a_c: z.object({ d: text }),
})

type Index = { on: string | string[]; unique?: boolean }
const define = (name: string, ...indexes: Index[]) =>
  defineSchema([name, '*'], schema, { name, indexes } as object)

describe('two indexes that would have one name', () => {
  it.each<[Index, Index, string]>([
    [
      { on: ['org', 'user'], unique: true },
      { on: 'org_user', unique: true },
      "The unique index of 'm' on org and user and the unique index of 'm' on org_user would both be named kv_m_org_user_unique: give a repository or a field another name, or list the fields of an index in another order",
    ],
    [
      { on: 'n', unique: true },
      { on: 'n_unique' },
      "The unique index of 'm' on n and the index of 'm' on n_unique would both be named kv_m_n_unique: give a repository or a field another name",
    ],
    [
      { on: 'a_b', unique: true },
      { on: 'a.b', unique: true },
      "The unique index of 'm' on a_b and the unique index of 'm' on a.b would both be named kv_m_a_b_unique: give a repository or a field another name",
    ],
    [{ on: 'a.c_d' }, { on: 'a_c.d' }, 'named kv_m_a_c_d: '],
    [{ on: ['a.c.d', 'n'] }, { on: ['a.c_d', 'n'] }, 'named kv_m_a_c_d_n: '],
  ])('are refused where one schema declares them: %o and %o', (one, other, message) => {
    expect(() => define('m', one, other)).toThrow(TypeError)
    expect(() => define('m', one, other)).toThrow(message)
    expect(() => define('m', other, one)).toThrow(TypeError)
  })

  it('are refused where two schemas come together', () => {
    const [one, other] = [define('p', { on: 'a_b', unique: true }), define('p_a', { on: 'n', unique: true })]
    const third = defineSchema(['p_a', '*'], z.object({ b: text }), {
      name: 'p_a',
      indexes: [{ on: 'b', unique: true }],
    })
    const both = [one, third]
    const error = new TypeError(
      "The unique index of 'p' on a_b and the unique index of 'p_a' on b would both be named kv_p_a_b_unique: give a repository or a field another name",
    )
    expect(() => new Registry(both)).toThrow(error)
    expect(() => new Registry([one]).add(third)).toThrow(error)
    expect(() => Valkeyrie.withSchemas(both)).toThrow(error)
    expect(() => kvTables(both)).toThrow(error)
    expect(() => postgresKvTables(both)).toThrow(error)
    expect(new Registry([one, other]).definitions).toEqual([one, other])
  })

  it('are refused if one is what every database has', () => {
    const error = new TypeError(
      "The index of 'expires' on at would be named kv_expires_at, which the database has for itself: give the repository or the field another name",
    )
    expect(() => define('expires', { on: 'at' })).toThrow(error)
    expect(() => define('past', { on: 'schemas' })).toThrow(TypeError)
    define('expires', { on: 'at', unique: true })
  })

  it('may differ only in case, except on SQLite', async () => {
    const fields = define('p', { on: 'userid', unique: true }, { on: 'userId', unique: true })
    const [upper, lower] = [define('Users', { on: 'n' }), define('users', { on: 'n' })]
    const own = define('Expires', { on: 'at' })
    expect(() => kvTables([fields])).toThrow(
      new TypeError(
        "The unique index of 'p' on userid and the unique index of 'p' on userId would be named kv_p_userid_unique and kv_p_userId_unique, which differ only in case and are one name to this engine: give a repository or a field another name",
      ),
    )
    for (const definitions of [[fields], [upper, lower], [own]]) {
      expect(() => kvTables(definitions)).toThrow(TypeError)
      await expect(Valkeyrie.withSchemas(definitions).open()).rejects.toThrow(TypeError)
      postgresKvTables(definitions)
    }
  })

  it('are two if their names differ', async () => {
    const definitions = [
      define('m', { on: ['org', 'user'], unique: true }, { on: ['org', 'user', 'n'] }, { on: 'n' }),
      define('m_org', { on: 'user' }),
      define('é', { on: 'n' }),
      define('É', { on: 'n' }),
    ]
    kvTables(definitions)
    await using db = await Valkeyrie.withSchemas(definitions).open()
    const names = db.drizzle.$client
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%->>%' ORDER BY name")
      .pluck()
      .all()
    expect(names).toEqual([
      'kv_m_n',
      'kv_m_org_user',
      'kv_m_org_user_n',
      'kv_m_org_user_unique',
      'kv_É_n',
      'kv_é_n',
    ])
  })
})
