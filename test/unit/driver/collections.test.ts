import { type Key, MigrationError, Valkeyrie } from 'valkeyrie'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()
const value = z.object({ n: z.int() })
const users = Valkeyrie.withSchema(['users', '*'], value)
const withPosts = users.withSchema(['users', '*', 'posts', '*'], value, { name: 'posts' })
const withRoot = users.withSchema(['users', 'root'], value, { name: 'root' })

const ids = async <Id>(rows: AsyncIterable<{ readonly id: Id }>) =>
  (await Array.fromAsync(rows)).map(({ id }) => id)

describe('a pattern that a file meets for the first time', () => {
  test('takes existing rows into its collection', async () => {
    const file = path()
    {
      await using db = await Valkeyrie.open(file)
      for (const n of [1, 2, 3]) {
        await db.set(['users', n], { n })
        await db.set(['users', n, 'posts', 1], { n })
        await db.set(['other', n], { n })
      }
    }
    await using db = await withPosts.open(file)
    const { users: rows, posts } = db.repositories
    expect(await ids(rows.list())).toStrictEqual([1, 2, 3])
    expect(await ids(posts.list({ prefix: [2] }))).toStrictEqual([[2, 1]])
    expect([await rows.count(), await posts.count()]).toStrictEqual([3, 3])
  })

  test('takes the rows of a less specific one on request', async () => {
    const file = path()
    {
      await using db = await users.open(file)
      await db.set(['users', 'root'], { n: 1 })
      await db.set(['users', 'alice'], { n: 2 })
      expect(await db.repositories.users.count()).toBe(2)
    }
    const refused = withRoot.open(file)
    await expect(refused).rejects.toMatchObject({ code: 'MIGRATION', repository: 'users' })
    await expect(refused).rejects.toThrow(
      /\["users","root"\] of 'root' .* 'users' \(\["users","\*"\]\), as \["users","root"\].*valkeyrie migrate.*takeRows: \['root'\]/,
    )
    await using db = await withRoot.open(file, { takeRows: ['root'] })
    expect(await ids(db.repositories.users.list())).toStrictEqual(['alice'])
    expect(await db.repositories.root.count()).toBe(1)
    // What is done is not done again.
    await using again = await withRoot.open(file, { takeRows: ['root'] })
    expect(await again.repositories.root.count()).toBe(1)
  })

  test('leaves the rows of a more specific one alone', async () => {
    const file = path()
    {
      await using db = await Valkeyrie.withSchema(['users', 'root'], value, { name: 'root' }).open(file)
      await db.repositories.root.set({ n: 1 })
      await db.set(['users', 'alice'], { n: 2 })
    }
    await using db = await users.open(file)
    expect(await ids(db.repositories.users.list())).toStrictEqual(['alice'])
    // What it would write there would be outside its rows.
    const refused = {
      code: 'MIGRATION',
      repository: 'users',
      message: expect.stringContaining('["users","root"] belongs to \'root\''),
    }
    await expect(db.set(['users', 'root'], { n: 3 })).rejects.toMatchObject(refused)
    await expect(
      db
        .atomic()
        .sum(['users', 'root'] as Key, 1n)
        .commit(),
    ).rejects.toThrow()
    expect((await db.repositories.users.get('root')).value).toStrictEqual({ n: 1 })
    expect(await db.repositories.users.count()).toBe(1)
  })

  test('changes no value and no versionstamp', async () => {
    const file = path()
    const plain = await Valkeyrie.open(file)
    const { versionstamp } = await plain.set(['users', 'alice'], { n: 1 })
    await plain.close()
    await using db = await users.open(file)
    expect(await db.repositories.users.get('alice')).toMatchObject({ value: { n: 1 }, versionstamp })
    expect((await db.set(['a'], 1)).versionstamp > versionstamp).toBe(true)
  })

  test('reaches an open handle of the file, which files its later rows under it', async () => {
    const file = path()
    await using plain = await Valkeyrie.open(file)
    await plain.set(['users', 'before'], { n: 1 })
    await using typed = await withRoot.open(file)
    await Promise.all([
      plain.set(['users', 'after'], { n: 2 }),
      plain.set(['users', 'root'], { n: 3 }),
      plain.atomic().set(['users', 'atomic'], { n: 4 }).sum(['users', 'sum'], 1n).commit(),
    ])
    expect(await ids(typed.repositories.users.list())).toStrictEqual(['after', 'atomic', 'before', 'sum'])
    expect(await typed.repositories.root.count()).toBe(1)
    await using later = await withPosts.open(file)
    await typed.set(['users', 'after', 'posts', 1], { n: 5 })
    expect(await later.repositories.posts.count()).toBe(1)
  })

  test('is kept by handles that do not declare it', async () => {
    const file = path()
    await (await users.open(file)).close()
    await using plain = await Valkeyrie.open(file)
    await plain.set(['users', 'alice'], { n: 1 })
    await using typed = await users.open(file)
    expect(await typed.repositories.users.count()).toBe(1)
  })

  test('may be renamed on request', async () => {
    const file = path()
    const first = await users.open(file)
    await first.repositories.users.set('alice', { n: 1 })
    await first.close()
    await using db = await Valkeyrie.withSchema(['users', '*'], value, { name: 'people' }).open(file, {
      renameRepositories: { users: 'people' },
    })
    expect(await db.repositories.people.count()).toBe(1)
    await db.repositories.people.set('bob', { n: 2 })
    expect(await ids(db.repositories.people.list())).toStrictEqual(['alice', 'bob'])
  })

  test('may have parts of every type', async () => {
    const file = path()
    const typed = Valkeyrie.withSchema(['y', 2_026, 1n, true, Uint8Array.of(0, 255), '*'], value)
    await using plain = await Valkeyrie.open(file)
    await plain.set(['y', 2_026, 1n, true, Uint8Array.of(0, 255), 'a'], { n: 1 })
    await plain.set(['y', 2_026n, 1n, true, Uint8Array.of(0, 255), 'a'], { n: 1 })
    await using db = await typed.open(file)
    await plain.set(['y', 2_026, 1n, true, Uint8Array.of(0, 255), 'b'], { n: 1 })
    expect(await ids(db.repositories.y.list())).toStrictEqual(['a', 'b'])
  })

  test('many rows are filed at once', async () => {
    const file = path()
    await using plain = await Valkeyrie.open(file)
    const operation = plain.atomic()
    for (let n = 0; n < 5_000; n++) operation.set(['users', n], { n })
    await operation.commit()
    await using db = await users.open(file)
    expect(await db.repositories.users.count()).toBe(5_000)
  })
})

describe('a file that is opened for reading only', () => {
  test('is read and not written', async () => {
    const file = path()
    {
      await using db = await users.open(file)
      await db.repositories.users.set('alice', { n: 1 })
    }
    await using db = await users.open(file, { readOnly: true })
    expect((await db.repositories.users.get('alice')).value).toStrictEqual({ n: 1 })
    expect(await ids(db.repositories.users.list())).toStrictEqual(['alice'])
    for (const write of [
      () => db.set(['a'], 1),
      () => db.delete(['users', 'alice']),
      () => db.repositories.users.update('alice', { n: 2 }),
      () => db.clear(),
    ]) {
      await expect(write()).rejects.toMatchObject({ code: 'STORAGE', engineCode: 'SQLITE_READONLY' })
    }
    expect(await db.repositories.users.count()).toBe(1)
  })

  test('sees what other handles write', async () => {
    const file = path()
    await using writer = await users.open(file)
    await using reader = await users.open(file, { readOnly: true })
    await writer.repositories.users.set('alice', { n: 1 })
    expect((await reader.repositories.users.get('alice')).value).toStrictEqual({ n: 1 })
  })

  test('is refused if it does not know a declared pattern', async () => {
    const file = path()
    await (await users.open(file)).close()
    await expect(withPosts.open(file, { readOnly: true })).rejects.toThrow(MigrationError)
  })
})
