import { type Columns, type OrderBy, Valkeyrie, type Where } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const posts = defineSchema(['users', '*', 'posts', '*'], z.object({ title: z.string(), likes: z.int() }), {
  name: 'posts',
})
type Post = z.infer<typeof posts.schema>
const open = () => Valkeyrie.withSchemas([posts]).open()
type Db = Awaited<ReturnType<typeof open>>
const typed = (_: (db: Db) => unknown): void => {}

it('Where, OrderBy and Columns take a definition, or a type of values', () => {
  typed(({ repositories: { posts: rows } }) => {
    const where: Where<typeof posts> = { likes: { gte: 1 }, OR: [{ title: 'A' }], $id: ['alice', 'p1'] }
    const orderBy: OrderBy<typeof posts> = { likes: 'desc' }
    const columns: Columns<typeof posts> = { title: true }
    const ofValues: Where<Post> = { likes: 1 }
    expectTypeOf<OrderBy<typeof posts>>().toEqualTypeOf<OrderBy<Post>>()
    expectTypeOf<Columns<typeof posts>>().toEqualTypeOf<Columns<Post>>()
    return [rows.findMany({ where, orderBy, columns }), rows.count({ where: { AND: [where, ofValues] } })]
  })
  // @ts-expect-error -- no such field
  const wrong: Where<typeof posts> = { like: 1 }
  // @ts-expect-error -- no field of the values, but of the definition
  const pattern: Where<typeof posts> = { pattern: 'x' }
  // @ts-expect-error -- no such field
  const order: OrderBy<typeof posts> = { pattern: 'asc' }
  return [wrong, pattern, order]
})

it('findPage in a loop infers its pages', () => {
  typed(async ({ repositories: { posts: rows } }) => {
    let after: string | null | undefined
    do {
      const page = await rows.findPage({ where: { likes: 1 }, columns: { title: true }, limit: 2, after })
      expectTypeOf(page.entries[0]!.value).toEqualTypeOf<{ title: string }>()
      after = page.cursor
    } while (after)
  })
})
