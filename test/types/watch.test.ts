import { type Change, type EntryMaybe, type Key, type KeyPart, Valkeyrie } from 'valkeyrie'
import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'

interface User {
  name: string
}
interface Post {
  title: string
}

const builder = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }))
  .withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string() }), { name: 'posts' })
  .withSchema(['site'], z.object({ theme: z.string() }))

declare const db: Awaited<ReturnType<typeof builder.open>>

type Item<Stream> = Stream extends ReadableStream<infer T> ? T : never

it('a watch of keys is typed key by key', () => {
  const watch = () =>
    db.watch([
      ['users', 'alice'],
      ['users', 'alice', 'posts', 'p1'],
      ['other', 1],
    ])
  type Tuple = Item<ReturnType<typeof watch>>
  expectTypeOf<Tuple['length']>().toEqualTypeOf<3>()
  expectTypeOf<Tuple[0]>().toEqualTypeOf<EntryMaybe<readonly ['users', 'alice'], User>>()
  expectTypeOf<Tuple[1]['value']>().toEqualTypeOf<Post | null>()
  expectTypeOf<Tuple[2]['value']>().toEqualTypeOf<unknown>()

  const keys: Key[] = []
  const many = () => db.watch(keys)
  expectTypeOf<Item<ReturnType<typeof many>>[number]['value']>().toEqualTypeOf<unknown>()

  // @ts-expect-error a key is an array
  const wrong = () => db.watch(['users'])
  void wrong
})

it('a watch of ids gives an entry for one, and a tuple for several', () => {
  const { users, posts, site } = ({} as typeof db).repositories ?? {}
  const one = () => users.watch('alice')
  expectTypeOf<Item<ReturnType<typeof one>>['value']>().toEqualTypeOf<User | null>()
  const two = () => users.watch(['alice', 'bob'], { signal: AbortSignal.abort() })
  type Two = Item<ReturnType<typeof two>>
  expectTypeOf<Two['length']>().toEqualTypeOf<2>()
  expectTypeOf<Two[1]['value']>().toEqualTypeOf<User | null>()
  const nested = () => posts.watch(['alice', 'p1'])
  expectTypeOf<Item<ReturnType<typeof nested>>['id']>().toEqualTypeOf<readonly [KeyPart, KeyPart]>()
  const severalNested = () => posts.watch([['alice', 'p1']])
  expectTypeOf<Item<ReturnType<typeof severalNested>>[0]['value']>().toEqualTypeOf<Post | null>()
  const single = () => site.watch({ signal: AbortSignal.abort() })
  expectTypeOf<Item<ReturnType<typeof single>>['id']>().toEqualTypeOf<undefined>()
  // @ts-expect-error there is one row only
  const wrong = () => site.watch('home')
  void wrong
})

it('a live query gives the entries of its query', () => {
  const { users } = ({} as typeof db).repositories ?? {}
  const watched = () => users.watchMany({ where: { name: 'Alice' }, with: { posts: true } })
  type Entry = Item<ReturnType<typeof watched>>[number]
  expectTypeOf<Entry['value']>().toEqualTypeOf<User>()
  expectTypeOf<Entry['posts'][number]['value']>().toEqualTypeOf<Post>()
  const all = () => users.watchMany()
  expectTypeOf<Item<ReturnType<typeof all>>[number]['value']>().toEqualTypeOf<User>()
  // @ts-expect-error no such field
  const wrong = () => users.watchMany({ where: { nick: 'A' } })
  void wrong
})

it('a change has the value of its key, or null', () => {
  const { users } = ({} as typeof db).repositories ?? {}
  const changes = () => users.changes({ since: '0'.repeat(20) })
  type UserChange = Item<ReturnType<typeof changes>>
  expectTypeOf<UserChange['id']>().toEqualTypeOf<KeyPart>()
  expectTypeOf<UserChange['value']>().toEqualTypeOf<User | null>()
  const deleted = (change: UserChange) => (change.type === 'set' ? null : change.value)
  expectTypeOf<ReturnType<typeof deleted>>().toEqualTypeOf<null>()
  const under = () => db.changes({ prefix: ['users', 'alice', 'posts'] })
  expectTypeOf<Item<ReturnType<typeof under>>>().toEqualTypeOf<Change<Key, Post>>()
})
