import { type Columns, type OrderBy, parameter, type TextPart, Valkeyrie, type Where } from 'valkeyrie'
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

it('$search is of schemas that declare it, and highlights are of the fields that it searches', () => {
  const notes = defineSchema(
    ['notes', '*'],
    z.object({
      title: z.string(),
      by: z.object({ name: z.string() }),
      tags: z.array(z.string()),
      n: z.int(),
    }),
    { search: ['title', 'by.name', 'tags'] },
  )
  const opened = () => Valkeyrie.withSchemas([notes, posts]).open()
  type Shown = readonly TextPart[] | null
  return async (db: Awaited<ReturnType<typeof opened>>) => {
    const { notes: rows, posts: plain } = db.repositories
    const all = await rows.findMany({
      where: { $search: 'tea', n: 1 },
      orderBy: { $rank: 'desc' },
      highlight: true,
    })
    expectTypeOf(all[0]!.highlights).toEqualTypeOf<{
      readonly title: Shown
      readonly 'by.name': Shown
      readonly tags: Shown
    }>()
    const some = await rows.findFirst({ where: { $search: 'tea' }, highlight: { title: 4, tags: false } })
    expectTypeOf(some!.highlights).toEqualTypeOf<{ readonly title: Shown }>()
    const page = await rows.findPage({
      where: { AND: [{ $search: 'a' }] },
      highlight: { tags: true },
      limit: 1,
    })
    expectTypeOf(page.entries[0]!.highlights.tags).toEqualTypeOf<Shown>()
    const found = rows.prepare({ where: { $search: parameter('words') }, highlight: { title: true } })
    expectTypeOf((await found.execute({ words: 'tea' }))[0]!.highlights.title).toEqualTypeOf<Shown>()
    for await (const now of rows.watchMany({ where: { OR: [{ $search: 'a' }, { n: 1 }] } })) {
      expectTypeOf(now[0]!.value.n).toEqualTypeOf<number>()
      // @ts-expect-error -- it was not asked for
      now[0]!.highlights
    }
    // @ts-expect-error -- a text
    await rows.findMany({ where: { $search: 5 } })
    // @ts-expect-error -- a text, and no operators of one
    await rows.findMany({ where: { $search: { startsWith: 'a' } } })
    // @ts-expect-error -- of the row, not of a field
    await rows.findMany({ where: { by: { $search: 'a' } } })
    // @ts-expect-error -- it is not searched
    await rows.findMany({ where: { $search: 'a' }, highlight: { n: true } })
    // @ts-expect-error -- its schema declares no search
    await plain.findMany({ where: { $search: 'a' } })
    // @ts-expect-error -- its schema declares no search
    await plain.findMany({ highlight: true })
  }
})

it('search names texts and arrays of texts of the output', () => {
  const schema = z.object({ title: z.string(), n: z.int(), tags: z.array(z.string()), at: z.date() })
  const declare = (_: () => unknown) => {}
  declare(() => defineSchema(['x', '*'], schema, { search: ['title', 'tags'] }))
  declare(() =>
    defineSchema(['x', '*'], schema, { search: { on: 'title', weights: { title: 2 }, tokenizer: 'porter' } }),
  )
  // @ts-expect-error -- a number
  declare(() => defineSchema(['x', '*'], schema, { search: ['n'] }))
  // @ts-expect-error -- no such field
  declare(() => defineSchema(['x', '*'], schema, { search: ['titel'] }))
  // @ts-expect-error -- no such tokenizer
  declare(() => defineSchema(['x', '*'], schema, { search: { on: 'title', tokenizer: 'icu' } }))
})
