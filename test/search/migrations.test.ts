import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { check } from '../../src/migration/check.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectOf } from '../migrate/project.ts'

const post = z.object({ title: z.string(), body: z.string().optional() })
const plain = defineSchema(['posts', '*'], post)
const titles = defineSchema(['posts', '*'], post, { search: ['title'] })
const bodies = defineSchema(['posts', '*'], post, {
  search: { on: ['title', 'body'], tokenizer: 'porter' },
})
const weighted = defineSchema(['posts', '*'], post, {
  search: { on: ['title', 'body'], tokenizer: 'porter', weights: { body: 2 } },
})
const renamed = defineSchema(['posts', '*'], post, {
  name: 'articles',
  search: { on: ['title', 'body'], tokenizer: 'porter', weights: { body: 2 } },
})

test('a search that is added, changed, renamed with its schema and dropped is a migration each', async () => {
  const folder = projectFolder()
  const path = join(folder, 'data.db')
  const migrations = join(folder, 'migrations')
  const step = async (definition: typeof plain, ...renames: string[]) => {
    const project = projectOf(folder, definition)
    const generated = await generateQuietly(project, ...renames)
    expect(generated).not.toBeNull()
    expect(await generateQuietly(project)).toBeNull()
    await migrateQuietly(project, path)
    expect(await check(project, path)).toMatchObject({ pending: [], drift: [] })
    expect(await Valkeyrie.verify(path)).toMatchObject({ sound: true })
    return readFileSync(join(migrations, `${generated!.tag}.sql`), 'utf8')
  }
  const count = async (definition: typeof plain, $search: string) => {
    await using db = await Valkeyrie.withSchemas([definition as typeof titles]).open(path, { migrations })
    const repository = db.repository(definition as typeof titles)
    return repository.count({ where: { $search } })
  }
  await step(plain)
  {
    await using db = await Valkeyrie.withSchemas([plain]).open(path, { migrations })
    await db.repositories.posts.set('a', { title: 'Running', body: 'All the words' })
    await db.repositories.posts.set('b', { title: 'Walking' })
  }
  // `open` does not build what no migration has built.
  await expect(Valkeyrie.withSchemas([titles]).open(path, { migrations })).rejects.toThrow(
    'run "valkeyrie generate"',
  )
  expect(await step(titles as never)).toContain('the search on title by unicode61 is built')
  expect([await count(titles as never, 'running'), await count(titles as never, 'words')]).toEqual([1, 0])
  expect(await step(bodies as never)).toMatch(
    /the search on title by unicode61 goes(.|\n)*the search on title, body by porter is built/,
  )
  expect(await count(bodies as never, 'runs word')).toBe(1)
  await step(weighted as never)
  await step(renamed as never, 'posts=articles')
  expect(await count(renamed as never, 'runs')).toBe(1)
  const last = defineSchema(['posts', '*'], post, { name: 'articles' })
  expect(await step(last as never)).toContain('the search on title, body by porter goes')
  const connection = new Database(path)
  expect(
    connection
      .prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'kv\\_%\\_search\\_%' ESCAPE '\\'")
      .all(),
  ).toEqual([])
  connection.close()
})

test('a database with a search is taken over, and one that lacks it is drift', async () => {
  const folder = projectFolder()
  const path = join(folder, 'data.db')
  {
    await using db = await Valkeyrie.withSchemas([titles]).open(path)
    await db.repositories.posts.set('a', { title: 'Running' })
  }
  const project = projectOf(folder, bodies as never)
  await generateQuietly(project)
  await migrateQuietly(project, path, { baseline: true })
  expect(await check(project, path)).toMatchObject({ pending: [], drift: [] })
  const connection = new Database(path)
  const name = connection.prepare<[], string>('SELECT name FROM kv_search').pluck().get()!
  connection.exec(`DROP TRIGGER "${name}_update"`)
  connection.close()
  expect((await check(project, path)).drift).toEqual([
    { kind: 'index', name, message: `index ${name} is missing, or not as declared` },
  ])
})
