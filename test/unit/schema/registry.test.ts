import fc from 'fast-check'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compareSpecificity, matchesPattern } from '../../../src/key/pattern.ts'
import { Registry } from '../../../src/schema/registry.ts'

const schema = z.object({ name: z.string() })
const users = defineSchema(['users', '*'], schema)
const me = defineSchema(['users', 'me'], schema, { name: 'me' })
const posts = defineSchema(['users', '*', 'posts', '*'], schema, { name: 'posts' })

describe('Registry', () => {
  it('finds the definition of a key: the most specific pattern wins', () => {
    const registry = new Registry([users, me, posts])
    expect(registry.find(['users', 'alice'])).toBe(users)
    expect(registry.find(['users', 'me'])).toBe(me)
    expect(registry.find(['users', 'me', 'posts', 1])).toBe(posts)
    expect(registry.find(['users'])).toBeUndefined()
    expect(registry.find(['users', 'alice', 'x'])).toBeUndefined()
  })

  it('finds a definition by its name', () => {
    const registry = new Registry([users, me])
    expect(registry.byName('me')).toBe(me)
    expect(registry.byName('nobody')).toBeUndefined()
    expect(registry.byName('constructor')).toBeUndefined()
  })

  it('finds a definition by its very pattern', () => {
    const registry = new Registry([users, me])
    expect(registry.byPattern(['users', '*'])).toBe(users)
    expect(registry.byPattern(['users', 'me'])).toBe(me)
    expect(registry.byPattern(['users', 'alice'])).toBeUndefined()
    expect(registry.byPattern(['users'])).toBeUndefined()
  })

  it('never changes: add makes another registry', () => {
    const empty = new Registry()
    const one = empty.add(users)
    const three = one.add(me, posts)
    expect(empty.definitions).toEqual([])
    expect(empty.find(['users', 'alice'])).toBeUndefined()
    expect(one.find(['users', 'me'])).toBe(users)
    expect(three.definitions).toEqual([users, me, posts])
    expect(three.find(['users', 'me'])).toBe(me)
  })

  it('refuses two definitions with one name, and names both', () => {
    const people = defineSchema(['people', '*'], schema, { name: 'users' })
    expect(() => new Registry([users, people])).toThrow(
      new TypeError(
        "Two schemas are named 'users', with the patterns ['users', '*'] and ['people', '*']: give one of them another name in its options",
      ),
    )
  })

  it('refuses two definitions with one pattern, and names both', () => {
    const people = defineSchema(['users', '*'], schema, { name: 'people' })
    expect(() => new Registry([users, me]).add(people)).toThrow(
      new TypeError("'users' and 'people' have the same pattern, ['users', '*']: drop one"),
    )
  })

  it('distinguishes parts of different types', () => {
    const one = defineSchema(['n', 1], schema, { name: 'one' })
    const big = defineSchema(['n', 1n], schema, { name: 'big' })
    const text = defineSchema(['n', '1'], schema, { name: 'text' })
    const bytes = defineSchema(['n', new Uint8Array([1])], schema, { name: 'bytes' })
    const registry = new Registry([one, big, text, bytes])
    expect(registry.find(['n', 1])).toBe(one)
    expect(registry.find(['n', 1n])).toBe(big)
    expect(registry.find(['n', '1'])).toBe(text)
    expect(registry.find(['n', new Uint8Array([1])])).toBe(bytes)
    const again = defineSchema(['n', new Uint8Array([1])], schema, { name: 'again' })
    expect(() => registry.add(again)).toThrow(TypeError)
  })

  it('agrees with a search through all the patterns', () => {
    const part = fc.constantFrom('a', 'b', 1)
    const pattern = fc.array(fc.oneof(part, fc.constant('*')), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(
        fc.uniqueArray(pattern, { selector: (parts) => JSON.stringify(parts), maxLength: 12 }),
        fc.array(part, { minLength: 1, maxLength: 3 }),
        (patterns, key) => {
          const registry = new Registry(
            patterns.map((parts, i) => defineSchema(parts, schema, { name: `d${i}` })),
          )
          const [expected] = registry.definitions
            .filter((definition) => matchesPattern(definition.pattern, key))
            .sort((a, b) => compareSpecificity(a.pattern, b.pattern))
          expect(registry.find(key)).toBe(expected)
        },
      ),
    )
  })
})
