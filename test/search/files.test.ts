import { once } from 'node:events'
import { copyFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { MigrationError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { repair } from '../../src/api/diagnosis.ts'
import { inspectStore } from '../../src/api/open.ts'
import { exportRows } from '../../src/transfer/export.ts'
import { importRows } from '../../src/transfer/import.ts'
import { openSource } from '../../src/transfer/open-source.ts'
import { start } from '../processes/child.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const newPath = temporaryFolder()
const post = z.object({ title: z.string(), body: z.string().optional() })
const plain = defineSchema(['posts', '*'], post)
const posts = defineSchema(['posts', '*'], post, { search: ['title', 'body'] })
const stems = defineSchema(['posts', '*'], post, { search: { on: 'title', tokenizer: 'porter' } })

const open = (path: string, definition: typeof posts | typeof plain = posts) =>
  Valkeyrie.withSchemas([definition as typeof posts]).open(path)
const search = { repository: 'posts', on: ['title', 'body'] }

async function found(db: Awaited<ReturnType<typeof open>>, $search: string) {
  const rows = await db.repositories.posts.findMany({ where: { $search }, orderBy: { $id: 'asc' } })
  return rows.map(({ id }) => id)
}

/** Runs SQL on a file as a program that knows nothing of its meaning. */
function foreign(path: string, ...statements: readonly string[]): void {
  const connection = new Database(path)
  for (const statement of statements) connection.exec(statement)
  connection.close()
}

/** The table of the search of a file. */
function tableOf(path: string): string {
  const connection = new Database(path)
  const name = connection.prepare<[], string>('SELECT name FROM kv_search').pluck().get()!
  connection.close()
  return name
}

/** A file with two rows that can be searched. */
async function searched(): Promise<string> {
  const path = newPath()
  await using db = await open(path)
  await db.repositories.posts.set('a', { title: 'Green tea' })
  await db.repositories.posts.set('b', { title: 'Black tea', body: 'strong' })
  return path
}

test('opening builds a search from existing rows, and programs without it keep it', async () => {
  const path = newPath()
  {
    await using db = await open(path, plain)
    await db.repositories.posts.set('a', { title: 'Green tea' })
    await db.repositories.posts.set('b', { title: 'Ink' })
  }
  await using older = await open(path, plain)
  await using db = await open(path)
  expect(await found(db, 'tea')).toEqual(['a'])
  await older.repositories.posts.set('b', { title: 'More tea' })
  await older.repositories.posts.delete('a')
  await older.set(['posts', 'c'], { title: 'Tea', body: 'third' })
  expect(await found(db, 'tea')).toEqual(['b', 'c'])
  // Written by hand, and moved by a VACUUM.
  foreign(path, `UPDATE kv SET value = '{"title":"by hand"}' WHERE key = (SELECT max(key) FROM kv)`, 'VACUUM')
  expect([await found(db, 'hand'), await found(db, 'third')]).toEqual([['c'], []])
  expect(await Valkeyrie.verify(path)).toMatchObject({ sound: true })
})

test('after writers were killed, a search finds what was committed, and nothing else', async () => {
  const path = await searched()
  for (let round = 0; round < 2; round++) {
    const child = start('write-searched', path)
    while (child.lines.length < 20) await once(child.process.stdout!, 'data')
    child.process.kill('SIGKILL')
    await child.ended
    expect(await Valkeyrie.verify(path)).toMatchObject({ sound: true, findings: [] })
  }
  await using db = await open(path)
  const all = await db.repositories.posts.findMany({ where: { title: { startsWith: 'word' } } })
  for (const { id, value } of all) expect(await found(db, `"${value.title}"`)).toEqual([id])
})

test('different searches of several programs coexist, until one is dropped by name', async () => {
  const path = await searched()
  await using db = await open(path)
  await using other = await Valkeyrie.withSchemas([stems]).open(path)
  await db.repositories.posts.set('c', { title: 'Brewed teas' })
  expect(await found(db, 'tea')).toEqual(['a', 'b'])
  expect(await other.repositories.posts.count({ where: { $search: 'tea brewing' } })).toBe(1)
  expect((await db.stats()).indexes.filter(({ name }) => name.includes('_search_'))).toMatchObject([
    { repository: 'posts', fields: ['title', 'body'], unique: false },
    { repository: 'posts', fields: ['title'], unique: false },
  ])
  // A program that declares it keeps it.
  await (await Valkeyrie.withSchemas([posts]).open(path, { dropIndexes: [search] })).close()
  expect(await found(db, 'tea')).toEqual(['a', 'b'])
  await (await Valkeyrie.withSchemas([stems]).open(path, { dropIndexes: [search] })).close()
  await expect(found(db, 'tea')).rejects.toThrow(MigrationError)
  await expect(found(db, 'tea')).rejects.toThrow(
    "The search of 'posts' on title and body is gone: open the database again",
  )
  await db.repositories.posts.set('d', { title: 'Written all the same' })
  expect(await other.repositories.posts.count({ where: { $search: 'written' } })).toBe(1)
  await using again = await open(path)
  expect(await found(again, 'written')).toEqual(['d'])
})

test('a claim by a search that is gone fails alone, not the writes that commit with it', async () => {
  const path = await searched()
  await using db = await open(path)
  for (let n = 0; n < 12; n++) await db.repositories.posts.set(`n${n}`, { title: 'Waiting' })
  const claim = () =>
    db.repositories.posts.claimMany({ where: { $search: 'waiting' }, limit: 1, set: { title: 'Taken' } })
  for (let n = 0; n < 6; n++) expect((await claim()).count).toBe(1)
  await (await Valkeyrie.withSchemas([plain]).open(path, { dropIndexes: [search] })).close()
  const sets: Promise<unknown>[] = []
  const write = async () => {
    for (let tick = 0; tick < 20; tick++) {
      sets.push(db.set(['other', tick], tick))
      await undefined
    }
  }
  const [claimed] = await Promise.allSettled([claim(), write()])
  expect(claimed.status).toBe('rejected')
  expect((await Promise.allSettled(sets)).filter(({ status }) => status === 'rejected')).toEqual([])
})

test('an import fills the index of the file that takes it, and a backup has it', async () => {
  const path = await searched()
  const into = newPath()
  const { store } = await inspectStore(path, { readOnly: true })
  const lines = await Array.fromAsync(exportRows(store, {}))
  await store.close()
  await (await open(into)).close()
  const lined = newPath()
  writeFileSync(lined, lines.join(''))
  const target = await inspectStore(into, {})
  {
    using rows = await openSource(lined, { from: 'ndjson' }, target.store.registry)
    await importRows(target.store, rows.rows, { onConflict: 'fail' })
  }
  await target.store.close()
  await using db = await open(into)
  expect([await found(db, 'tea'), await found(db, 'strong')]).toEqual([['a', 'b'], ['b']])
  const copy = newPath()
  await db.backup(copy)
  await db.repositories.posts.set('c', { title: 'Later tea' })
  await using kept = await open(copy)
  expect(await found(kept, 'tea')).toEqual(['a', 'b'])
  expect(await Valkeyrie.verify(copy)).toMatchObject({ sound: true })
})

test('a search follows its collection to another name, and inspect knows it', async () => {
  const path = await searched()
  const renamed = defineSchema(['posts', '*'], post, { name: 'articles', search: ['title', 'body'] })
  {
    await using db = await Valkeyrie.withSchemas([renamed]).open(path, {
      renameRepositories: { posts: 'articles' },
    })
    await db.repositories.articles.set('c', { title: 'Tea as well' })
    expect(await db.repositories.articles.count({ where: { $search: 'tea' } })).toBe(3)
  }
  await using db = await Valkeyrie.inspect(path)
  const rows = await db.repositories['articles']!.findMany({ where: { $search: 'tea' }, highlight: true })
  expect(rows.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  expect(await Valkeyrie.verify(path)).toMatchObject({ sound: true })
})

test.each([
  ['DELETE FROM SEARCH_text', 'has another text of ["posts", "a"]'],
  ["UPDATE SEARCH_text SET f0 = 'other' WHERE id = 1", 'has another text of ["posts", "a"]'],
  ["INSERT INTO SEARCH_text (key, f0) VALUES (x'00', 'stray')", 'has the text of rows that are gone'],
  ["INSERT INTO SEARCH (rowid, f0) VALUES (9, 'word')", 'does not match the words of its texts'],
  ["INSERT INTO SEARCH (SEARCH) VALUES ('delete-all')", 'does not match the words of its texts'],
  ['DROP TRIGGER SEARCH_update', 'is missing'],
  ['DROP TABLE SEARCH_text', 'is missing'],
])('verify finds what %s does to a search, and repair fixes it', async (statement, message) => {
  const path = await searched()
  const table = tableOf(path)
  foreign(path, statement.replaceAll('SEARCH', table))
  const { findings } = await Valkeyrie.verify(path)
  expect(findings).toContainEqual({
    kind: 'index',
    message: `The search of 'posts' on title and body ${message}: rebuild it with --repair`,
  })
  const repaired = newPath()
  copyFileSync(path, repaired)
  expect((await repair(repaired)).built).toEqual([table])
  expect(await Valkeyrie.verify(repaired)).toMatchObject({ sound: true })
  // Where a part of it is missing, opening builds it again.
  await using db = await open(message === 'is missing' ? path : repaired)
  await db.repositories.posts.set('a', { title: 'New' })
  expect([await found(db, 'tea'), await found(db, 'new')]).toEqual([['b'], ['a']])
})

test('a damaged row has no words, and can be overwritten', async () => {
  const path = await searched()
  foreign(path, "UPDATE kv SET value = '{' WHERE key = (SELECT min(key) FROM kv)")
  await using db = await open(path)
  expect(await found(db, 'tea')).toEqual(['b'])
  await db.repositories.posts.set('a', { title: 'Tea again' })
  expect(await found(db, 'tea')).toEqual(['a', 'b'])
  const sealed = await Valkeyrie.withSchemas([posts]).open(newPath(), { checksums: true })
  await sealed.repositories.posts.set('a', { title: 'Tea' })
  expect(await found(sealed, 'tea')).toEqual(['a'])
  await sealed.unitOfWork(async (unit) => {
    await unit.repositories.posts.set('b', { title: 'Own tea' })
    expect(await found(unit as never, 'tea')).toEqual(['a', 'b'])
  })
  await sealed.close()
})

test('a field that cannot be searched is refused when it is declared', () => {
  const schema = z.object({ title: z.string(), n: z.int(), at: z.date(), by: z.object({ name: z.string() }) })
  const declare = (search: unknown) => () => defineSchema(['x', '*'], schema, { search } as never)
  expect(declare(['n'])).toThrow("'n' is not a text or an array of texts")
  for (const wrong of ['at', 'by', 'nothing', 'by.age', '', 'a"b'])
    expect(declare([wrong])).toThrow(TypeError)
  for (const wrong of [
    [],
    5,
    null,
    {},
    { on: [] },
    ['title', 'title'],
    { on: 'title', tokenizer: 'icu' },
    { on: 'title', weight: 1 },
  ])
    expect(declare(wrong)).toThrow(TypeError)
  expect(declare({ on: 'title', weights: { by: 1 } })).toThrow(TypeError)
  const inherited = z.object({ constructor: z.string() })
  expect(defineSchema(['x', '*'], inherited, { search: ['constructor'] }).search?.weights).toEqual([1])
  for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1_001, '1'])
    expect(declare({ on: 'title', weights: { title: weight } })).toThrow(RangeError)
  expect(
    defineSchema(['x', '*'], schema, { search: { on: ['title', 'by.name'], weights: { title: 2 } } }).search,
  ).toEqual({
    fields: ['title', 'by.name'],
    weights: [2, 1],
    tokenizer: 'unicode61',
  })
})

test('the hits of a row are marked when it is read, after all rows are sorted', async () => {
  await using db = await open(newPath())
  const { posts } = db.repositories
  const plan = await posts.explain({ where: { $search: 'tea' }, highlight: true })
  const sorted = plan.indexOf('USE TEMP B-TREE FOR ORDER BY')
  const marked = plan.findIndex((step) => step.startsWith('CORRELATED SCALAR SUBQUERY'))
  expect(sorted).toBeGreaterThan(-1)
  expect(marked).toBeGreaterThan(sorted)
})
