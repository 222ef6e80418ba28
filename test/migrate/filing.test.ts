import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema, id } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { describeEnginesInTurn } from '../engines.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectFor } from './project.ts'
import { upgradeOn } from './upgrade.ts'

describeEnginesInTurn('the filing of rows', 1, (engine) => {
  const upgrade = upgradeOn(engine)
  const projectOf = projectFor.bind(null, engine.name)

  const schema = z.object({ x: z.string() })
  const value = { x: '1' }
  const users = defineSchema(['users', '*'], schema)

  it('rows of a removed pattern go to another one that matches them, even if it matches only some', async () => {
    const roots = defineSchema(['*', 'root'], schema, { name: 'roots' })
    const rows = [
      [['users', 'ann'], value],
      [['users', 'root'], value],
    ] as const
    const { migrate, collections } = await upgrade([users, roots], rows, [roots])
    await migrate()
    expect(await collections()).toEqual({ '["users","ann"]': null, '["users","root"]': 'roots' })

    const all = defineSchema(['*', '*'], schema, { name: 'all' })
    const covered = await upgrade([users, all], rows, [all])
    await covered.migrate()
    expect(await covered.collections()).toEqual({ '["users","ann"]': 'all', '["users","root"]': 'all' })
  })

  it('rows of a changed pattern go to a more specific one, and it takes those that it matches now', async () => {
    const root = defineSchema(['people', 'root'], schema, { name: 'root' })
    const people = defineSchema(['people', '*'], schema, { name: 'users' })
    const { migrate, collections } = await upgrade(
      [users, root],
      [
        [['users', 'root'], value],
        [['users', 'ann'], value],
        [['people', 'bob'], value],
      ],
      [people, root],
    )
    await migrate()
    expect(await collections()).toEqual({
      '["people","ann"]': 'users',
      '["people","bob"]': 'users',
      '["people","root"]': 'root',
    })
  })

  it('whoever reads the log has the rows of all patterns that change under their new keys', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const of = (parent: string) => [
      defineSchema([parent, '*'], schema, { name: 'users' }),
      defineSchema([parent, '*', 'posts', '*'], schema, { name: 'posts' }),
      defineSchema([parent, '*', 'notes', '*'], schema, { name: 'notes' }),
    ]
    const project = (parent: string) => projectOf(folder, ...of(parent))
    await generateQuietly(project('users'))
    await migrateQuietly(project('users'), path)
    {
      await using db = await Valkeyrie.withSchemas(of('users')).open(path)
      await db.set(['users', 'ann'], value)
      await db.set(['users', 'ann', 'posts', 1], value)
      await db.set(['users', 'ann', 'notes', 1], value)
      await db.set(['others'], 1)
    }
    await generateQuietly(project('people'))
    await migrateQuietly(project('people'), path)

    await using db = await Valkeyrie.withSchemas(of('people')).open(path)
    const versions = new Map<string, string>()
    await db.set(['end'], 1)
    for await (const { key, type, versionstamp } of db.changes({ since: '0'.repeat(20) })) {
      if (type === 'set') versions.set(JSON.stringify(key), versionstamp)
      else versions.delete(JSON.stringify(key))
      if (key[0] === 'end') break
    }
    const rows = await Array.fromAsync(db.list({ prefix: [] }))
    expect(rows.map(({ key }) => key)).toEqual([
      ['end'],
      ['others'],
      ['people', 'ann'],
      ['people', 'ann', 'notes', 1],
      ['people', 'ann', 'posts', 1],
    ])
    expect(versions).toEqual(new Map(rows.map((row) => [JSON.stringify(row.key), row.versionstamp])))
  })

  it('a key that is taken already is named, and nothing is changed', async () => {
    const people = defineSchema(['people', '*'], schema, { name: 'users' })
    const rows = [
      [['people', 'ann'], value],
      [['users', 'ann'], value],
    ] as const
    const { migrate, values } = await upgrade([users], rows, [people])
    await expect(migrate()).rejects.toThrow(/under \["people", "ann"\]/)
    expect(await values()).toEqual({ '["people","ann"]': value, '["users","ann"]': value })
  })

  it('two repositories swap names, and their rows stay', async () => {
    const indexes = { indexes: [{ on: 'x', unique: true }] } as const
    const of = (one: string, other: string) => [
      defineSchema(['a', '*'], schema, { name: one, ...indexes }),
      defineSchema(['b', '*'], schema, { name: other, ...indexes }),
    ]
    const rows = [
      [['a', 'k'], value],
      [['b', 'k'], value],
      [['b', 'l'], { x: '2' }],
    ] as const
    const { migrate, collections, check } = await upgrade(of('one', 'two'), rows, of('two', 'one'))
    await migrate()
    expect(await collections()).toEqual({ '["a","k"]': 'two', '["b","k"]': 'one', '["b","l"]': 'one' })
    expect(await check()).toEqual({ pending: [], drift: [], refused: [] })
  })

  it('a migration changes rows that the one before it has filed, also where open applies both', async () => {
    const folder = projectFolder()
    const path = engine.newAddress()
    const migrations = join(folder, 'migrations')
    await generateQuietly(projectOf(folder, users))
    const db = await Valkeyrie.withSchemas([users]).open(path, { migrations })
    await db.set(['posts', 'p'], { t: 'T' })
    await db.close()
    await generateQuietly(projectOf(folder, users, defineSchema(['posts', '*'], z.object({ t: z.string() }))))
    const posts = defineSchema(['posts', '*'], z.object({ title: z.string() }))
    await generateQuietly(projectOf(folder, users, posts), 'posts.t=title')
    const opened = await Valkeyrie.withSchemas([users, posts]).open(path, { migrations })
    expect((await opened.repositories.posts.get('p'))?.value).toEqual({ title: 'T' })
    await opened.close()
  })

  it('rows that a new pattern matches and that clash in its unique index are named', async () => {
    const posts = defineSchema(['posts', '*'], schema, { indexes: [{ on: 'x', unique: true }] })
    const rows = [
      [['posts', 'a'], value],
      [['posts', 'b'], value],
    ] as const
    const { migrate, collections } = await upgrade([users], rows, [users, posts])
    await expect(migrate()).rejects.toThrow(/the same values are in \["posts","a"\] and \["posts","b"\]/)
    expect(await collections()).toEqual({ '["posts","a"]': null, '["posts","b"]': null })
  })

  it('rows with ids of another kind than is declared are refused', async () => {
    const of = (...kind: ['*'] | [ReturnType<typeof id.number>]) => defineSchema(['orders', ...kind], schema)
    const rows = [
      [['orders', 7], value],
      [['orders', '7'], value],
    ] as const
    const { check } = await upgrade([of('*')], rows, [of(id.number())])
    expect((await check()).refused).toEqual([
      {
        repository: 'orders',
        rows: 1,
        samples: [
          `["orders", "7"]: The ids of orders are declared as number, but "7" is not: give a number, or declare '*' for ids of any kind`,
        ],
      },
    ])
  })

  it('indexes in another order are no change, and words of a schema are none', async () => {
    const of = (schema: z.ZodObject, ...fields: string[]) =>
      defineSchema(['users', '*'], schema, { indexes: fields.map((on) => ({ on })) } as object)
    const shape = { a: z.string(), b: z.string() }
    const folder = projectFolder()
    await generateQuietly(projectOf(folder, of(z.object(shape), 'a', 'b')))
    const other = projectOf(folder, of(z.object({ ...shape, a: z.string().describe('first') }), 'b', 'a'))
    expect(await generateQuietly(other)).toBeNull()
    expect(await migrateQuietly(other, engine.newAddress())).toEqual(['0000_initial'])
  })
})
