import fc from 'fast-check'
import { type Key, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { compareKeys } from '../../src/key/codec.ts'
import { extent } from '../extent.ts'

// Few different parts, so that keys often begin alike and bounds often hit.
const part = fc.constantFrom<Key[number]>(
  'a',
  'b',
  'a\0',
  '',
  1,
  -1,
  0.5,
  1n,
  -1n,
  256n,
  true,
  false,
  Uint8Array.of(),
  Uint8Array.of(0),
  Uint8Array.of(0, 255),
)
const key = fc.array(part, { minLength: 1, maxLength: 4 })
const options = fc.record({
  limit: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  reverse: fc.boolean(),
  batchSize: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
})
const prefix = fc.array(part, { maxLength: 2 })
const selector = fc.oneof(
  prefix.map((parts) => ({ prefix: parts })),
  fc
    .tuple(prefix, fc.array(part, { minLength: 1, maxLength: 2 }))
    .map(([parts, rest]) => ({ prefix: parts, start: [...parts, ...rest] })),
  fc
    .tuple(prefix, fc.array(part, { minLength: 1, maxLength: 2 }))
    .map(([parts, rest]) => ({ prefix: parts, end: [...parts, ...rest] })),
  fc.tuple(key, key).map(([a, b]) => (compareKeys(a, b) <= 0 ? { start: a, end: b } : { start: b, end: a })),
)
type AnySelector = { prefix?: Key; start?: Key; end?: Key }

/** What the documentation says that a selector selects, told without any encoding. */
function selects({ prefix, start, end }: AnySelector, candidate: Key): boolean {
  if (prefix !== undefined) {
    if (candidate.length <= prefix.length) return false
    if (compareKeys(candidate.slice(0, prefix.length), prefix) !== 0) return false
  }
  if (start !== undefined && compareKeys(candidate, start) < 0) return false
  return end === undefined || compareKeys(candidate, end) < 0
}

const distinct = fc.uniqueArray(key, {
  maxLength: 40,
  comparator: (a: Key, b: Key) => compareKeys(a, b) === 0,
})

test('a list returns what its selector selects, in order, from either end', async () => {
  await fc.assert(
    fc.asyncProperty(distinct, selector, options, async (keys, selected, { limit, reverse, batchSize }) => {
      await using db = await Valkeyrie.open()
      const operation = db.atomic()
      for (const [i, each] of keys.entries()) operation.set(each, i)
      await operation.commit()
      const sorted = keys.filter((each) => selects(selected, each)).toSorted(compareKeys)
      const expected = (reverse ? sorted.toReversed() : sorted).slice(0, limit)
      const found = await Array.fromAsync(db.list(selected as { prefix: Key }, { limit, reverse, batchSize }))
      expect(found.map((entry) => entry.key)).toStrictEqual(expected)
    }),
    { numRuns: extent('listings', 20, 150) },
  )
})

test('pages that go on from cursors are the whole list, though rows come and go behind them', async () => {
  await fc.assert(
    fc.asyncProperty(
      distinct,
      selector,
      fc.boolean(),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      async (keys, selected, reverse, limit, removals) => {
        await using db = await Valkeyrie.open()
        const operation = db.atomic()
        for (const each of keys) operation.set(each, 0)
        await operation.commit()
        const sorted = keys.filter((each) => selects(selected, each)).toSorted(compareKeys)
        const expected = reverse ? sorted.toReversed() : sorted
        const found: Key[] = []
        let cursor = ''
        do {
          const page = db.list(selected as { prefix: Key }, { limit, reverse, cursor })
          const entries = await Array.fromAsync(page)
          found.push(...entries.map((entry) => entry.key))
          cursor = page.cursor
          // What was given may go, the row of the cursor too.
          const gone = found[(removals.pop() ?? 0) % found.length]
          if (gone !== undefined) await db.delete(gone)
        } while (cursor)
        expect(found).toStrictEqual(expected)
      },
    ),
    { numRuns: extent('listings', 15, 100) },
  )
})

test('a repository lists what the database lists of its pattern', async () => {
  await fc.assert(
    fc.asyncProperty(
      distinct,
      fc.boolean(),
      fc.option(part, { nil: undefined }),
      async (keys, reverse, first) => {
        const anything = {
          '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
        } as const
        await using db = await Valkeyrie.withSchema(['*', '*'], anything, { name: 'pairs' })
          .withSchema(['*', 'b'], anything, { name: 'bs' })
          .withSchema(['a', '*'], anything, { name: 'as' })
          .open()
        const operation = db.atomic()
        for (const each of keys) operation.set(each, 0)
        await operation.commit()
        const mine = keys
          .filter(({ length }) => length === 2)
          .filter(([x, y]) => x !== 'a' && y !== 'b')
          .filter(([x]) => first === undefined || compareKeys([x!], [first]) === 0)
          .toSorted(compareKeys)
        const { pairs } = db.repositories
        const range = first === undefined ? {} : { prefix: [first] as const }
        const rows = await Array.fromAsync(pairs.list(range, { reverse }))
        expect(rows.map((row) => row.key)).toStrictEqual(reverse ? mine.toReversed() : mine)
        expect(rows.map((row) => row.id)).toStrictEqual(reverse ? mine.toReversed() : mine)
        expect(await pairs.count(range)).toBe(mine.length)
      },
    ),
    { numRuns: extent('listings', 12, 80) },
  )
})
