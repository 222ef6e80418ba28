import { parameter } from 'valkeyrie'
import { db, postRows, userRows } from './database.ts'

// Loops over pages in which nothing but the cursor is annotated.

export async function names(): Promise<string[]> {
  const found: string[] = []
  let after: string | null | undefined
  do {
    const page = await userRows.findPage({
      where: { age: { gt: 1 } },
      orderBy: { age: 'asc' },
      limit: 2,
      after,
    })
    for (const { value } of page.entries) found.push(value.name)
    after = page.cursor
  } while (after)
  return found
}

export async function titles(): Promise<string[]> {
  const found: string[] = []
  const pages = postRows.prepare({ columns: { title: true }, limit: 2, after: parameter('after') })
  let after: string | null = null
  do {
    const page = await pages.page({ after })
    for (const { value } of page.entries) found.push(value.title)
    after = page.cursor
  } while (after !== null)
  return found
}

export async function withPosts(): Promise<string[]> {
  const found: string[] = []
  const query = { with: { posts: true }, limit: 2 } as const
  let page = await userRows.findPage(query)
  for (;;) {
    for (const { value, posts } of page.entries)
      found.push(value.name, ...posts.map((post) => post.value.title))
    if (page.cursor === null) return found
    page = await userRows.findPage({ ...query, after: page.cursor })
  }
}

export async function inSnapshot(): Promise<number> {
  return await db.snapshot(async (view) => {
    let count = 0
    let after: string | null | undefined
    do {
      const { entries, cursor } = await view.repositories.users.findPage({ limit: 2, after })
      count += entries.length
      after = cursor
    } while (after)
    return count
  })
}

export async function listed(): Promise<string[]> {
  const found: string[] = []
  let cursor = ''
  do {
    const rows = userRows.list({}, { limit: 2, cursor })
    for await (const { value } of rows) found.push(value.name)
    cursor = rows.cursor
  } while (cursor)
  return found
}

export async function listedOnwards(): Promise<unknown[]> {
  const found: unknown[] = []
  let cursor: string | undefined
  do {
    const entries = db.list({ prefix: ['users'] }, { limit: 2, cursor })
    for await (const { value } of entries) found.push(value)
    cursor = entries.cursor
  } while (cursor)
  return found
}
