import { expect, it } from 'vitest'
import { z } from 'zod'
import { KeyValue } from '../../../src/key-value/key-value.ts'
import { StoreRepository } from '../../../src/repository/repository.ts'
import { Registry } from '../../../src/schema/registry.ts'
import { defineSchema } from '../../../src/schema.ts'
import type { RowStore } from '../../../src/store/row-store.ts'
import { EventLoopTurns } from '../../event-loop-turns.ts'

const people = defineSchema(['people', '*'], z.object({ name: z.string() }), { name: 'people' })
const ids = Array.from({ length: 500 }, (_, n) => n)

it.each([
  ['a database', (store: RowStore) => new KeyValue(store).getMany(ids.map((n) => ['people', n]))],
  ['a repository', (store: RowStore) => new StoreRepository(store, people).getMany(ids)],
])('getMany of %s encodes many keys in slices', async (_, getMany) => {
  using turns = new EventLoopTurns()
  const seen = new Set<number>()
  const store = {
    registry: new Registry([people]),
    assertOpen() {},
    /** Takes a tenth of a millisecond. */
    encodeKey() {
      for (const until = performance.now() + 0.1; performance.now() < until; );
      seen.add(turns.count)
      return new Uint8Array()
    },
    read: async ({ keys }: { readonly keys: readonly Uint8Array[] }) => keys.map(() => null),
    missing: (entry: unknown) => entry,
  } as unknown as RowStore
  const entries = await getMany(store)
  expect(entries.map(({ key }) => key)).toEqual(ids.map((n) => ['people', n]))
  expect(seen.size).toBeGreaterThan(3)
})
