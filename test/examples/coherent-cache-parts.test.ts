import fc from 'fast-check'
import { expect, it } from 'vitest'
import { handOut } from '../../examples/coherent-cache/hand-out.ts'
import { identityOf } from '../../examples/coherent-cache/identity.ts'
import { LeastRecentlyUsed } from '../../examples/coherent-cache/least-recently-used.ts'
import { encodeKey } from '../../src/key/codec.ts'

/** Values of all kinds that a database stores, also some that hold themselves. */
const { stored } = fc.letrec<{ stored: unknown }>((tie) => ({
  stored: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.bigInt(), fc.constantFrom(null, undefined)),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ minLength: 1 }),
    fc.constant(null).map(() => /tea/g),
    fc.webUrl().map((url) => new URL(url)),
    fc.array(tie('stored'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('stored'), { noNullPrototype: true }),
    fc.array(fc.tuple(fc.string(), tie('stored')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie('stored'), { maxLength: 3 }).map((members) => new Set(members)),
    fc.dictionary(fc.constantFrom('a', 'b'), tie('stored'), { noNullPrototype: true }).map((value) => {
      const held: { [name: string]: unknown; self?: unknown } = { ...value }
      held.self = held
      return held
    }),
  ),
}))

/** Changes whatever lets itself be changed; frozen objects throw. */
function wreck(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  const parts = value instanceof Map || value instanceof Set ? [...value.values()] : Object.values(value)
  for (const part of parts) wreck(part, seen)
  const attempts = [
    () => (value as Date).setTime(7),
    () => (value as Uint8Array).fill(7),
    () => (value as Map<unknown, unknown>).clear(),
    () => (value as unknown[]).push(7),
    () => Object.assign(value, { lastIndex: 7, href: 'https://wrecked.example/', added: 7, a: 7 }),
  ]
  for (const attempt of attempts) {
    try {
      attempt()
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }
}

it('hands out values that nobody can change for the others', () => {
  fc.assert(
    fc.property(fc.clone(stored, 2), ([value, equal]) => {
      const give = handOut(value)
      for (let round = 0; round < 3; round++) {
        const given = give()
        expect(given).toStrictEqual(equal)
        wreck(given)
      }
    }),
    { numRuns: 1_000 },
  )
})

it('freezes what JSON holds, and shares it', () => {
  const value = { name: 'Assam', tags: ['black'], origin: { country: 'IN' } }
  const give = handOut({ ...value })
  expect(give()).toBe(give())
  expect(give()).toEqual(value)
  const withDate = handOut({ ...value, pickedAt: new Date(0) })
  expect(withDate()).not.toBe(withDate())
  expect(withDate().tags).toBe(withDate().tags)
})

it('distinguishes ids exactly when their keys differ', () => {
  const part = fc.oneof(
    fc.string({ maxLength: 2 }).filter((text) => text !== '*'),
    fc.integer({ min: -2, max: 2 }),
    fc.bigInt({ min: -2n, max: 2n }),
    fc.boolean(),
    fc.uint8Array({ maxLength: 2 }),
    fc.constantFrom(-0, '"1', '1', '0x01', 'number 1', '["\\"a"]'),
  )
  const ids = fc.oneof(fc.tuple(part), fc.tuple(part, part))
  const keyOf = (id: readonly unknown[]) => Buffer.from(encodeKey(id as never, 2_048)).toString('hex')
  fc.assert(
    fc.property(ids, ids, (a, b) => {
      expect(identityOf(a) === identityOf(b)).toBe(keyOf(a) === keyOf(b))
      if (a.length === 1 && b.length === 1) {
        expect(identityOf(a[0]) === identityOf(b[0])).toBe(keyOf(a) === keyOf(b))
      }
    }),
    { numRuns: 2_000 },
  )
})

it('LeastRecentlyUsed gives what a list in the order of use would', () => {
  const step = fc.record({
    what: fc.constantFrom('use', 'look', 'keep', 'drop'),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
  })
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 3 }), (steps, entries) => {
      const cache = new LeastRecentlyUsed<number>(entries)
      let list: { key: string; value: number }[] = []
      steps.forEach(({ what, key }, n) => {
        const listed = list.find((entry) => entry.key === key)
        const others = list.filter((entry) => entry !== listed)
        if (what === 'look') expect(cache.look(key)).toBe(listed?.value)
        else if (what === 'use') {
          expect(cache.use(key)).toBe(listed?.value)
          if (listed) list = [...others, listed]
        } else if (what === 'drop') {
          cache.drop(key)
          list = others
        } else {
          cache.keep(key, n)
          list = [...others, { key, value: n }].slice(-entries)
        }
        expect(cache.size).toBe(list.length)
      })
    }),
  )
})
