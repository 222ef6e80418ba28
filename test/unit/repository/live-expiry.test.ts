import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()
const schemas = Valkeyrie.withSchema(['shelves', '*'], z.object({ n: z.int() }), {
  name: 'shelves',
}).withSchema(['shelves', '*', 'books', '*'], z.object({ n: z.int() }), { name: 'books' })

/** A file to read only: nobody removes expired rows from it, so what is shown then is shown by the clock alone. */
async function opened() {
  const file = path()
  {
    await using db = await schemas.open(file)
    const { shelves, books } = db.repositories
    await shelves.insertMany([
      ['a', { n: 1 }],
      ['b', { n: 2 }],
      ['c', { n: 3 }],
    ])
    await books.insertMany([1, 2, 3].map((n) => [['b', n], { n }] as const))
  }
  return { file, db: await schemas.open(file, { readOnly: true }) }
}

/** Another process gives a row a short time to live, and is gone when that is over. */
async function expireSoon(file: string, name: 'shelves' | 'books', id: 'a' | readonly ['b', 1]) {
  await using db = await schemas.open(file)
  await db.repositories[name].touch(id as never, { expireIn: 200 })
}

it('a live query with an offset shows the expiry of a row before it', async () => {
  const { file, db } = await opened()
  await using _ = db
  const results = db.repositories.shelves
    .watchMany({ orderBy: { n: 'asc' }, offset: 1, limit: 1 })
    .getReader()
  const next = async () => (await results.read()).value?.map(({ id }) => id)
  expect(await next()).toEqual(['b'])
  await expireSoon(file, 'shelves', 'a')
  expect(await next()).toEqual(['c'])
  await results.cancel()
})

it('a live query with related rows shows the expiry of one of them, and of one before their offset', async () => {
  const { file, db } = await opened()
  await using _ = db
  const { shelves } = db.repositories
  const where = { n: 2 }
  const all = shelves.watchMany({ where, with: { books: true } }).getReader()
  const later = shelves.watchMany({ where, with: { books: { offset: 1, limit: 1 } } }).getReader()
  const books = async (reader: typeof all | typeof later) =>
    (await reader.read()).value?.[0]?.books.map(({ value }) => value.n)
  expect(await books(all)).toEqual([1, 2, 3])
  expect(await books(later)).toEqual([2])
  await expireSoon(file, 'books', ['b', 1])
  let shown = await books(all)
  // The time that it has left to live is a change of its own.
  while (shown?.length === 3) shown = await books(all)
  expect(shown).toEqual([2, 3])
  expect(await books(later)).toEqual([3])
  await Promise.all([all.cancel(), later.cancel()])
})
