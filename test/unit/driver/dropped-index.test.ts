import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()
const value = z.object({ n: z.int() })

it('a query works without an index that a later release has dropped', async () => {
  const file = path()
  await using old = await Valkeyrie.withSchema(['users', '*'], value, { indexes: [{ on: 'n' }] }).open(file)
  const { users } = old.repositories
  await users.insertMany([1, 2, 3].map((n) => [n, { n }] as const))
  const find = async () => (await users.findMany({ where: { n: { gte: 2 } } })).map(({ id }) => id)
  const count = () => users.count({ where: { n: { gte: 2 } } })
  expect([await find(), await count()]).toEqual([[2, 3], 2])

  await using next = await Valkeyrie.withSchema(['users', '*'], value).open(file, {
    dropIndexes: [{ repository: 'users', on: 'n' }],
  })
  expect([await find(), await count()]).toEqual([[2, 3], 2])
  expect(await users.explain({ where: { n: 2 } })).toEqual([
    'SEARCH kv USING INDEX kv_collection (collection=?)',
  ])
  await next.repositories.users.set(4, { n: 4 })
  expect([await find(), await count()]).toEqual([[2, 3, 4], 3])
})
