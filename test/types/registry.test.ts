import { type } from 'arktype'
import * as v from 'valibot'
import { Valkeyrie } from 'valkeyrie'
import { type AnyDefinition, type DefinitionOf, type DefinitionOptions, defineSchema } from 'valkeyrie/schema'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { Key, KeyPart } from '../../src/contract/key.types.ts'
import type { Update } from '../../src/repository/types/entry.types.ts'
import type { Repositories, RepositoryOf } from '../../src/repository/types/repositories.types.ts'
import type { CheckedOptions } from '../../src/schema/definition.types.ts'
import type { FieldAt, FieldPath } from '../../src/schema/field-path.types.ts'
import type {
  DefinitionByName,
  DefinitionByPattern,
  Entry,
  EntryMaybe,
  IdOfDefinition,
  InputOf,
  InputOfDefinition,
  KeyOfDefinition,
  NewDefinition,
  NewDefinitions,
  OutputOf,
  SelectedValue,
  ValueOf,
  WatchEntries,
} from '../../src/schema/registry.types.ts'
import type { KvU64 } from '../../src/value/kv-u64.ts'

const person = z.object({
  name: z.string(),
  email: z.email(),
  address: z.object({ city: z.string() }).optional(),
  joined: z.date(),
})

const users = defineSchema(['users', '*'], z.object({ name: z.string() }))
const me = defineSchema(['users', 'me'], z.object({ self: z.boolean() }), { name: 'me' })
const posts = defineSchema(['users', '*', 'posts', '*'], z.object({ title: z.string() }), { name: 'posts' })
const numbers = defineSchema(['numbers', '*'], z.string().transform(Number))
const site = defineSchema(['site'], z.object({ motto: z.string().default('') }))

type User = { name: string }
type Me = { self: boolean }
type Post = { title: string }
type R = readonly [typeof users, typeof me, typeof posts, typeof numbers, typeof site]

describe('a definition', () => {
  it('has the types of its pattern, its name and its schema', () => {
    expectTypeOf(users.pattern).toEqualTypeOf<readonly ['users', '*']>()
    expectTypeOf(users.name).toEqualTypeOf<'users'>()
    expectTypeOf(posts.name).toEqualTypeOf<'posts'>()
    expectTypeOf(defineSchema(['a', '*', 'big-b', '*'], person).name).toEqualTypeOf<'aBigB'>()
    expectTypeOf<OutputOf<typeof users>>().toEqualTypeOf<User>()
    expectTypeOf<OutputOf<typeof numbers>>().toEqualTypeOf<number>()
    expectTypeOf<InputOfDefinition<typeof numbers>>().toEqualTypeOf<string>()
    expectTypeOf<InputOfDefinition<typeof site>>().toEqualTypeOf<{ motto?: string | undefined }>()
    expectTypeOf<OutputOf<typeof site>>().toEqualTypeOf<{ motto: string }>()
    expectTypeOf<KeyOfDefinition<typeof users>>().toEqualTypeOf<readonly ['users', KeyPart]>()
    expectTypeOf<IdOfDefinition<typeof users>>().toEqualTypeOf<KeyPart>()
    expectTypeOf<IdOfDefinition<typeof posts>>().toEqualTypeOf<readonly [KeyPart, KeyPart]>()
    expectTypeOf<IdOfDefinition<typeof site>>().toEqualTypeOf<undefined>()
  })

  it('is assignable to any definition', () => {
    expectTypeOf(users).toExtend<AnyDefinition>()
    expectTypeOf(defineSchema(['a'], v.object({ b: v.string() }))).toExtend<AnyDefinition>()
    expectTypeOf(defineSchema(['a'], type({ b: 'string' }))).toExtend<AnyDefinition>()
  })

  it('takes coerced, Valibot and ArkType schemas', () => {
    const coerced = defineSchema(['a'], z.coerce.number())
    expectTypeOf<InputOfDefinition<typeof coerced>>().toEqualTypeOf<unknown>()
    expectTypeOf<OutputOf<typeof coerced>>().toEqualTypeOf<number>()
    const valibot = defineSchema(['a'], v.pipe(v.string(), v.transform(Number)))
    expectTypeOf<InputOfDefinition<typeof valibot>>().toEqualTypeOf<string>()
    expectTypeOf<OutputOf<typeof valibot>>().toEqualTypeOf<number>()
    const arktype = defineSchema(['a'], type('string.numeric.parse'))
    expectTypeOf<InputOfDefinition<typeof arktype>>().toEqualTypeOf<string>()
    expectTypeOf<OutputOf<typeof arktype>>().toEqualTypeOf<number>()
  })

  it('keeps its references', () => {
    const comments = defineSchema(['comments', '*'], z.object({ by: z.string() }), {
      references: { by: users },
    })
    expectTypeOf(comments.references.by).toEqualTypeOf<typeof users>()
  })
})

describe('options', () => {
  it('index fields of the output', () => {
    defineSchema(['a', '*'], person, {
      indexes: [{ on: 'email', unique: true }, { on: ['address.city', 'name'] }, { on: 'joined' }],
    })
    const renamed = z.object({ at: z.string() }).transform(({ at }) => ({ when: new Date(at) }))
    defineSchema(['a', '*'], renamed, { indexes: [{ on: 'when' }] })
    // @ts-expect-error -- a field of the input only
    defineSchema(['a', '*'], renamed, { indexes: [{ on: 'at' }] })
    defineSchema(['a', '*'], z.record(z.string(), z.number()), { indexes: [{ on: 'anything' }] })
    defineSchema(['a', '*'], z.any(), { indexes: [{ on: 'anything' }] })
    const computed: string = 'email'
    defineSchema(['a', '*'], person, { indexes: [{ on: computed }] })
    defineSchema(['a', '*'], v.object({ b: v.string() }), { indexes: [{ on: 'b' }] })
    defineSchema(['a', '*'], type({ b: 'string' }), { indexes: [{ on: 'b' }] })
  })

  it('that are wrong say so in a sentence', () => {
    // @ts-expect-error -- no such field
    expect(() => defineSchema(['a', '*'], person, { indexes: [{ on: 'emial' }] })).toThrow(/emial/)
    // @ts-expect-error -- no such field
    const nested = () => defineSchema(['a', '*'], person, { indexes: [{ on: ['email', 'address.town'] }] })
    expect(nested).toThrow(/address\.town/)
    // @ts-expect-error -- a Date has no fields
    expect(() => defineSchema(['a', '*'], person, { indexes: [{ on: 'joined.getTime' }] })).toThrow(/getTime/)
    const odd = z.object({ 'a"b': z.string(), 'a.b': z.string() })
    // @ts-expect-error -- a name with a quote is not a part of an index
    expect(() => defineSchema(['a', '*'], odd, { indexes: [{ on: 'a"b' }] })).toThrow(/quotes/)
    // @ts-expect-error -- a name with a dot is not a part of an index
    expect(() => defineSchema(['a', '*'], odd, { indexes: [{ on: 'a.b' }] })).toThrow(/a\.b/)
    // @ts-expect-error -- nor is one that is escaped
    expect(() => defineSchema(['a', '*'], odd, { indexes: [{ on: 'a\\.b' }] })).toThrow(/backslashes/)
    // @ts-expect-error -- no such option
    expectTypeOf(() => defineSchema(['a', '*'], person, { indices: [] })).toBeFunction()
    // @ts-expect-error -- no such option of an index
    const misspelled = () => defineSchema(['a'], person, { indexes: [{ on: 'name', uniqe: true }] })
    expectTypeOf(misspelled).toBeFunction()
    // @ts-expect-error -- no such field
    expect(() => defineSchema(['a', '*'], person, { references: { author: users } })).toThrow(/'author'/)

    type Index<On> = CheckedOptions<typeof person, { indexes: readonly [{ on: On }] }>['indexes'][0]['on']
    expectTypeOf<Index<'email'>>().toEqualTypeOf<'email'>()
    expectTypeOf<Index<'emial'>>().toEqualTypeOf<{ error: "no field 'emial' in the output of this schema" }>()
    expectTypeOf<Index<readonly ['email', 'address.town']>>().toEqualTypeOf<
      readonly ['email', { error: "no field 'address.town' in the output of this schema" }]
    >()
    expectTypeOf<CheckedOptions<typeof person, { indices: [] }>>().toEqualTypeOf<{
      readonly indices: {
        error: "no option 'indices': there are name, indexes, search, references and valueTypes"
      }
    }>()
    expectTypeOf<
      CheckedOptions<typeof person, { indexes: [{ on: 'email'; uniqe: true }] }>['indexes'][0]['uniqe']
    >().toEqualTypeOf<{ error: "no option 'uniqe' of an index: there are on and unique" }>()
    expectTypeOf<
      CheckedOptions<typeof person, { references: { author: typeof users } }>['references']['author']
    >().toEqualTypeOf<{ error: "no field 'author' in the output of this schema" }>()
  })
})

describe('field paths', () => {
  type Shape = {
    name: string
    nick?: string
    address?: { city: string; geo: { lat: number } } | null
    tags: string[]
    at: Date
    seen: Map<string, number>
    go: () => void
    extra: unknown
    'a.b': number
  }

  it('lead through plain objects', () => {
    expectTypeOf<FieldPath<Shape>>().toEqualTypeOf<
      | 'name'
      | 'nick'
      | 'address'
      | 'address.city'
      | 'address.geo'
      | 'address.geo.lat'
      | 'tags'
      | 'at'
      | 'seen'
      | 'go'
      | 'extra'
      | 'a\\.b'
    >()
    expectTypeOf<FieldAt<Shape, 'address.geo.lat'>>().toEqualTypeOf<number>()
    expectTypeOf<FieldAt<Shape, 'nick'>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<FieldAt<Shape, 'extra.x'>>().toEqualTypeOf<unknown>()
    expectTypeOf<FieldAt<Shape, 'address.town'>>().toEqualTypeOf<never>()
    expectTypeOf<FieldAt<Shape, 'a.b'>>().toEqualTypeOf<never>()
    expectTypeOf<FieldAt<Shape, 'a\\.b'>>().toEqualTypeOf<number>()
    expectTypeOf<FieldAt<{ 'c\\d': { 'a.b': Date } }, 'c\\\\d.a\\.b'>>().toEqualTypeOf<Date>()
    expectTypeOf<FieldAt<Shape, 'tags.length'>>().toEqualTypeOf<never>()
  })

  it('of a union are those of its members', () => {
    type Union = { kind: 'a'; a: number } | { kind: 'b'; b: string }
    expectTypeOf<FieldPath<Union>>().toEqualTypeOf<'kind' | 'a' | 'b'>()
    expectTypeOf<FieldAt<Union, 'kind'>>().toEqualTypeOf<'a' | 'b'>()
    expectTypeOf<FieldAt<Union, 'b'>>().toEqualTypeOf<string>()
  })

  it('end in a type that contains itself', () => {
    type Tree = { value: number; left?: Tree; right?: Tree }
    expectTypeOf<'left.right.value'>().toExtend<FieldPath<Tree>>()
    expectTypeOf<FieldAt<Tree, 'left.left.left.left.left.left.value'>>().toEqualTypeOf<number>()
  })

  it('of an unknown type are any', () => {
    expectTypeOf<FieldPath<unknown>>().toEqualTypeOf<string>()
    expectTypeOf<FieldPath<Record<string, number>>>().toEqualTypeOf<string>()
    expectTypeOf<FieldPath<string>>().toEqualTypeOf<never>()
    expectTypeOf<FieldPath<KvU64>>().toEqualTypeOf<never>()
  })
})

describe('the value of a key', () => {
  it('is that of the most specific pattern', () => {
    expectTypeOf<ValueOf<R, readonly ['users', 'alice']>>().toEqualTypeOf<User>()
    expectTypeOf<ValueOf<R, readonly ['users', 1n]>>().toEqualTypeOf<User>()
    expectTypeOf<ValueOf<R, readonly ['users', '*']>>().toEqualTypeOf<{
      readonly error: "'*' stands for any part in a pattern: name that part in a key"
    }>()
    expectTypeOf<User>().not.toExtend<InputOf<R, readonly ['users', '*']>>()
    expectTypeOf<ValueOf<R, ['users', Uint8Array]>>().toEqualTypeOf<User>()
    expectTypeOf<ValueOf<R, readonly ['users', 'me']>>().toEqualTypeOf<Me>()
    expectTypeOf<ValueOf<R, readonly ['users', 'me', 'posts', 'p1']>>().toEqualTypeOf<Post>()
    expectTypeOf<InputOf<R, readonly ['users', 'alice']>>().toEqualTypeOf<User>()
    expectTypeOf<InputOf<R, readonly ['users', 'me']>>().toEqualTypeOf<Me>()
  })

  it('is decided at the first part where two patterns differ', () => {
    const first = defineSchema(['a', '*', '*'], z.object({ first: z.string() }), { name: 'first' })
    const second = defineSchema(['*', 'b', 'c'], z.object({ second: z.string() }), { name: 'second' })
    const third = defineSchema(['a', '*', 'c'], z.object({ third: z.string() }), { name: 'third' })
    type Three = readonly [typeof second, typeof first, typeof third]
    expectTypeOf<ValueOf<Three, readonly ['a', 'b', 'c']>>().toEqualTypeOf<{ third: string }>()
    expectTypeOf<ValueOf<Three, readonly ['a', 'b', 'd']>>().toEqualTypeOf<{ first: string }>()
    expectTypeOf<ValueOf<Three, readonly ['x', 'b', 'c']>>().toEqualTypeOf<{ second: string }>()
    // 'a' and then anything: `first` matches surely, `third` perhaps; both are more specific than `second`.
    expectTypeOf<ValueOf<Three, readonly ['a', string, string]>>().toEqualTypeOf<
      { first: string } | { third: string }
    >()
  })

  it('has an input type for writes and an output type for reads', () => {
    expectTypeOf<ValueOf<R, readonly ['numbers', 'one']>>().toEqualTypeOf<number>()
    expectTypeOf<InputOf<R, readonly ['numbers', 'one']>>().toEqualTypeOf<string>()
    expectTypeOf<ValueOf<R, readonly ['site']>>().toEqualTypeOf<{ motto: string }>()
    expectTypeOf<InputOf<R, readonly ['site']>>().toEqualTypeOf<{ motto?: string | undefined }>()
  })

  it('is a union if the key leaves it open', () => {
    expectTypeOf<ValueOf<R, readonly ['users', string]>>().toEqualTypeOf<User | Me>()
    expectTypeOf<ValueOf<R, readonly ['users', KeyPart]>>().toEqualTypeOf<User | Me>()
    expectTypeOf<ValueOf<R, readonly ['users', 'me' | 'alice']>>().toEqualTypeOf<User | Me>()
    expectTypeOf<ValueOf<R, readonly ['users', number]>>().toEqualTypeOf<User>()
    expectTypeOf<InputOf<R, readonly ['users', string]>>().toEqualTypeOf<User & Me>()
    expectTypeOf<InputOf<R, readonly ['users', number]>>().toEqualTypeOf<User>()
    expectTypeOf<ValueOf<R, readonly ['users', 'me'] | readonly ['numbers', 'one']>>().toEqualTypeOf<
      Me | number
    >()
    expectTypeOf<InputOf<R, readonly ['users', 'me'] | readonly ['numbers', 'one']>>().toEqualTypeOf<
      Me & string
    >()
  })

  it('takes a part of any type, as JSON gives them, for any part', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: what JSON.parse gives
    type Any = any
    expectTypeOf<ValueOf<R, readonly ['users', Any]>>().toEqualTypeOf<User | Me>()
    expectTypeOf<InputOf<R, readonly ['users', Any]>>().toEqualTypeOf<User & Me>()
    expectTypeOf<ValueOf<R, readonly ['users', Any, 'posts', Any]>>().toEqualTypeOf<Post>()
    expectTypeOf<ValueOf<R, readonly ['numbers', Any]>>().toEqualTypeOf<number>()
    expectTypeOf<InputOf<R, readonly ['numbers', Any]>>().toEqualTypeOf<string>()
    expectTypeOf<ValueOf<R, readonly ['other', Any]>>().toBeUnknown()
    expectTypeOf<ValueOf<R, readonly Any[]>>().toBeUnknown()
    expectTypeOf<InputOf<R, Any>>().toBeUnknown()
    expectTypeOf<ValueOf<readonly [], readonly ['a', Any]>>().toBeUnknown()
    expectTypeOf<ValueOf<R, readonly ['users', Any, '*']>>().not.toEqualTypeOf<User>()

    const row = JSON.parse('{ "id": "a" }')
    await using db = await Valkeyrie.withSchemas([numbers]).open()
    await db.set(['numbers', row.id], '1')
    await db.set(['rows', row.id], { n: 1 })
    const key: Any[] = ['rows', 1]
    await db.set(key, 2)
    await db.set(row.key ?? ['rows', 2], 3)
    await db.atomic().sum(['hits', row.id], 1n).commit()
    await db.unitOfWork((unit) => unit.set(['rows', row.id], { n: 2 }))
    const { value } = await db.get(['numbers', row.id])
    expectTypeOf(value).toEqualTypeOf<number | null>()
    expect(value).toBe(1)
    expect(await Array.fromAsync(db.list({ prefix: ['rows', row.id] }))).toHaveLength(0)
  })

  it('is unknown if no pattern matches, or perhaps none does', () => {
    expectTypeOf<ValueOf<R, readonly ['other']>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<R, readonly ['users']>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<R, readonly ['users', 'alice', 'x']>>().toEqualTypeOf<unknown>()
    expectTypeOf<InputOf<R, readonly ['other']>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<R, readonly [string, string]>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<R, Key>>().toEqualTypeOf<unknown>()
    expectTypeOf<InputOf<R, Key>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<R, readonly ['users', ...string[]]>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<readonly [], readonly ['users', 'alice']>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<readonly AnyDefinition[], readonly ['users', 'alice']>>().toEqualTypeOf<unknown>()
  })

  it('is open for a pattern whose parts the compiler does not know', () => {
    const part: string = 'alice'
    const dynamic = defineSchema(['users', part], z.object({ dynamic: z.string() }), { name: 'dynamic' })
    type Dynamic = readonly [typeof users, typeof dynamic]
    expectTypeOf<ValueOf<Dynamic, readonly ['users', 'alice']>>().toEqualTypeOf<User | { dynamic: string }>()
    expectTypeOf<ValueOf<readonly [typeof dynamic], readonly ['users', 'alice']>>().toEqualTypeOf<unknown>()
  })

  it('knows parts of other types than string', () => {
    const one = defineSchema(['n', 1], z.object({ one: z.string() }), { name: 'one' })
    const big = defineSchema(['n', 1n], z.object({ big: z.string() }), { name: 'big' })
    const yes = defineSchema(['n', true], z.object({ yes: z.string() }), { name: 'yes' })
    const bytes = defineSchema(['n', new Uint8Array()], z.object({ bytes: z.string() }), { name: 'bytes' })
    const rest = defineSchema(['n', '*'], z.object({ rest: z.string() }), { name: 'rest' })
    type Parts = readonly [typeof one, typeof big, typeof yes, typeof bytes, typeof rest]
    expectTypeOf<ValueOf<Parts, readonly ['n', 1]>>().toEqualTypeOf<{ one: string }>()
    expectTypeOf<ValueOf<Parts, readonly ['n', 1n]>>().toEqualTypeOf<{ big: string }>()
    expectTypeOf<ValueOf<Parts, readonly ['n', 2]>>().toEqualTypeOf<{ rest: string }>()
    expectTypeOf<ValueOf<Parts, readonly ['n', number]>>().toEqualTypeOf<{ one: string } | { rest: string }>()
    expectTypeOf<ValueOf<Parts, readonly ['n', boolean]>>().toEqualTypeOf<
      { yes: string } | { rest: string }
    >()
    expectTypeOf<ValueOf<Parts, readonly ['n', Buffer]>>().toEqualTypeOf<
      { bytes: string } | { rest: string }
    >()
    expectTypeOf<ValueOf<Parts, readonly ['n', KeyPart]>>().toEqualTypeOf<OutputOf<Parts[number]>>()
    expectTypeOf<ValueOf<Parts, readonly ['n', Uint8Array]>>().toEqualTypeOf<
      { bytes: string } | { rest: string }
    >()
  })
})

describe('entries', () => {
  it('have a key, a value, a versionstamp and an expiry', () => {
    expectTypeOf<Entry<readonly ['a'], number>>().toEqualTypeOf<{
      readonly key: readonly ['a']
      value: number
      readonly versionstamp: string
      readonly expiresAt: number | null
    }>()
    expectTypeOf<EntryMaybe>().toEqualTypeOf<
      | Entry<Key, unknown>
      | { readonly key: Key; readonly value: null; readonly versionstamp: null; readonly expiresAt: null }
    >()
  })

  it('that may be missing are narrowed by the versionstamp', () => {
    const entry = {} as EntryMaybe<readonly ['a'], number>
    if (entry.versionstamp !== null) expectTypeOf(entry.value).toEqualTypeOf<number>()
  })

  it('of a watch are typed key by key', () => {
    expectTypeOf<
      WatchEntries<R, readonly [readonly ['users', 'me'], readonly ['numbers', 1], readonly ['other']]>
    >().toEqualTypeOf<
      [
        EntryMaybe<readonly ['users', 'me'], Me>,
        EntryMaybe<readonly ['numbers', 1], number>,
        EntryMaybe<readonly ['other'], unknown>,
      ]
    >()
    expectTypeOf<WatchEntries<R, readonly (readonly ['users', number])[]>>().toEqualTypeOf<
      EntryMaybe<readonly ['users', number], User>[]
    >()
  })
})

describe('the values of a list', () => {
  it('are those of the patterns under the prefix', () => {
    expectTypeOf<SelectedValue<R, { prefix: readonly ['users'] }>>().toEqualTypeOf<User | Me | Post>()
    expectTypeOf<
      SelectedValue<readonly [typeof users], { prefix: readonly ['users'] }>
    >().toEqualTypeOf<User>()
    expectTypeOf<SelectedValue<R, { prefix: readonly ['users', 'alice'] }>>().toEqualTypeOf<Post>()
    expectTypeOf<SelectedValue<R, { prefix: readonly ['users', string, 'posts'] }>>().toEqualTypeOf<Post>()
    expectTypeOf<SelectedValue<R, { prefix: readonly ['numbers']; start: Key }>>().toEqualTypeOf<number>()
    expectTypeOf<SelectedValue<R, { prefix: readonly [] }>>().toEqualTypeOf<
      User | Me | Post | number | { motto: string }
    >()
  })

  it('are unknown if no pattern is under it', () => {
    expectTypeOf<SelectedValue<R, { prefix: readonly ['site'] }>>().toEqualTypeOf<unknown>()
    expectTypeOf<SelectedValue<R, { prefix: readonly ['other'] }>>().toEqualTypeOf<unknown>()
    expectTypeOf<SelectedValue<R, { prefix: Key }>>().toEqualTypeOf<unknown>()
    expectTypeOf<SelectedValue<readonly [], { prefix: readonly [] }>>().toEqualTypeOf<unknown>()
  })

  it('are those under the common beginning of start and end', () => {
    type Between<Start extends Key, End extends Key> = SelectedValue<R, { start: Start; end: End }>
    expectTypeOf<Between<readonly ['numbers', 1], readonly ['numbers', 9]>>().toEqualTypeOf<number>()
    expectTypeOf<
      Between<readonly ['users', 'a', 'posts', 'a'], readonly ['users', 'a', 'posts', 'z']>
    >().toEqualTypeOf<Post>()
    type All = User | Me | Post | number | { motto: string }
    expectTypeOf<Between<readonly ['numbers', 1], readonly ['users', 9]>>().toEqualTypeOf<All>()
    expectTypeOf<Between<readonly ['site'], readonly ['site', 'z']>>().toEqualTypeOf<All>()
    expectTypeOf<Between<readonly [string, 1], readonly [string, 9]>>().toEqualTypeOf<All>()
    expectTypeOf<Between<Key, Key>>().toEqualTypeOf<All>()
  })
})

describe('definitions', () => {
  it('are found by name and by pattern', () => {
    expectTypeOf<keyof Repositories<R>>().toEqualTypeOf<'users' | 'me' | 'posts' | 'numbers' | 'site'>()
    expectTypeOf<DefinitionByName<R, 'me'>>().toEqualTypeOf<typeof me>()
    expectTypeOf<DefinitionByName<R, 'nobody'>>().toEqualTypeOf<never>()
    expectTypeOf<DefinitionByPattern<R, readonly ['users', '*']>>().toEqualTypeOf<typeof users>()
    expectTypeOf<DefinitionByPattern<R, readonly ['users', 'me']>>().toEqualTypeOf<typeof me>()
    expectTypeOf<DefinitionByPattern<R, readonly ['nothing']>>().toEqualTypeOf<never>()
  })

  const people = defineSchema(['people', '*'], person, { name: 'users' })
  const again = defineSchema(['users', '*'], person, { name: 'again' })
  type TakenName = { error: "two schemas are named 'users': give one of them another name in its options" }
  type TakenPattern = { error: "'again' has the same pattern as 'users': drop one" }

  it('have a name and a pattern of their own', () => {
    type Nameless = DefinitionOf<readonly ['*'], typeof person, DefinitionOptions>
    expectTypeOf<NewDefinition<R, Nameless>>().toEqualTypeOf<{
      error: 'a pattern without words gives the repository no name: add one in its options'
    }>()
    expectTypeOf<NewDefinition<readonly [], typeof users>>().toEqualTypeOf<typeof users>()
    expectTypeOf<NewDefinition<R, typeof people>>().toEqualTypeOf<TakenName>()
    expectTypeOf<NewDefinition<R, typeof again>>().toEqualTypeOf<TakenPattern>()
    expectTypeOf<
      NewDefinitions<readonly [], readonly [typeof users, typeof people, typeof me]>
    >().toEqualTypeOf<readonly [typeof users, TakenName, typeof me]>()
    expectTypeOf<NewDefinitions<R, readonly AnyDefinition[]>>().toEqualTypeOf<readonly AnyDefinition[]>()
  })

  const name: string = 'computed'
  const words: string[] = ['computed', '*']
  const byPattern = defineSchema(words, z.number())
  const byName = defineSchema(['named', '*'], z.bigint(), { name })
  const byPrefix = defineSchema(['prefixed', '*'], z.number(), { name: `user${name}` as const })
  const options: DefinitionOptions = { indexes: [] }
  const byOptions = defineSchema(['optional', '*'], person, options)
  // biome-ignore lint/suspicious/noExplicitAny: what a program without types has
  const byAny = defineSchema(['any', '*'], person, {} as any)
  type Open = readonly [
    typeof byPattern,
    typeof byName,
    typeof users,
    typeof byPrefix,
    typeof byOptions,
    typeof byAny,
  ]

  it('of names that only the running program knows leave the others as they are', () => {
    expectTypeOf<NewDefinitions<readonly [], readonly [...Open, typeof me]>>().toEqualTypeOf<
      readonly [...Open, typeof me]
    >()
    expectTypeOf<NewDefinition<Open, typeof people>>().toEqualTypeOf<TakenName>()
    expectTypeOf<NewDefinition<Open, typeof again>>().toEqualTypeOf<TakenPattern>()
    expectTypeOf<Repositories<Open>['users']>().toEqualTypeOf<RepositoryOf<User, typeof users, Open>>()
    expectTypeOf<Repositories<Open>[string]>().toEqualTypeOf<
      RepositoryOf<OutputOf<Open[number]>, Open[number], Open>
    >()
  })

  it('of patterns that only the running program knows are not taken for the same', () => {
    const bytes = new Uint8Array()
    const one = defineSchema(words, z.number(), { name: 'one' })
    const other = defineSchema(words, z.number(), { name: 'other' })
    const part = defineSchema(['part', name], z.number(), { name: 'part' })
    const otherPart = defineSchema(['part', name], z.number(), { name: 'otherPart' })
    const byte = defineSchema(['byte', bytes], z.number(), { name: 'byte' })
    const otherByte = defineSchema(['byte', bytes], z.number(), { name: 'otherByte' })
    type Six = readonly [
      typeof one,
      typeof other,
      typeof part,
      typeof otherPart,
      typeof byte,
      typeof otherByte,
    ]
    expectTypeOf<NewDefinitions<readonly [], Six>>().toEqualTypeOf<Six>()
  })

  it('go on in a chain', () => {
    const chain = Valkeyrie.withSchema(words, z.number())
      .withSchema(['prefixed', '*'], z.number(), { name: `user${name}` as const })
      .withSchema(['optional', '*'], person, options)
      .withSchemas([users, byAny, me])
    // @ts-expect-error -- the name of `users`
    expect(() => chain.withSchema(['people', '*'], person, { name: 'users' })).toThrow(/named 'users'/)
    const opened = () => chain.open()
    type Opened = Awaited<ReturnType<typeof opened>>['repositories']
    type Got<Name extends 'users' | 'me'> = Awaited<ReturnType<Opened[Name]['get']>>['value']
    expectTypeOf<Got<'users'>>().toEqualTypeOf<User | null>()
    expectTypeOf<Got<'me'>>().toEqualTypeOf<Me | null>()
  })
})

describe('an update', () => {
  const product = z.object({ price: z.string().transform(Number), note: z.string().default('') })
  const products = defineSchema(['products', '*'], product)
  type Change = Update<typeof products>

  it('takes inputs in a patch', () => {
    expectTypeOf<{ price: '5' }>().toExtend<Change>()
    expectTypeOf<{ note: 'x' }>().toExtend<Change>()
    expectTypeOf<{ price: 5 }>().not.toExtend<Change>()
  })

  it('takes and gives outputs in a function', () => {
    expectTypeOf<
      (value: { price: number; note: string }) => { price: number; note: string }
    >().toExtend<Change>()
    expectTypeOf<() => { price: string; note: string }>().not.toExtend<Change>()
  })

  it('may leave out defaults in a function where the schema takes its outputs', () => {
    const sites = defineSchema(['sites', '*'], z.object({ title: z.string(), visits: z.int().default(0) }))
    expectTypeOf<() => { title: string }>().toExtend<Update<typeof sites>>()
  })

  it('refuses a patch of a value without fields', () => {
    const numbers = defineSchema(
      ['n', '*'],
      z.object({ n: z.string() }).transform(({ n }) => Number(n)),
    )
    expectTypeOf<{ n: string }>().not.toExtend<Update<typeof numbers>>()
  })
})
