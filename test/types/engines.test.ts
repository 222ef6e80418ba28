import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { type OpenOptions, Valkeyrie } from 'valkeyrie'
import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const users = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }))

/** Never called: that it compiles is what is tested. */
async function engines(address: string, options: OpenOptions) {
  const file = await users.open('./data.db')
  const server = await users.open('postgres://db.example.com/shop', { connections: 3 })
  const late = await users.open(address)
  // An address that is known late may be any, and so may options that are not written here.
  await users.open(address, { connections: 3 })
  await users.open(new URL(address), { durability: 'full' })
  await users.open(`${address}/shop.db`, { durability: 'full', connections: 3 })
  await users.open('./data.db', options)
  const open = <Address extends string>(to: Address) => users.open(to)
  await open('./data.db')
  const either = address === '' ? './data.db' : 'postgres://db.example.com/shop'
  await users.open(either, { connections: 3 })
  await Valkeyrie.open('./data.db', { durability: 'full', busyTimeout: 10, readOnly: true })
  await Valkeyrie.open()
  // @ts-expect-error A file has no connections.
  await users.open('./data.db', { connections: 3 })
  // @ts-expect-error A server has no durability.
  await Valkeyrie.open('postgres://db.example.com/shop', { durability: 'full' })
  // @ts-expect-error A file has no schema of a server.
  await Valkeyrie.inspect('./data.db', { schema: 'shop' })
  // @ts-expect-error There is no such engine.
  late.as('mysql')
  // @ts-expect-error Drizzle for PostgreSQL has no answer at once.
  server.drizzle.select().from(server.tables.kv).all()
  return { file, server, late, lateServer: late.as('postgres'), lateFile: late.as('sqlite') }
}
type Opened = Awaited<ReturnType<typeof engines>>

it('an address that the compiler sees gives the types of its engine, over the same repositories', () => {
  expectTypeOf<Opened['file']['drizzle']>().toExtend<BetterSQLite3Database>()
  expectTypeOf<Opened['server']['drizzle']['execute']>().returns.resolves.toHaveProperty('rows')
  expectTypeOf<Opened['server']['repositories']>().toEqualTypeOf<Opened['file']['repositories']>()
})

it('an address that is known late names its engine at run time, and as gives the types', () => {
  expectTypeOf<Opened['late']['engine']>().toEqualTypeOf<'sqlite' | 'postgres'>()
  expectTypeOf<Opened['lateServer']['drizzle']>().toEqualTypeOf<Opened['server']['drizzle']>()
  expectTypeOf<Opened['lateServer']['tables']>().toEqualTypeOf<Opened['server']['tables']>()
  expectTypeOf<Opened['lateFile']['tables']>().toEqualTypeOf<Opened['file']['tables']>()
  expectTypeOf<Opened['lateServer']['repositories']>().toEqualTypeOf<Opened['late']['repositories']>()
})
