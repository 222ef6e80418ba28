import { parameter, Valkeyrie } from 'valkeyrie'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const open = () =>
  Valkeyrie.withSchema(
    ['users', '*'],
    z.object({
      name: z.string(),
      age: z.int(),
      at: z.date(),
      ok: z.boolean(),
      big: z.bigint(),
      tags: z.array(z.string()),
      address: z.object({ city: z.string() }).optional(),
    }),
  )
    .withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string() }), { name: 'posts' })
    .open()

type Db = Awaited<ReturnType<typeof open>>
const typed = (_: (db: Db) => unknown) => {}

describe('a query', () => {
  it('takes the fields, operators and operands of the output', () => {
    typed(({ repositories: { users } }) => [
      users.findMany({ where: { age: { gte: 18, lt: 65 }, name: 'A', address: { city: { like: 'P%' } } } }),
      users.findMany({ where: { OR: [{ age: 1 }, { at: { gt: new Date() } }], NOT: { ok: true } } }),
      users.findMany({ where: { tags: { arrayContains: ['a'] }, big: 1n, address: { isNull: true } } }),
      users.findMany({ orderBy: { age: 'desc', address: { city: 'asc' } }, limit: 1, after: null }),
    ])
  })

  it('refuses what is no field, operator or operand', () => {
    typed(({ repositories: { users } }) => [
      // @ts-expect-error -- no such field
      users.findMany({ where: { nam: 'A' } }),
      // @ts-expect-error -- no such field of the address
      users.findMany({ where: { address: { town: 'A' } } }),
      // @ts-expect-error -- a number is not compared with a text
      users.findMany({ where: { age: '1' } }),
      // @ts-expect-error -- no such operator
      users.findMany({ where: { age: { above: 1 } } }),
      // @ts-expect-error -- a bigint has no order
      users.findMany({ where: { big: { gt: 1n } } }),
      // @ts-expect-error -- a bigint has no order
      users.findMany({ orderBy: { big: 'asc' } }),
      // @ts-expect-error -- null is asked for by isNull
      users.findMany({ where: { name: null } }),
      // @ts-expect-error -- no such option
      users.findMany({ wher: { name: 'A' } }),
      // @ts-expect-error -- no such relation
      users.findMany({ with: { comments: true } }),
    ])
  })

  it('gives the chosen fields and the loaded rows', () => {
    typed(async ({ repositories: { users } }) => {
      const [entry] = await users.findMany({ columns: { name: true }, with: { posts: { limit: 1 } } })
      expectTypeOf(entry!.value).toEqualTypeOf<{ name: string }>()
      expectTypeOf(entry!.posts[0]!.value).toEqualTypeOf<{ title: string }>()
      const all = await users.findMany()
      expectTypeOf(all[0]!.value.age).toEqualTypeOf<number>()
    })
  })

  it('has parameters when it is prepared', () => {
    typed(({ repositories: { users } }) => {
      const prepared = users.prepare({ where: { age: { gte: parameter('least') } } })
      expectTypeOf(prepared.execute).parameter(0).toHaveProperty('least')
      // @ts-expect-error -- the parameter is missing
      return prepared.execute({})
    })
  })

  it('gives typed figures', () => {
    typed(async ({ repositories: { users } }) => {
      const figures = await users.aggregate({ count: true, sum: 'age', max: 'at' })
      expectTypeOf(figures.count).toEqualTypeOf<number>()
      expectTypeOf(figures.sum.age).toEqualTypeOf<number | null>()
      expectTypeOf(figures.max.at).toEqualTypeOf<Date | null>()
      const groups = await users.aggregate({ count: true, groupBy: 'ok' })
      expectTypeOf(groups[0]!.group.ok).toEqualTypeOf<boolean>()
    })
  })
})
