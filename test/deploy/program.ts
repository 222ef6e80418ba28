import type { OpenOptions } from 'valkeyrie'
import { type Release, releases } from './deploy.ts'

/** A process of one release: it opens the file, and writes and reads as it is told. */
interface Start {
  readonly path: string
  readonly release: Release
  readonly options?: OpenOptions
}

export type Order =
  | { readonly set: string; readonly email: string }
  | { readonly count: string }
  | { readonly city: string }

const { path, release, options } = JSON.parse(process.argv[2]!) as Start
const db = await releases[release].open(path, options)
const repositories = db.repositories as unknown as Record<
  string,
  { count(): Promise<number>; findMany(query: object): Promise<{ id: unknown }[]> }
>

async function obey(order: Order): Promise<unknown> {
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
process.send!({ result: 'open' })
