import { expect, it } from 'vitest'
import { Editor } from './language-service.ts'

const header = `
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const db = await Valkeyrie.withSchema(
  ['users', '*'],
  z.object({ name: z.string(), age: z.int(), address: z.object({ city: z.string() }).optional() }),
)
  .withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string(), likes: z.int() }), { name: 'posts' })
  .open()
const { users, posts } = db.repositories
`

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

const queryMethods = ['findMany', 'findFirst', 'findPage', 'watchMany', 'prepare']
const queryOf = (method: string, query: string) => `users.${method}({ ${query} })`

/** What is offered elsewhere. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
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

/** Reads of a row with its key and version. */
const entries = [
  'const |entry = await users.get("x")',
  'const |entries = await users.getMany(["x"])',
  'for await (const |entry of users.list()) entry',
  'const { |value } = await db.get(["users", "alice"])',
]
const reads = [
  ...entries,
  'const |found = await users.findMany({ where: { age: 1 } })',
  'const |found = await users.findFirst({ columns: { name: true } })',
  'const |found = await users.findMany({ with: { posts: true } })',
  'const |page = await users.findPage()',
  'const |claimed = (await users.claimMany({ where: {}, limit: 1, set: {} })).entries',
  'for await (const |rows of users.watchMany()) rows',
  'for await (const |row of users.watch("x")) row',
]

const repositories = [
  '|users',
  'db.repositories.|users',
  'const |byPattern = db.repository(["users", "*"])',
  'await db.unitOfWork(async (unit) => unit.repositories.|users)',
  'await db.snapshot(async (view) => view.repositories.|users)',
]
const database = '|db'

const editor = new Editor(header, [
  ...queryMethods.flatMap((method) => Object.keys(inQueries).map((query) => queryOf(method, query))),
  ...Object.keys(elsewhere),
  ...reads,
  ...repositories,
  database,
])

it.each(queryMethods)('an editor completes the query of %s', (method) => {
  for (const [query, expected] of Object.entries(inQueries)) {
    const offered = editor.completions(queryOf(method, query))
    if (alone.includes(query)) expect(offered, query).toEqual(expected)
    else expect(offered, query).toEqual(expect.arrayContaining([...expected]))
    expect(offered).not.toContain('toFixed')
    expect(offered, query).not.toContain('error')
  }
})

it('an editor completes what the other methods take', () => {
  for (const [line, expected] of Object.entries(elsewhere)) {
    const offered = editor.completions(line)
    expect(offered, line).toEqual(expect.arrayContaining([...expected]))
    expect(offered, line).not.toContain('error')
  }
})

it('an editor shows of a row that is read its value, and no machinery', () => {
  for (const line of reads) {
    const info = editor.quickInfo(line)
    expect(info, line).toContain('name: string')
    expect(info, line).not.toMatch(/DefinitionOf|ZodObject/)
    expect(info.length, info).toBeLessThanOrEqual(entries.includes(line) ? 250 : 350)
  }
})

it('an editor shows of a repository the type of its values first, and of a database some lines', () => {
  for (const line of repositories) {
    const info = editor.quickInfo(line)
    expect(info).toMatch(/^\S+ \w+: \w+<\{\s+name: string;\s+age: number;\s+address\?: \{\s+city: string;/)
    expect(info.length, info).toBeLessThanOrEqual(800)
  }
  expect(editor.quickInfo(database).length).toBeLessThanOrEqual(800)
})
