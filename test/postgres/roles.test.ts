import { randomBytes } from 'node:crypto'
import { Valkeyrie } from 'valkeyrie'
import { migrate } from 'valkeyrie/migrate'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { generateQuietly, projectFolder, projectFor } from '../migrate/project.ts'
import { waitUntil } from '../waiting.ts'
import { byHand, newSchema } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const user = z.object({ name: z.string(), age: z.int() })
const store = Valkeyrie.withSchema(['users', '*'], user, { indexes: [{ on: 'name', unique: true }] })
const changed = Valkeyrie.withSchema(['users', '*'], user, { indexes: [{ on: 'age' }] })

const searched = Valkeyrie.withSchema(['users', '*'], user, {
  indexes: [{ on: 'name', unique: true }],
  search: { on: ['name'], tokenizer: 'porter' },
})

/** A database of the server, and a role that was made for it, which may do nothing there but connect. */
async function makeRole() {
  const name = `role_${randomBytes(8).toString('hex')}`
  const own = new URL(url)
  own.pathname = `/${name}`
  const role = new URL(own)
  role.username = name
  role.password = 'secret'
  const admin = await byHand(url)
  await admin.query(`create role ${name} login password 'secret'`)
  await admin.query(`create database ${name}`)
  return { name, ownerUrl: own.href, roleUrl: role.href }
}

let made: ReturnType<typeof makeRole> | undefined

test.skipIf(url === '')(
  'names with escapes in the address are those of the role and the database',
  async () => {
    const name = `a/b?c#d@e&f%g h:${randomBytes(8).toString('hex')}`
    const admin = await byHand(url)
    await admin.query(`create role "${name}" login password '${name}'`)
    await admin.query(`create database "${name}" owner "${name}"`)
    const address = new URL(url)
    address.username = encodeURIComponent(name)
    address.password = encodeURIComponent(name)
    address.pathname = `/${encodeURIComponent(name)}`
    await using db = await Valkeyrie.open(address.href as `postgres://${string}`)
    await db.set(['a'], 1)
    const { rows } = await db.drizzle.execute('select current_database() as database, current_user as role')
    expect(rows).toEqual([{ database: name, role: name }])
    await db.close()
    await admin.query(`drop database "${name}"`)
    await admin.query(`drop role "${name}"`)
  },
)

test.skipIf(url === '')(
  'a role that may no longer log in is told so when its connection is lost',
  async () => {
    const { name, roleUrl, owner } = await withRole()
    const schema = newSchema()
    await owner.query(`create schema "${schema}" authorization ${name}`)
    await using db = await Valkeyrie.open(roleUrl, { schema })
    await owner.query(`alter role ${name} nologin`)
    onTestFinished(async () => void (await (await byHand(url)).query(`alter role ${name} login`)))
    await owner.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [name])
    await expect(db.get(['a'])).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringMatching(/create the role with LOGIN/),
    })
  },
)

async function withRole() {
  made ??= makeRole()
  const { ownerUrl } = await made
  return { ...(await made), owner: await byHand(ownerUrl) }
}

describe.skipIf(url === '')('a role', () => {
  test('without rights to create reads and writes a database that its owner has set up', async () => {
    const { name, owner, ownerUrl, roleUrl } = await withRole()
    const schema = newSchema()
    await (await store.open(ownerUrl, { schema })).close()
    await owner.query(
      `grant usage on schema "${schema}" to ${name}; grant select, insert, update, delete on all tables in schema "${schema}" to ${name}`,
    )
    const db = await store.open(roleUrl, { schema })
    onTestFinished(() => db.close())
    const { users } = db.repositories
    await users.insert('ann', { name: 'Ann', age: 30 })
    await db.unitOfWork(async (unit) => {
      await unit.repositories.users.update('ann', { age: 31 })
    })
    await expect(users.insert('bob', { name: 'Ann', age: 1 })).rejects.toMatchObject({
      code: 'UNIQUE_CONSTRAINT',
    })
    await users.set('cid', { name: 'Cid', age: 2 }, { expireIn: 1 })
    await waitUntil('the expiry', async () => (await users.get('cid')).value === null)
    await db.cleanup()
    expect(await users.findMany({ where: { age: { gte: 1 } } })).toMatchObject([
      { id: 'ann', value: { age: 31 } },
    ])
    for await (const [entry] of db.watch([['users', 'ann']])) {
      if (entry.value?.age === 32) break
      await users.update('ann', { age: 32 })
    }
    await db.clear()
    expect(await users.count()).toBe(0)
    // What the database lacks, its owner makes.
    await expect(changed.open(roleUrl, { schema })).rejects.toThrow(/may not create what is missing there/)
    await (await changed.open(ownerUrl, { schema })).close()
    await (await changed.open(roleUrl, { schema })).close()
  })

  test('that may read the tables can open a database that was migrated since', async () => {
    const { name, owner, ownerUrl, roleUrl } = await withRole()
    const [schema, folder] = [newSchema(), projectFolder()]
    const first = defineSchema(['users', '*'], z.object({ name: z.string() }))
    const next = defineSchema(['users', '*'], z.object({ fullName: z.string() }))
    await (await Valkeyrie.withSchemas([first]).open(ownerUrl, { schema })).close()
    await owner.query(
      `grant usage on schema "${schema}" to ${name}; grant select, insert, update, delete on all tables in schema "${schema}" to ${name}`,
    )
    await generateQuietly(projectFor('postgres', folder, first))
    await generateQuietly(projectFor('postgres', folder, next), 'users.name=fullName')
    const address = `${ownerUrl}?schema=${schema}`
    await migrate(address, { folder: `${folder}/migrations`, baseline: true })
    const old = Valkeyrie.withSchemas([first]).open(roleUrl, { schema })
    await expect(old).rejects.toMatchObject({ code: 'MIGRATION', replacedBy: '0001_users' })
    await using db = await Valkeyrie.withSchemas([next]).open(roleUrl, { schema })
    await db.repositories.users.insert('ann', { fullName: 'Ann' })
  })

  test('that may create no schema gets an error that says so, and works in its own', async () => {
    const { name, owner, roleUrl } = await withRole()
    const schema = newSchema()
    await expect(store.open(roleUrl, { schema })).rejects.toThrow(/may not create what is missing there/)
    await owner.query(`create schema "${schema}" authorization ${name}`)
    await using db = await store.open(roleUrl, { schema })
    await db.repositories.users.insert('ann', { name: 'Ann', age: 30 })
    expect(await db.repositories.users.count()).toBe(1)
  })

  test('that may create no function gets an error that says so, and works once its owner has made them', async () => {
    const { name, owner, ownerUrl, roleUrl } = await withRole()
    const schema = newSchema()
    await owner.query('revoke usage on language plpgsql from public')
    onTestFinished(async () => void (await owner.query('grant usage on language plpgsql to public')))
    await owner.query(`create schema "${schema}" authorization ${name}`)
    await expect(store.open(roleUrl, { schema })).rejects.toThrow(/may not create what is missing there/)
    await (await store.open(ownerUrl, { schema })).close()
    await owner.query(`grant all on all tables in schema "${schema}" to ${name}`)
    await using db = await store.open(roleUrl, { schema })
    await db.repositories.users.insert('ann', { name: 'Ann', age: 30 })
    expect(await db.repositories.users.count()).toBe(1)
  })

  test('without rights to create writes and reads a search that its owner has built before or after it was granted rights', async () => {
    const { name, owner, ownerUrl, roleUrl } = await withRole()
    const grant = (schema: string, rights = 'select, insert, update, delete', role = name) =>
      owner.query(
        `grant usage on schema "${schema}" to ${role}; grant ${rights} on all tables in schema "${schema}" to ${role}`,
      )
    const [before, after] = [newSchema(), newSchema()]
    await (await searched.open(ownerUrl, { schema: before })).close()
    await grant(before)
    await (await store.open(ownerUrl, { schema: after })).close()
    await grant(after)
    await expect(searched.open(roleUrl, { schema: after })).rejects.toThrow(/may not create what is missing/)
    // It writes on while the search is built, and does not know of it.
    const unknowing = await store.open(roleUrl, { schema: after })
    onTestFinished(() => unknowing.close())
    await unknowing.repositories.users.insert('old', { name: 'Olds walking', age: 1 })
    await (await searched.open(ownerUrl, { schema: after })).close()
    for (const schema of [before, after]) {
      await using db = await searched.open(roleUrl, { schema })
      const { users } = db.repositories
      const find = async ($search: string) =>
        (await users.findMany({ where: { $search }, highlight: true, orderBy: { $rank: 'desc' } })).map(
          ({ id }) => id,
        )
      await users.insert('ann', { name: 'Ann walks', age: 30 })
      await users.insert('bob', { name: 'Bob', age: 30 })
      if (schema === after) {
        await unknowing.repositories.users.update('bob', { name: 'Bob walked' })
        expect(await find('walking')).toEqual(['ann', 'bob', 'old'])
        await unknowing.repositories.users.delete('old')
      }
      await users.update('bob', { name: 'Bob runs' })
      expect([await find('walk'), await find('running')]).toEqual([['ann'], ['bob']])
      await db.unitOfWork(async (unit) => {
        await unit.repositories.users.set('cid', { name: 'Cid walks', age: 1 })
        const { count } = unit.repositories.users
        expect(await count.call(unit.repositories.users, { where: { $search: 'walk' } })).toBe(2)
      })
      expect(await Valkeyrie.verify(`${roleUrl}?schema=${schema}`)).toMatchObject({ sound: true })
      await using reader = await searched.open(roleUrl, { schema, readOnly: true })
      expect(await reader.repositories.users.count({ where: { $search: 'walk' } })).toBe(2)
      await db.clear()
      expect(await find('walk')).toEqual([])
    }
  })

  test('that may create schemas, and nothing else, builds a search in its own, again and otherwise', async () => {
    const { name, owner, roleUrl } = await withRole()
    await owner.query(`grant create on database ${name} to ${name}`)
    onTestFinished(async () => void (await owner.query(`revoke create on database ${name} from ${name}`)))
    const schema = newSchema()
    {
      await using db = await searched.open(roleUrl, { schema })
      await db.repositories.users.insert('ann', { name: 'Ann walks', age: 30 })
      expect(await db.repositories.users.count({ where: { $search: 'walking' } })).toBe(1)
    }
    const trigrams = Valkeyrie.withSchema(['users', '*'], user, {
      search: { on: ['name'], tokenizer: 'trigram' },
    })
    await using db = await trigrams.open(roleUrl, { schema })
    expect(await db.repositories.users.count({ where: { $search: 'alk' } })).toBe(1)
    await db.destroy()
  })

  test('that may only read finds what a search finds', async () => {
    const { name, owner, ownerUrl, roleUrl } = await withRole()
    const schema = newSchema()
    await using db = await searched.open(ownerUrl, { schema })
    await db.repositories.users.insert('ann', { name: 'Ann walks', age: 30 })
    const mayNot = /may not read it: grant USAGE on the schema, and SELECT on its tables/
    await expect(searched.open(roleUrl, { schema, readOnly: true })).rejects.toThrow(mayNot)
    await owner.query(`grant usage on schema "${schema}" to ${name}`)
    await expect(searched.open(roleUrl, { schema, readOnly: true })).rejects.toThrow(mayNot)
    await owner.query(`grant select on all tables in schema "${schema}" to ${name}`)
    await using reader = await searched.open(roleUrl, { schema, readOnly: true })
    expect(await reader.repositories.users.count({ where: { $search: 'walking' } })).toBe(1)
  })
})
