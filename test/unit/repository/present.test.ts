import { expect, it } from 'vitest'
import { z } from 'zod'
import type { FoundRow } from '../../../src/repository/find/found-rows.ts'
import { present } from '../../../src/repository/find/with.ts'
import { defineSchema } from '../../../src/schema.ts'
import type { RowStore } from '../../../src/store/row-store.ts'
import { EventLoopTurns } from '../../event-loop-turns.ts'

it('parts of many values are made in slices', async () => {
  const people = defineSchema(['people', '*'], z.object({ name: z.string(), age: z.int() }), {
    name: 'people',
  })
  using turns = new EventLoopTurns()
  const seen = new Set<number>()
  /** Takes a tenth of a millisecond for each. */
  const part = () => {
    for (const until = performance.now() + 0.1; performance.now() < until; );
    seen.add(turns.count)
    return { age: 1 }
  }
  const found = Array.from({ length: 500 }, () => ({ entry: {}, row: {} })) as unknown as FoundRow[]
  const store = { part } as unknown as RowStore
  const entries = await present(store, people, { columns: { age: true } }, found)
  expect(entries).toEqual(found.map(() => ({ age: 1 })))
  expect(seen.size).toBeGreaterThan(3)
})
