import { inspect } from 'node:util'
import { KvU64, Valkeyrie } from 'valkeyrie'
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

test('a unit of work and a repository show what they are of', async () => {
  await using db = await schemas.open()
  expect(inspect(db.repositories.users)).toBe("Repository { name: 'users', pattern: [ 'users', '*' ] }")
  await db.unitOfWork((unit) => {
    expect(inspect(unit)).toBe('UnitOfWork {}')
    expect(inspect(unit.repositories)).toBe(`{
  users: Repository { name: 'users', pattern: [ 'users', '*' ] },
  slow: Repository { name: 'slow', pattern: [ 'slow', '*' ] }
}`)
  })
  expect(inspect(db.list({ prefix: [] }))).toBe('ListIterator {}')
})
