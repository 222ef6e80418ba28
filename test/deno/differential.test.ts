import { isDeepStrictEqual } from 'node:util'
import { openKv as openTheirs, type Kv as Theirs, KvU64 as TheirU64 } from '@deno/kv'
import fc from 'fast-check'
import { type Kv, KvU64, openKv } from 'valkeyrie/deno'
import { expect, it } from 'vitest'
import { extent } from '../extent.ts'

// The same calls on the implementation of Deno KV that keeps all in memory, and on this one.

const part = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', '', 'a\0', 'ž', '😀'),
  fc.constantFrom(0, 1, -1, 0.5, -1.5, Number.MAX_SAFE_INTEGER),
  fc.constantFrom(0n, 1n, -1n, 255n, 256n, -(2n ** 64n), 2n ** 70n),
  fc.boolean(),
  fc.uint8Array({ maxLength: 2 }),
)
const key = fc.array(part, { minLength: 1, maxLength: 3 })
const value = fc.oneof(
  fc.constantFrom(null, undefined, 'text', 1, 2n, { a: [1, new Date(0)] }),
  fc.uint8Array({ maxLength: 3 }),
)
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

const mutation = fc.oneof(
  fc.record({ type: fc.constant('set' as const), key, value }),
  fc.record({ type: fc.constant('delete' as const), key }),
  // Of one that fails, theirs keeps what stands before: numbers have keys of their own.
  fc.record({
    type: fc.constantFrom('set', 'sum', 'min', 'max'),
    key: fc.constantFrom(...[['n'], ['n', 1], ['n', 'a']]),
    n: u64,
  }),
)
const options = fc.record(
  { limit: fc.integer({ min: 1, max: 5 }), reverse: fc.boolean(), batchSize: fc.integer({ min: 1, max: 3 }) },
  { requiredKeys: [], noNullPrototype: true },
)
const selector = fc.oneof(
  fc.record({ prefix: fc.array(part, { maxLength: 2 }) }),
  fc.record({ prefix: fc.array(part, { minLength: 1, maxLength: 1 }), start: key }),
  fc.record({ prefix: fc.array(part, { minLength: 1, maxLength: 1 }), end: key }),
  fc.record({ start: key, end: key }),
)
const call = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('commit' as const),
      checked: fc.array(key, { maxLength: 2 }),
      mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
    }),
  },
  fc.record({ type: fc.constant('get' as const), keys: fc.array(key, { maxLength: 10 }) }),
  fc.record({ type: fc.constant('list' as const), selector, options }),
)
type Call = typeof call extends fc.Arbitrary<infer C> ? C : never

/** What a call comes to; of an error, its class. */
async function outcome(kv: Kv | Theirs, number: (n: bigint) => unknown, made: Call): Promise<unknown> {
  try {
    if (made.type === 'get') return shown(await kv.getMany(made.keys as never))
    if (made.type === 'list') {
      const entries = []
      for await (const entry of kv.list({ ...made.selector } as never, made.options)) entries.push(entry)
      return shown(entries)
    }
    const operation = kv.atomic() as ReturnType<Kv['atomic']>
    for (const key of made.checked) operation.check({ key, versionstamp: null })
    for (const one of made.mutations) {
      const given = 'n' in one ? { type: one.type, key: one.key, value: number(one.n) } : one
      operation.mutate(given as never)
    }
    return (await operation.commit()).ok
  } catch (error) {
    return error instanceof TypeError || error instanceof Error ? 'fails' : error
  }
}

/** Entries without what differs from store to store; a KvU64 by its value. */
function shown(
  entries: readonly { readonly key: unknown; readonly value: unknown; readonly versionstamp: unknown }[],
) {
  return entries.map(({ key, value, versionstamp }) => ({
    key,
    value: value instanceof KvU64 || value instanceof TheirU64 ? { u64: value.value } : value,
    isThere: versionstamp !== null,
  }))
}

it('answers any calls as Deno KV does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 12 }), async (calls) => {
      using kv = await openKv()
      const theirs = await openTheirs()
      try {
        const written: unknown[] = []
        for (const made of calls) {
          if (made.type === 'commit') written.push(...made.mutations.map(({ key }) => key))
          // Deno KV lists a row whose key is the prefix itself unless it comes first, and never ends if it comes first in a batch of its own.
          const { prefix } = { prefix: undefined, ...(made.type === 'list' && made.selector) }
          if (written.some((key) => isDeepStrictEqual(key, prefix))) continue
          const expected = await outcome(theirs, (n) => new TheirU64(n), made)
          expect(await outcome(kv, (n) => new KvU64(n), made)).toEqual(expected)
        }
      } finally {
        theirs.close()
      }
    }),
    { numRuns: extent('histories', 50, 150) },
  )
})
