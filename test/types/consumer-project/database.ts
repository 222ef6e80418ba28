import { KvU64, parameter, Valkeyrie } from 'valkeyrie'
import { queue } from 'valkeyrie/queue'
import { z } from 'zod'
import { posts, users } from './schemas.ts'

// Nothing here is annotated: the declarations of this module name what the package infers.

export const builder = Valkeyrie.withSchemas([users, posts])
  .withSchema(['site'], z.object({ title: z.string() }))
  .withSchema(['visits', '*'], z.instanceof(KvU64))
export const open = (path?: string) => builder.open(path)
export const db = await open()
export const repositories = db.repositories
export const { users: userRows, posts: postRows, site } = db.repositories
export const byDefinition = db.repository(users)
export const byPattern = db.repository(['users', '*'])
export const found = await userRows.findMany({
  where: { age: { gt: 1 } },
  with: { posts: { columns: { title: true } } },
})
export const page = () => userRows.findPage({ limit: 2 })
export const prepared = userRows.prepare({ where: { age: { gt: parameter('n') } } })
export const figures = () => postRows.aggregate({ count: true, groupBy: 'title', max: ['title'] })
export const keyWatch = () => db.watch([['users', 'a'], ['x']])
export const live = () => userRows.watchMany({ with: { posts: true } })
export const feed = () => userRows.changes()
export const wholeFeed = () => db.changes({ prefix: ['users'] })
export const atomic = () => db.atomic().set(['users', 'a'], { name: 'a', age: 1 })
export const list = () => db.list({ prefix: ['users'] })
export const rows = () => userRows.list()
export const unit = () =>
  db.unitOfWork(async (unit) => ({ unit, user: await unit.repositories.users.get('a') }))
export const created = () => postRows.create({ title: 'a', authorId: 'b' }, { prefix: ['a'] })
export const written = () => userRows.updateMany({ where: {}, set: { age: 1 } })
export const got = () => db.get(['users', 'a'])
export const drizzle = db.drizzle
export const tables = db.tables
export const images = queue('images', z.object({ url: z.string() }))
export const shop = await Valkeyrie.withSchemas([users, ...images.definitions]).open()
export const worker = () => images.process(shop, async ({ payload }) => console.log(payload.url))
