import { expectTypeOf, test } from 'vitest'
import type { Key, KeyPart } from '../../src/contract/key.types.ts'
import { idOfKey, keyOfId, nameOf } from '../../src/key/pattern.ts'
import type { IdOf, KeyOf, NameOf, Pattern, PrefixIdsOf } from '../../src/key/pattern.types.ts'
import type { Selector } from '../../src/key/range.ts'

type Site = readonly ['site']
type Users = readonly ['users', '*']
type Posts = readonly ['users', '*', 'posts', '*']
type Three = readonly ['*', '*', 'x', '*']

test('KeyOf', () => {
  expectTypeOf<KeyOf<Site>>().toEqualTypeOf<readonly ['site']>()
  expectTypeOf<KeyOf<Users>>().toEqualTypeOf<readonly ['users', KeyPart]>()
  expectTypeOf<KeyOf<Posts>>().toEqualTypeOf<readonly ['users', KeyPart, 'posts', KeyPart]>()
  expectTypeOf<KeyOf<readonly [1, 2n, true, '*']>>().toEqualTypeOf<readonly [1, 2n, true, KeyPart]>()
  expectTypeOf<KeyOf<readonly [Uint8Array, '*']>>().toEqualTypeOf<readonly [Uint8Array, KeyPart]>()
  expectTypeOf<KeyOf<Pattern>>().toEqualTypeOf<Key>()
  expectTypeOf<KeyOf<Users>>().toExtend<Key>()
})

test('IdOf', () => {
  expectTypeOf<IdOf<Site>>().toEqualTypeOf<undefined>()
  expectTypeOf<IdOf<Users>>().toEqualTypeOf<KeyPart>()
  expectTypeOf<IdOf<Posts>>().toEqualTypeOf<readonly [KeyPart, KeyPart]>()
  expectTypeOf<IdOf<Three>>().toEqualTypeOf<readonly [KeyPart, KeyPart, KeyPart]>()
  expectTypeOf<IdOf<Pattern>>().toEqualTypeOf<KeyPart | Key | undefined>()
})

test('PrefixIdsOf', () => {
  expectTypeOf<PrefixIdsOf<Site>>().toEqualTypeOf<readonly []>()
  expectTypeOf<PrefixIdsOf<Users>>().toEqualTypeOf<readonly []>()
  expectTypeOf<PrefixIdsOf<Posts>>().toEqualTypeOf<readonly [] | readonly [KeyPart]>()
  expectTypeOf<PrefixIdsOf<Three>>().toEqualTypeOf<
    readonly [] | readonly [KeyPart] | readonly [KeyPart, KeyPart]
  >()
  expectTypeOf<PrefixIdsOf<Pattern>>().toEqualTypeOf<Key>()
})

test('NameOf', () => {
  expectTypeOf<NameOf<readonly ['users', '*']>>().toEqualTypeOf<'users'>()
  expectTypeOf<NameOf<readonly ['users', '*', 'posts', '*']>>().toEqualTypeOf<'usersPosts'>()
  expectTypeOf<NameOf<readonly ['blog-posts', '*']>>().toEqualTypeOf<'blogPosts'>()
  expectTypeOf<NameOf<readonly ['site']>>().toEqualTypeOf<'site'>()
  expectTypeOf<NameOf<readonly ['user_data', '*']>>().toEqualTypeOf<'userData'>()
  expectTypeOf<NameOf<readonly ['Users', '*']>>().toEqualTypeOf<'users'>()
  expectTypeOf<NameOf<readonly ['a b.c:d/e', '*']>>().toEqualTypeOf<'aBCDE'>()
  expectTypeOf<NameOf<readonly ['--odd__name--', '*']>>().toEqualTypeOf<'oddName'>()
  expectTypeOf<NameOf<readonly ['', 'x']>>().toEqualTypeOf<'x'>()
  expectTypeOf<NameOf<readonly ['v', 1, true, 'items', '*']>>().toEqualTypeOf<'vItems'>()
  expectTypeOf<NameOf<readonly ['*', 'HTTPServer']>>().toEqualTypeOf<'hTTPServer'>()
  expectTypeOf<NameOf<readonly ['2024', 'q1']>>().toEqualTypeOf<'2024Q1'>()

  expectTypeOf<NameOf<readonly ['*']>>().toEqualTypeOf<never>()
  expectTypeOf<NameOf<readonly [1, '*']>>().toEqualTypeOf<never>()
  expectTypeOf<NameOf<readonly ['--', '*']>>().toEqualTypeOf<never>()
  expectTypeOf<NameOf<Pattern>>().toEqualTypeOf<string>()
  expectTypeOf<NameOf<readonly [string, '*']>>().toEqualTypeOf<string>()
})

test('the functions infer from literals', () => {
  expectTypeOf(nameOf(['users', '*', 'posts', '*'])).toEqualTypeOf<'usersPosts'>()
  expectTypeOf(keyOfId(['users', '*'], 'alice')).toEqualTypeOf<readonly ['users', KeyPart]>()
  expectTypeOf(idOfKey(['users', '*', 'posts', '*'], ['users', 'a', 'posts', 1])).toEqualTypeOf<
    readonly [KeyPart, KeyPart]
  >()
})

test('misuse does not compile', () => {
  const misuse = () => {
    // @ts-expect-error one wildcard takes one part
    keyOfId(['users', '*'], ['alice'])
    // @ts-expect-error two wildcards take two parts
    keyOfId(['users', '*', 'posts', '*'], ['alice'])
    // @ts-expect-error null is not a part
    nameOf(['users', null])
    // @ts-expect-error a start needs an end or a prefix
    const selector: Selector = { start: ['a'] }
    // @ts-expect-error a prefix takes a start or an end, not both
    const both: Selector = { prefix: [], start: ['a'], end: ['b'] }
    return [selector, both]
  }
  expectTypeOf(misuse).toBeFunction()
})
