import { type Entry, type EntryMaybe, type Key, Valkeyrie } from 'valkeyrie'
import { expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { Editor } from './language-service.ts'

interface User {
  name: string
}
type AliceKey = readonly ['users', 'alice']

const builder = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }))

declare const db: Awaited<ReturnType<typeof builder.open>>

it('an entry is named by its key and value, or by its value alone', () => {
  expectTypeOf<EntryMaybe<User>>().toEqualTypeOf<EntryMaybe<Key, User>>()
  expectTypeOf<Entry<User>>().toEqualTypeOf<Entry<Key, User>>()
  expectTypeOf<Entry<User>['key']>().toEqualTypeOf<Key>()
  expectTypeOf<Entry<User | null>['value']>().toEqualTypeOf<User | null>()
  expectTypeOf<Entry<Key, string[]>['value']>().toEqualTypeOf<string[]>()
})

it('one argument that is a key is the key', () => {
  expectTypeOf<EntryMaybe<AliceKey>>().toEqualTypeOf<EntryMaybe<AliceKey, unknown>>()
  expectTypeOf<Entry<AliceKey>['key']>().toEqualTypeOf<AliceKey>()
  expectTypeOf<Entry['value']>().toEqualTypeOf<unknown>()
})

it('what reads return is assignable to both forms', () => {
  const get = () => db.get(['users', 'alice'])
  const watch = () => db.watch([['users', 'alice']])
  const list = () => db.list({ prefix: ['users'] })
  type Got = Awaited<ReturnType<typeof get>>
  expectTypeOf<Got>().toEqualTypeOf<EntryMaybe<AliceKey, User>>()
  expectTypeOf<Got>().toExtend<EntryMaybe<User>>()
  expectTypeOf<ReturnType<typeof watch>>().toExtend<ReadableStream<EntryMaybe<User>[]>>()
  expectTypeOf<ReturnType<typeof list>>().toExtend<AsyncIterable<Entry<User>>>()
})

it('generic code infers key and value from either form', () => {
  const both = <K extends Key, V>(_: EntryMaybe<K, V>): [K, V] | null => null
  const got = () => db.get(['users', 'alice']).then(both)
  expectTypeOf(got).returns.resolves.toEqualTypeOf<[AliceKey, User] | null>()
  expectTypeOf(both({} as EntryMaybe<User>)).toEqualTypeOf<[Key, User] | null>()
  const key = <K extends Key>(_: EntryMaybe<K>): K | null => null
  expectTypeOf(key({} as EntryMaybe<AliceKey, User>)).toEqualTypeOf<AliceKey | null>()

  const made = <K extends Key, V>(of: K, value: V): Entry<K, V> => ({
    key: of,
    value,
    versionstamp: '',
    expiresAt: null,
  })
  expectTypeOf(made(['users', 'alice'] as const, 1)).toEqualTypeOf<Entry<AliceKey, number>>()
  const read = async <T>(of: Key) => (await db.get(of)) as EntryMaybe<T>
  const name = async () => (await read<User>(['users', 'alice'])).value?.name
  expectTypeOf(name).returns.resolves.toEqualTypeOf<string | undefined>()
})

it('an editor shows the key and the value of an entry', () => {
  const written = 'declare let written|: EntryMaybe<{ name: string }>'
  const got = 'const got| = await db.get(["users", "alice"])'
  const header = `
import { type EntryMaybe, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
const db = await Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() })).open()
`
  const editor = new Editor(header, [written, got])
  expect(editor.quickInfo(written)).toBe('let written: EntryMaybe<{\n    name: string;\n}>')
  expect(editor.quickInfo(got)).toBe(
    'const got: KeyEntryMaybe<readonly ["users", "alice"], {\n    name: string;\n}>',
  )
})
