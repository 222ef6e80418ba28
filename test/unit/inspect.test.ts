import { inspect } from 'node:util'
import { KvU64, parameter, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
const schemas = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() })).withSchema(
  ['slow', '*'],
  z.number().refine(async (n) => n > 0, 'must be above 0'),
)

test('an atomic operation shows its checks and mutations', async () => {
  await using db = await schemas.open()
  const versionstamp = '00000000000000000001'
  const operation = db
    .atomic()
    .check({ key: ['a'], versionstamp: null }, { key: ['b', 1n], versionstamp })
    .set(['a'], { deep: { at: new Date(0) } })
    .set(['slow', 'x'], 1)
    .delete(['b', 1n])
    .sum(['n'], -2n)
    .max(['n'], new KvU64(5n))
  expect(inspect(operation, { breakLength: 80 })).toBe(`AtomicOperation {
  checks: [
    { key: [ 'a' ], versionstamp: null },
    { key: [ 'b', 1n ], versionstamp: '00000000000000000001' }
  ],
  mutations: [
    {
      type: 'set',
      key: [ 'a' ],
      value: { deep: { at: 1970-01-01T00:00:00.000Z } }
    },
    { type: 'set', key: [ 'slow', 'x' ], value: Promise { <pending> } },
    { type: 'delete', key: [ 'b', 1n ] },
    { type: 'sum', key: [ 'n' ], value: -2n },
    { type: 'max', key: [ 'n' ], value: 5n }
  ]
}`)
  expect(inspect(db.atomic())).toBe('AtomicOperation { checks: [], mutations: [] }')
  expect(inspect({ a: { b: { c: operation } } }, { depth: 0 })).toContain('[Object]')
})

test('a database shows its path and its repositories, in a line', async () => {
  const db = await schemas.open()
  expect(inspect(db)).toBe("Database { path: ':memory:', repositories: [ 'users', 'slow' ], closed: false }")
  await db.close()
  expect(inspect(db)).toContain('closed: true')
  const file = path()
  await using stored = await Valkeyrie.open(file)
  expect(inspect(stored, { breakLength: Number.POSITIVE_INFINITY })).toBe(
    `Database { path: '${file}', repositories: [], closed: false }`,
  )
})

test('a unit of work and a repository show what they belong to', async () => {
  await using db = await schemas.open()
  expect(inspect(db.repositories.users)).toBe("Repository { name: 'users', pattern: [ 'users', '*' ] }")
  await db.unitOfWork((unit) => {
    expect(inspect(unit)).toBe("UnitOfWork { repositories: [ 'users', 'slow' ], writes: 0 }")
    expect(inspect(unit.repositories)).toBe(`{
  users: Repository { name: 'users', pattern: [ 'users', '*' ] },
  slow: Repository { name: 'slow', pattern: [ 'slow', '*' ] }
}`)
  })
  const list = db.list({ prefix: [] }, { limit: 3 })
  expect(inspect(list)).toBe("ListIterator { cursor: '', left: 3, reverse: false, ended: false }")
  await list.next()
  expect(inspect(list)).toBe("ListIterator { cursor: '', left: 3, reverse: false, ended: true }")
})

test('a builder, a snapshot and a prepared query show what they belong to', async () => {
  expect(inspect(schemas)).toBe(`ValkeyrieBuilder {
  schemas: [
    { name: 'users', pattern: [ 'users', '*' ] },
    { name: 'slow', pattern: [ 'slow', '*' ] }
  ]
}`)
  await using db = await schemas.open()
  await db.snapshot((view) => {
    expect(inspect(view)).toBe("SnapshotView { repositories: [ 'users', 'slow' ] }")
  })
  const query = db.repositories.users.prepare({ where: { name: { gt: parameter('name') } }, limit: 2 })
  expect(inspect(query)).toBe(`PreparedQuery {
  repository: 'users',
  query: {
    where: { name: { gt: { Symbol(valkeyrie.Parameter): 'name' } } },
    limit: 2
  },
  parameters: [ 'name' ]
}`)
})

test('the entry of a missing row shows itself in a unit of work as elsewhere', async () => {
  await using db = await schemas.open()
  const outside = [await db.get(['users', 'a']), await db.repositories.users.get('a')]
  await db.unitOfWork(async (unit) => {
    const inside = [await unit.get(['users', 'a']), await unit.repositories.users.get('a')]
    expect(inside.map((entry) => inspect(entry))).toEqual(outside.map((entry) => inspect(entry)))
    expect(inside).toEqual(outside)
  })
})
