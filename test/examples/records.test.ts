import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openRecords, recordGame, recordOffer } from '../../examples/records/records.ts'
import { enginesOf, runExample } from './run-example.ts'

it.each(enginesOf('records'))('keeps a count, a high score and a low price, on %s', async (engine) => {
  expect(await runExample('records', engine)).toBe(
    [
      'Games of tetris: [KvU64: 4n]',
      'High score: [KvU64: 990n]',
      'Lowest price of a kettle, in cents: [KvU64: 1450n]',
      '',
    ].join('\n'),
  )
})

it('keeps the count, the largest and the smallest of whatever comes at once', async () => {
  await using db = await openRecords()
  const { games, highScores, lowPrices } = db.repositories
  const numbers = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(numbers, async (numbers) => {
      await db.clear()
      await Promise.all(numbers.flatMap((n) => [recordGame(db, 'x', n), recordOffer(db, 'x', n)]))
      const sorted = numbers.toSorted((a, b) => (a < b ? -1 : 1))
      expect((await games.get('x')).value?.value).toBe(BigInt(numbers.length))
      expect((await highScores.get('x')).value?.value).toBe(sorted.at(-1))
      expect((await lowPrices.get('x')).value?.value).toBe(sorted[0])
    }),
    { numRuns: 50 },
  )
})
