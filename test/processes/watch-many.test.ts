import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Follower } from '../conformance/watching.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { runFixture } from './run-fixture.ts'

const path = temporaryFolder()
const written = Valkeyrie.withSchema(['k', '*', '*'], z.object({ n: z.int(), at: z.number() }), {
  name: 'written',
})

const queries = [
  { orderBy: { n: 'desc' }, limit: 3 },
  { where: { n: { gt: 20 } }, orderBy: { at: 'asc' } },
  { where: { n: { lte: 40 } }, columns: { n: true }, offset: 1 },
] as const

it('many who share queries, and come and go, read in the end what several processes have written', async () => {
  const comings = fc.record({
    query: fc.nat(queries.length - 1),
    stays: fc.boolean(),
    by: fc.constantFrom('abort' as const, 'cancel' as const),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(comings, { minLength: 20, maxLength: 60 }), async (comings) => {
      const file = path()
      await using db = await written.open(file)
      const { written: rows } = db.repositories
      const writing = Promise.all(
        ['a', 'b', 'c'].map((name) => runFixture('watch-writer', file, name, 60, 4)),
      )
      let isOver = false
      const over = writing.finally(() => {
        isOver = true
      })
      const followers: Follower[] = []
      for (const { query, stays, by } of comings) {
        const follower = new Follower((signal) => rows.watchMany(queries[query] as object, { signal }), query)
        followers.push(follower)
        if (!isOver) await new Promise((resolve) => setTimeout(resolve, 2))
        if (!stays) await follower.leave(by)
      }
      await over
      for (const follower of followers)
        await follower.reaches(await rows.findMany(queries[follower.query] as object))
      expect(await rows.count()).toBeGreaterThan(0)
    }),
    { numRuns: 3 },
  )
})
