import type { OpenOptions } from 'valkeyrie'
import { type Release, releases } from './deploy.ts'

/** A process of one release at a time: on order, it opens the file, writes and reads, and closes it. */
export type Order =
  | { readonly open: string; readonly release: Release; readonly options: OpenOptions }
  | { readonly close: true }
  | { readonly set: string; readonly email: string }
  | { readonly count: string }
  | { readonly city: string }

let db: Awaited<ReturnType<(typeof releases)[Release]['open']>>
let repositories: Record<
  string,
  { count(): Promise<number>; findMany(query: object): Promise<{ id: unknown }[]> }
>

async function obey(order: Order): Promise<unknown> {
  if ('open' in order) {
    db = await releases[order.release].open(order.open, order.options)
    repositories = db.repositories as never
    return true
  }
  if ('close' in order) {
    await db.close()
    return true
  }
  if ('set' in order) {
    await db.set(['users', order.set], { email: order.email, city: 'Bonn' })
    return true
  }
  if ('count' in order) return repositories[order.count]!.count()
  const found = await repositories['users']!.findMany({
    where: { city: order.city },
    orderBy: { city: 'asc' },
  })
  return found.map(({ id }) => id)
}

process.on('message', async (order: Order) => {
  try {
    process.send!({ result: await obey(order) })
  } catch (error) {
    const { name, code, repository, message } = error as Error & { code?: string; repository?: string }
    process.send!({ name, code, repository, message })
  }
})
process.send!({ result: 'ready' })
