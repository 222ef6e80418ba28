import { expect, it } from 'vitest'
import { Editor } from './language-service.ts'

const editor = new Editor(`
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const db = await Valkeyrie.withSchema(
  ['users', '*'],
  z.object({ name: z.string(), age: z.int(), address: z.object({ city: z.string() }).optional() }),
)
  .withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string(), likes: z.int() }), { name: 'posts' })
  .open()
const { users, posts } = db.repositories
`)

const fields = ['name', 'age', 'address']

/** By what is written of a query, what an editor offers there. */
const inQueries: Readonly<Record<string, readonly string[]>> = {
  '|': ['where', 'orderBy', 'limit', 'offset', 'columns', 'with', 'after', 'prefix'],
  'where: { | }': [...fields, 'AND', 'OR', 'NOT'],
  'where: { OR: [{ | }] }': fields,
  'where: { age: { | } }': ['eq', 'gte', 'in', 'isNull'],
  'where: { address: { | } }': ['city', 'isNull'],
  'orderBy: { | }': fields,
  'orderBy: [{ age: "asc" }, { | }]': ['name', 'address'],
  'orderBy: { age: "|" }': ['asc', 'desc'],
  'columns: { | }': fields,
  'with: { | }': ['posts'],
  'with: { posts: { | } }': ['where', 'orderBy', 'limit'],
  'with: { posts: { where: { | } } }': ['title', 'likes'],
}
/** Where nothing else is offered. */
const alone = ['orderBy: { age: "|" }', 'with: { | }']

it.each(['findMany', 'findFirst', 'findPage', 'watchMany', 'prepare'])(
  'an editor completes the query of %s',
  (method) => {
    const queries = Object.keys(inQueries)
    const offered = editor.completions(queries.map((query) => `users.${method}({ ${query} })`))
    for (const [at, query] of queries.entries()) {
      const expected = inQueries[query]!
      if (alone.includes(query)) expect(offered[at], query).toEqual(expected)
      else expect(offered[at], query).toEqual(expect.arrayContaining([...expected]))
      expect(offered[at]).not.toContain('toFixed')
    }
  },
)

it('an editor completes what the other methods take', () => {
  const expected = {
    'users.aggregate({ | })': ['count', 'sum', 'avg', 'min', 'max', 'groupBy', 'having', 'orderBy', 'limit'],
    'users.aggregate({ sum: "|" })': ['age'],
    'users.aggregate({ count: true, groupBy: "|" })': ['name', 'age', 'address.city'],
    'users.count({ where: { | } })': fields,
    'users.updateMany({ where: { | }, set: {} })': fields,
    'users.updateMany({ where: {}, set: { | } })': fields,
    'users.update("alice", { | })': fields,
    'users.set("alice", { | })': fields,
    'db.set(["users", "alice"], { | })': fields,
    'Valkeyrie.withSchema(["a", "*"], z.string(), { | })': ['name', 'indexes', 'references'],
    'Valkeyrie.withSchema(["a", "*"], z.string(), { indexes: [{ | }] })': ['on', 'unique'],
    'db.repositories.|': ['users', 'posts'],
  }
  const offered = editor.completions(Object.keys(expected))
  for (const [at, [line, names]] of Object.entries(expected).entries()) {
    expect(offered[at], line).toEqual(expect.arrayContaining(names))
    expect(offered[at], line).not.toContain('error')
  }
})

it('an editor shows of a row that is read its value, and no machinery', () => {
  const entries = [
    'const |entry = await users.get("x")',
    'const |entries = await users.getMany(["x"])',
    'for await (const |entry of users.list()) entry',
    'const { |value } = await db.get(["users", "alice"])',
  ]
  const lines = [
    ...entries,
    'const |found = await users.findMany({ where: { age: 1 } })',
    'const |found = await users.findFirst({ columns: { name: true } })',
    'const |found = await users.findMany({ with: { posts: true } })',
    'const |page = await users.findPage()',
    'const |claimed = (await users.claimMany({ where: {}, limit: 1, set: {} })).entries',
    'for await (const |rows of users.watchMany()) rows',
    'for await (const |row of users.watch("x")) row',
  ]
  for (const [at, info] of editor.quickInfo(lines).entries()) {
    const line = lines[at]!
    expect(info, line).toContain('name: string')
    expect(info, line).not.toMatch(/DefinitionOf|ZodObject/)
    expect(info.length, info).toBeLessThanOrEqual(entries.includes(line) ? 250 : 350)
  }
})

it('an editor shows of a repository the type of its values first, and of a database some lines', () => {
  const lines = [
    '|users',
    'db.repositories.|users',
    'const |byPattern = db.repository(["users", "*"])',
    'await db.unitOfWork(async (unit) => unit.repositories.|users)',
    'await db.snapshot(async (view) => view.repositories.|users)',
  ]
  for (const info of editor.quickInfo(lines)) {
    expect(info).toMatch(/^\S+ \w+: \w+<\{\s+name: string;\s+age: number;\s+address\?: \{\s+city: string;/)
    expect(info.length, info).toBeLessThanOrEqual(800)
  }
  expect(editor.quickInfo(['|db'])[0]!.length).toBeLessThanOrEqual(800)
})
