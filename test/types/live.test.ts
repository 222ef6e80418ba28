import { type KeyPart, Valkeyrie } from 'valkeyrie'
import { createClient } from 'valkeyrie/client'
import { liveChanges, liveQuery, serveLive } from 'valkeyrie/http'
import { useLiveQuery, useSuspenseLiveQuery } from 'valkeyrie/react'
import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'

interface User {
  name: string
  joined: Date
}

const builder = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string(), joined: z.date() }))
declare const db: Awaited<ReturnType<typeof builder.open>>

const serve = () =>
  serveLive(
    {
      users: liveQuery(
        z.object({ since: z.coerce.number(), limit: z.int().default(10) }),
        ({ since, limit }) => {
          expectTypeOf(since).toEqualTypeOf<number>()
          expectTypeOf(limit).toEqualTypeOf<number>()
          return db.repositories.users.watchMany({ limit })
        },
      ),
      user: liveQuery(z.object({ id: z.string() }), ({ id }) => db.repositories.users.watch(id)),
      defaults: liveQuery(z.object({ limit: z.int().default(3) }), () => ReadableStream.from([1])),
      both: liveQuery((_, { signal }) => db.watch([['users', 'ada'], ['round']], { signal })),
      optional: liveQuery(z.object({ limit: z.int() }).optional(), () => ReadableStream.from([1])),
      changes: liveChanges((_, { since }) => db.repositories.users.changes({ since })),
      filtered: liveChanges((_, { since }) => db.repositories.users.changes({ since }), {
        filter: ({ id, value }, params) => {
          expectTypeOf(id).toEqualTypeOf<KeyPart>()
          expectTypeOf(value).toEqualTypeOf<User | null>()
          expectTypeOf(params).toEqualTypeOf<undefined>()
          return true
        },
      }),
      ofOne: liveChanges(z.coerce.number(), (_, { since }) => db.repositories.users.changes({ since }), {
        filter: ({ id }, params) => {
          expectTypeOf(params).toEqualTypeOf<number>()
          return id === params
        },
      }),
      under: liveChanges(z.string(), (id, { since }) => db.changes({ prefix: ['users', id], since })),
    },
    {
      authorize: (request, query) => {
        expectTypeOf(request).toEqualTypeOf<Request>()
        if (query.name === 'users') {
          expectTypeOf(query.params).toEqualTypeOf<{ since: number; limit: number }>()
          return { params: { ...query.params, limit: 1 } }
        }
        // What there is not, or has other parameters, is asked about too.
        if (query.name === null) expectTypeOf(query.params).toEqualTypeOf<undefined>()
        if (query.name === 'both') expectTypeOf(query.params).toEqualTypeOf<undefined>()
        return true
      },
    },
  )
const client = () => createClient<ReturnType<typeof serve>>('/live')

it('a client has the names, parameters and results that its server has declared', () => {
  const users = () => client().watch('users', { since: 5 }).first()
  type Users = Awaited<ReturnType<typeof users>>
  expectTypeOf<Users[number]['value']>().toEqualTypeOf<User>()
  expectTypeOf<Users[number]['id']>().toEqualTypeOf<KeyPart>()
  // @ts-expect-error all readers share the list
  const change = (given: Users) => given.push(given[0]!)
  void change

  const user = () => client().watch('user', { id: 'ada' }).first()
  expectTypeOf<Awaited<ReturnType<typeof user>>['value']>().toEqualTypeOf<User | null>()
  const both = () => client().watch('both').first()
  type Both = Awaited<ReturnType<typeof both>>
  expectTypeOf<Both['length']>().toEqualTypeOf<2>()
  expectTypeOf<Both[0]['value']>().toEqualTypeOf<User | null>()
  const optional = () => [client().watch('optional'), client().watch('optional', { limit: 1 })]
  void optional
  const defaults = () => [client().watch('defaults'), client().watch('defaults', { limit: 1 })]
  void defaults

  const wrong = () => {
    // @ts-expect-error no such name
    client().watch('nobody')
    // @ts-expect-error changes are followed by `changes`
    client().watch('changes')
    // @ts-expect-error it has parameters
    client().watch('users')
    // @ts-expect-error of these
    client().watch('user', { name: 'ada' })
    // @ts-expect-error it has none
    client().watch('both', {})
  }
  void wrong
})

it('changes are typed by their repository, or their keys', () => {
  const changes = () => client().changes('changes').next()
  type UserChange = Extract<Awaited<ReturnType<typeof changes>>, { done?: false }>['value']
  expectTypeOf<UserChange['id']>().toEqualTypeOf<KeyPart>()
  expectTypeOf<UserChange['value']>().toEqualTypeOf<User | null>()
  const filtered = () => client().changes('filtered').next()
  type FilteredChange = Extract<Awaited<ReturnType<typeof filtered>>, { done?: false }>['value']
  expectTypeOf<FilteredChange>().toEqualTypeOf<UserChange>()
  const under = () => client().changes('under', 'ada', { since: '0'.repeat(20) })
  void under
  // @ts-expect-error a query is followed by `watch`
  const wrong = () => client().changes('users', { since: 1 })
  void wrong
})

it('a component has what a client has', () => {
  const draw = () => {
    const { status, result, error } = useLiveQuery(client(), 'user', { id: 'ada' })
    if (status === 'live') expectTypeOf(result.value).toEqualTypeOf<User | null>()
    if (status === 'failed') expectTypeOf(error.code).toBeString()
    const users = useSuspenseLiveQuery(client(), 'users', { since: 1 }, { initial: [] })
    expectTypeOf(users[0]!.value).toEqualTypeOf<User>()
    // @ts-expect-error it has parameters
    useLiveQuery(client(), 'users')
  }
  void draw
})

it('options without authorize make no server', () => {
  const wrong = () => {
    // @ts-expect-error you must say who may ask
    serveLive({ all: liveQuery(() => db.repositories.users.watchMany()) }, {})
    serveLive(
      { all: liveQuery(() => db.repositories.users.watchMany()) },
      // @ts-expect-error a user is no grant
      { authorize: () => ({ name: 'ada' }) },
    )
    // @ts-expect-error a stream is opened, not a result found
    liveQuery(() => db.repositories.users.findMany())
    // @ts-expect-error changes have keys and versionstamps
    liveChanges(() => ReadableStream.from([1]))
  }
  void wrong
})
