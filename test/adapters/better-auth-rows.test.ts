import { type BetterAuthOptions, betterAuth } from 'better-auth'
import type { DBAdapter } from 'better-auth/adapters'
import { Valkeyrie } from 'valkeyrie'
import { authAdapter, authSchemas } from 'valkeyrie/better-auth'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { newAddress } from '../engine-of-project.ts'
import { sharedAddresses } from '../shared-addresses.ts'

const path = sharedAddresses()
const secret = 'a secret for the tests, and only for them'

async function open(options: BetterAuthOptions, file = newAddress()) {
  const db = await Valkeyrie.withSchemas(authSchemas(options))
    .withSchema(['posts', '*'], z.object({ title: z.string() }))
    .open(file)
  onTestFinished(() => db.close())
  return db
}

const user = (name: string) => ({
  name,
  email: `${name}@example.com`,
  emailVerified: false,
  createdAt: new Date(0),
  updatedAt: new Date(0),
})

async function adapterOf(options: BetterAuthOptions = {}, file?: string): Promise<DBAdapter> {
  return authAdapter(await open(options, file))(options)
}

it('signs up, in and out, with rows beside others', async () => {
  const options = { emailAndPassword: { enabled: true } }
  const db = await open(options, path('auth.db'))
  const auth = betterAuth({ ...options, database: authAdapter(db), secret, baseURL: 'http://localhost' })
  const body = { name: 'Alice', email: 'alice@example.com', password: 'correct horse' }
  const { user } = await auth.api.signUpEmail({ body })
  const { token } = await auth.api.signInEmail({ body })
  await expect(auth.api.signUpEmail({ body })).rejects.toThrow(/exist/i)
  expect(await db.repository(['auth', 'user', '*'] as never).get(user.id as never)).toMatchObject({
    value: { email: 'alice@example.com', createdAt: expect.stringMatching(/Z$/) },
  })
  expect(await db.repository(['auth', 'session', '*'] as never).count({ where: { token } } as never)).toBe(1)
  await db.repositories.posts.set('one', { title: 'Beside' })
})

it('a unique field stays unique when two create it at once', async () => {
  const adapter = await adapterOf()
  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () => adapter.create({ model: 'user', data: user('alice') })),
  )
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const [failed] = results.filter((result) => result.status === 'rejected')
  expect(failed?.reason).toMatchObject({ code: 'UNIQUE_CONSTRAINT' })
})

it('orders by a field that the options call otherwise', async () => {
  const adapter = await adapterOf({ user: { fields: { name: 'full_name' } } })
  for (const name of ['Bob', 'Carol', 'Alice']) await adapter.create({ model: 'user', data: user(name) })
  const sortBy = { field: 'name', direction: 'asc' } as const
  const found = await adapter.findMany<{ name: string }>({ model: 'user', sortBy })
  expect(found.map(({ name }) => name)).toEqual(['Alice', 'Bob', 'Carol'])
})

it('needs no value for an optional field of JSON', async () => {
  const meta = { type: 'json', required: false } as const
  const adapter = await adapterOf({ user: { additionalFields: { meta } } })
  expect(await adapter.create({ model: 'user', data: user('alice') })).toMatchObject({ name: 'alice' })
  const data = { ...user('bob'), meta: { a: [1] } }
  expect(await adapter.create({ model: 'user', data })).toMatchObject({ meta: { a: [1] } })
})

it('looks up fields by index', async () => {
  const db = await open({})
  const plan = (model: string, where: object) =>
    db.repository(['auth', model, '*'] as never).explain({ where } as never) as unknown as Promise<string[]>
  for (const [model, field] of [
    ['user', 'email'],
    ['session', 'token'],
    ['session', 'userId'],
    ['verification', 'identifier'],
    ['account', 'userId'],
  ] as const)
    expect((await plan(model, { [field]: 'x' })).join()).toMatch(`kv_auth_${model}_${field}`)
})

describe('of several that want one row at once, also by another handle of the file', () => {
  const both = async () => [await adapterOf({}, path('shared.db')), await adapterOf({}, path('shared.db'))]

  it('one consumes it', async () => {
    const adapters = await both()
    const where = [{ field: 'identifier', value: 'once' }]
    const data = {
      identifier: 'once',
      value: 'v',
      expiresAt: new Date(),
      createdAt: new Date(),
      updatedAt: new Date(),
    }
    await adapters[0]!.create({ model: 'verification', data })
    const taken = await Promise.all(
      Array.from({ length: 10 }, (_, i) => adapters[i % 2]!.consumeOne({ model: 'verification', where })),
    )
    expect(taken.filter((row) => row !== null)).toHaveLength(1)
  })

  it('no increment is lost, and none passes its guard', async () => {
    const options: BetterAuthOptions = {
      user: { additionalFields: { left: { type: 'number', required: false } } },
    }
    const [one, two] = [await adapterOf(options, path('left.db')), await adapterOf(options, path('left.db'))]
    await one.create({ model: 'user', data: { ...user('alice'), left: 5 } })
    const spend = (adapter: DBAdapter) =>
      adapter.incrementOne<{ left: number }>({
        model: 'user',
        where: [
          { field: 'email', value: 'alice@example.com' },
          { field: 'left', operator: 'gt', value: 0 },
        ],
        increment: { left: -1 },
      })
    const spent = await Promise.all(Array.from({ length: 8 }, (_, i) => spend(i % 2 ? one : two)))
    expect(spent.flatMap((row) => row?.left ?? []).sort()).toEqual([0, 1, 2, 3, 4])
  })
})

it('a transaction that fails leaves nothing behind, and sees what it has written', async () => {
  const adapter = await adapterOf()
  const failing = adapter.transaction(async (within) => {
    await within.create({ model: 'user', data: user('alice') })
    expect(await within.count({ model: 'user' })).toBe(1)
    expect(await adapter.count({ model: 'user' })).toBe(0)
    throw new Error('of the transaction')
  })
  await expect(failing).rejects.toThrow('of the transaction')
  expect(await adapter.count({ model: 'user' })).toBe(0)
})

it('treats null, negation and pattern characters like SQL adapters', async () => {
  const adapter = await adapterOf()
  for (const [name, image] of [
    ['a%', null],
    ['ab', 'x'],
    ['A%', 'y'],
  ] as const)
    await adapter.create({ model: 'user', data: { ...user(name), email: `${name}-${image}@x`, image } })
  const found = async (...where: Parameters<DBAdapter['count']>[0]['where'] & object) =>
    (await adapter.findMany<{ name: string }>({ model: 'user', where })).map(({ name }) => name).sort()
  const insensitive = { mode: 'insensitive' } as const
  expect(await found({ field: 'image', value: null })).toEqual(['a%'])
  expect(await found({ field: 'image', operator: 'ne', value: null })).toEqual(['A%', 'ab'])
  expect(await found({ field: 'image', operator: 'gt', value: null })).toEqual([])
  expect(await found({ field: 'name', value: 'a%', ...insensitive })).toEqual(['A%', 'a%'])
  expect(await found({ field: 'name', operator: 'in', value: ['AB', 'A%'], ...insensitive })).toEqual([
    'A%',
    'a%',
    'ab',
  ])
  expect(await found({ field: 'name', operator: 'not_in', value: ['AB'], ...insensitive })).toEqual([
    'A%',
    'a%',
  ])
  expect(await found({ field: 'name', operator: 'in', value: [], ...insensitive })).toEqual([])
  expect(await found({ field: 'name', operator: 'starts_with', value: 'a%' })).toEqual(['a%'])
  expect(
    await found(
      { field: 'name', value: 'ab', connector: 'OR' },
      { field: 'name', value: 'A%', connector: 'OR' },
      { field: 'image', value: 'x' },
    ),
  ).toEqual(['ab'])
})

it('keeps to its prefix', async () => {
  const db = await Valkeyrie.withSchemas(authSchemas({}, { prefix: ['apps', 'one'] })).open(newAddress())
  onTestFinished(() => db.close())
  const adapter = authAdapter(db, { prefix: ['apps', 'one'] })({})
  const { id } = await adapter.create({ model: 'user', data: user('alice') })
  expect(await Array.fromAsync(db.list({ prefix: [] }), ({ key }) => key)).toEqual([
    ['apps', 'one', 'user', id],
  ])
})

it('refuses anything but a database, and an invalid prefix', () => {
  expect(() => authAdapter({} as never)).toThrow('authAdapter takes an open database')
  expect(() => authAdapter({ unitOfWork() {} } as never, { prefix: [] })).toThrow(TypeError)
  expect(() => authSchemas({}, { prefix: 'auth' as never })).toThrow("as ['auth']")
})
