import { expect } from 'vitest'
import type { Cases } from '../suite.ts'
import { alice, schemas } from './schemas.ts'

async function peopleAt(path: string | undefined) {
  const db = await schemas.open(path)
  const { users, posts, root } = db.repositories
  for (const id of ['a', 'b', 'c', 'd']) {
    await users.set(id, alice)
    for (const n of [1, 2, 3]) await posts.set([id, n], { title: `${id}${n}` })
  }
  await root.set(alice)
  await db.set(['users', 'b', 'other'], 1)
  await db.set(['users'], 1)
  return db
}

const ids = async <Id>(rows: AsyncIterable<{ readonly id: Id }>) =>
  (await Array.fromAsync(rows)).map(({ id }) => id)

export const repositoryListCases: Cases = {
  'a list gives the rows of its own pattern, not nested ones nor those of a more specific one': async (
    place,
  ) => {
    await using db = await peopleAt(place.path())
    const { users, posts, root } = db.repositories
    expect(await ids(users.list())).toStrictEqual(['a', 'b', 'c', 'd'])
    expect(await ids(posts.list())).toHaveLength(12)
    expect(await ids(root.list())).toStrictEqual([undefined])
    expect((await Array.fromAsync(users.list()))[0]).toStrictEqual(await users.get('a'))
    expect(await Array.fromAsync(root.list())).toStrictEqual([await root.get()])
  },

  'start is included and end is not': async (place) => {
    await using db = await peopleAt(place.path())
    const { users, posts } = db.repositories
    expect(await ids(users.list({ start: 'b' }))).toStrictEqual(['b', 'c', 'd'])
    expect(await ids(users.list({ end: 'b' }))).toStrictEqual(['a'])
    expect(await ids(users.list({ start: 'b', end: 'd' }))).toStrictEqual(['b', 'c'])
    expect(await ids(users.list({ start: 'b', end: 'b' }))).toStrictEqual([])
    expect(await ids(posts.list({ start: ['b', 3], end: ['c', 2] }))).toStrictEqual([
      ['b', 3],
      ['c', 1],
    ])
  },

  'a prefix fills the leading ids': async (place) => {
    await using db = await peopleAt(place.path())
    const { posts, users } = db.repositories
    expect(await ids(posts.list({ prefix: ['b'] }))).toStrictEqual([
      ['b', 1],
      ['b', 2],
      ['b', 3],
    ])
    expect(await ids(posts.list({ prefix: ['b'], start: ['b', 2] }))).toStrictEqual([
      ['b', 2],
      ['b', 3],
    ])
    expect(await ids(posts.list({ prefix: ['b'], start: ['b', 2], end: ['b', 3] }))).toStrictEqual([['b', 2]])
    expect(await ids(posts.list({ prefix: [] }))).toHaveLength(12)
    expect(await ids(users.list({ prefix: [] }))).toHaveLength(4)
  },

  'limit, reverse, batchSize and cursor work as in the list of the database': async (place) => {
    await using db = await peopleAt(place.path())
    const { users, posts } = db.repositories
    expect(await ids(users.list({}, { reverse: true, limit: 2 }))).toStrictEqual(['d', 'c'])
    expect(await ids(posts.list({}, { batchSize: 1 }))).toHaveLength(12)
    for (const reverse of [false, true]) {
      const all = await ids(posts.list({}, { reverse }))
      const found: unknown[] = []
      let cursor = ''
      do {
        const page = posts.list({}, { limit: 5, cursor, reverse })
        found.push(...(await ids(page)))
        cursor = page.cursor
      } while (cursor)
      expect(found).toStrictEqual(all)
    }
  },

  'count counts the rows of the pattern, of all or below a prefix': async (place) => {
    await using db = await peopleAt(place.path())
    const { users, posts, root, counters } = db.repositories
    expect(await users.count()).toBe(4)
    expect(await posts.count()).toBe(12)
    expect(await posts.count({ prefix: ['b'] })).toBe(3)
    expect(await posts.count({ prefix: ['nobody'] })).toBe(0)
    expect(await posts.count({ prefix: [] })).toBe(12)
    expect(await root.count()).toBe(1)
    expect(await counters.count()).toBe(0)
    await posts.delete(['b', 1])
    await db.clear()
    expect([await users.count(), await posts.count({ prefix: ['b'] })]).toStrictEqual([0, 0])
  },

  'a range that makes no sense is refused': async (place) => {
    await using db = await peopleAt(place.path())
    const { users, posts } = db.repositories
    expect(() => users.list({ start: 'c', end: 'b' })).toThrow(RangeError)
    expect(() => posts.list({ prefix: ['b'], start: ['c', 1] })).toThrow(TypeError)
    expect(() => posts.list({ prefix: ['b', 1] as never })).toThrow(TypeError)
    expect(() => users.list({ prefix: ['b'] as never })).toThrow(TypeError)
    expect(() => users.list({ prefix: 'b' as never })).toThrow(TypeError)
    expect(() => users.list({ begin: 'b' } as never)).toThrow(TypeError)
    expect(() => posts.list({ start: 'b' as never })).toThrow(TypeError)
    await expect(users.count({ filter: {} } as never)).rejects.toThrow(TypeError)
    await expect(posts.count({ prefix: ['a', 1] as never })).rejects.toThrow(TypeError)
  },
}
