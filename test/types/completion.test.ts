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

it.each(['findMany', 'findFirst', 'findPage', 'watchMany', 'prepare'])(
  'an editor completes the query of %s',
  (method) => {
    const inside = (query: string) => editor.completions(`users.${method}({ ${query} })`)
    expect(inside('|')).toEqual(
      expect.arrayContaining(['where', 'orderBy', 'limit', 'offset', 'columns', 'with', 'after', 'prefix']),
    )
    const fields = ['name', 'age', 'address']
    expect(inside('where: { | }')).toEqual(expect.arrayContaining([...fields, 'AND', 'OR', 'NOT']))
    expect(inside('where: { OR: [{ | }] }')).toEqual(expect.arrayContaining(fields))
    expect(inside('where: { age: { | } }')).toEqual(expect.arrayContaining(['eq', 'gte', 'in', 'isNull']))
    expect(inside('where: { age: { | } }')).not.toContain('toFixed')
    expect(inside('where: { address: { | } }')).toEqual(expect.arrayContaining(['city', 'isNull']))
    expect(inside('orderBy: { | }')).toEqual(expect.arrayContaining(fields))
    expect(inside('orderBy: [{ age: "asc" }, { | }]')).toEqual(expect.arrayContaining(['name', 'address']))
    expect(inside('orderBy: { age: "|" }')).toEqual(['asc', 'desc'])
    expect(inside('columns: { | }')).toEqual(expect.arrayContaining(fields))
    expect(inside('with: { | }')).toEqual(['posts'])
    expect(inside('with: { posts: { | } }')).toEqual(expect.arrayContaining(['where', 'orderBy', 'limit']))
    expect(inside('with: { posts: { where: { | } } }')).toEqual(expect.arrayContaining(['title', 'likes']))
  },
)

it.each([
  ['users.aggregate({ | })', ['count', 'sum', 'avg', 'min', 'max', 'groupBy', 'having', 'orderBy', 'limit']],
  ['users.aggregate({ sum: "|" })', ['age']],
  ['users.aggregate({ count: true, groupBy: "|" })', ['name', 'age', 'address.city']],
  ['users.count({ where: { | } })', ['name', 'age', 'address']],
  ['users.updateMany({ where: { | }, set: {} })', ['name', 'age', 'address']],
  ['users.updateMany({ where: {}, set: { | } })', ['name', 'age', 'address']],
  ['users.update("alice", { | })', ['name', 'age', 'address']],
  ['users.set("alice", { | })', ['name', 'age', 'address']],
  ['db.set(["users", "alice"], { | })', ['name', 'age', 'address']],
  ['Valkeyrie.withSchema(["a", "*"], z.string(), { | })', ['name', 'indexes', 'references']],
  ['Valkeyrie.withSchema(["a", "*"], z.string(), { indexes: [{ | }] })', ['on', 'unique']],
  ['db.repositories.|', ['users', 'posts']],
])('an editor completes %s', (line, names) => {
  const offered = editor.completions(line)
  expect(offered).toEqual(expect.arrayContaining(names))
  expect(offered).not.toContain('error')
})

it('an editor shows of a row that is read its value, and no machinery', () => {
  const entries = [
    'const |entry = await users.get("x")',
    'const |entries = await users.getMany(["x"])',
    'for await (const |entry of users.list()) entry',
    'const { |value } = await db.get(["users", "alice"])',
  ]
  for (const line of [
    ...entries,
    'const |found = await users.findMany({ where: { age: 1 } })',
    'const |found = await users.findFirst({ columns: { name: true } })',
    'const |found = await users.findMany({ with: { posts: true } })',
    'const |page = await users.findPage()',
    'const |claimed = (await users.claimMany({ where: {}, limit: 1, set: {} })).entries',
    'for await (const |rows of users.watchMany()) rows',
    'for await (const |row of users.watch("x")) row',
  ]) {
    const info = editor.quickInfo(line)
    expect(info, line).toContain('name: string')
    expect(info, line).not.toMatch(/DefinitionOf|ZodObject/)
    expect(info.length, info).toBeLessThanOrEqual(entries.includes(line) ? 250 : 350)
  }
})

it('an editor shows of a repository the type of its values first, and of a database some lines', () => {
  for (const line of [
    '|users',
    'db.repositories.|users',
    'const |byPattern = db.repository(["users", "*"])',
    'await db.unitOfWork(async (unit) => unit.repositories.|users)',
    'await db.snapshot(async (view) => view.repositories.|users)',
  ]) {
    const info = editor.quickInfo(line)
    expect(info).toMatch(/^\S+ \w+: \w+<\{\s+name: string;\s+age: number;\s+address\?: \{\s+city: string;/)
    expect(info.length, info).toBeLessThanOrEqual(800)
  }
  expect(editor.quickInfo('|db').length).toBeLessThanOrEqual(800)
})
