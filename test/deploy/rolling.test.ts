import Database from 'better-sqlite3'
import type { KvError, OpenOptions } from 'valkeyrie'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { type Child, forkChild } from '../concurrency/child.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { Release } from './deploy.ts'
import type { Order } from './program.ts'

const newPath = temporaryFolder()

type Answer = { readonly result?: unknown } & Partial<KvError> & { readonly repository?: string }

/** Processes that have nothing open: what starts one costs more than what a test does with it. */
const idle: Child[] = []
afterAll(() => {
  for (const child of idle) child.process.kill('SIGKILL')
})

/** A process of a release that has the file open. */
async function start(path: string, release: Release, options: OpenOptions = {}) {
  const child = idle.pop() ?? (await started())
  const tell = (order: Order) => {
    child.send(order)
    return child.message<Answer>()
  }
  onTestFinished(async () => {
    await tell({ close: true })
    idle.push(child)
  })
  expect(await tell({ open: path, release, options })).toEqual({ result: true })
  return tell
}

async function started(): Promise<Child> {
  const child = forkChild('deploy/program.ts')
  await child.message()
  return child
}

/** Pairs of releases that run side by side, one opening after the other, each way round, and both keep working. */
const pairs: readonly (readonly [Release, Release])[] = [
  ['base', 'without an index'],
  ['base', 'with another index'],
  ['base', 'with a pattern more'],
  ['base', 'with another schema'],
  ['base', 'without schemas'],
  ['with notes', 'with notes that refer'],
]

test.each(pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]))(
  'a process %s, then one %s: both go on, and neither loses a row',
  async (first, second) => {
    const path = newPath()
    const a = await start(path, first)
    expect(await a({ set: 'ann', email: 'a' })).toEqual({ result: true })
    const b = await start(path, second)
    expect(await b({ set: 'bob', email: 'b' })).toEqual({ result: true })
    expect(await a({ set: 'cid', email: 'c' })).toEqual({ result: true })
    for (const [process, release] of [
      [a, first],
      [b, second],
    ] as const) {
      if (release === 'without schemas') continue
      expect(await process({ count: 'users' })).toEqual({ result: 3 })
      expect(await process({ city: 'Bonn' })).toEqual({ result: ['ann', 'bob', 'cid'] })
    }
  },
)

test.each([
  ['base', 'with a unique index'],
  ['with a unique index', 'base'],
  ['with a unique index', 'without schemas'],
  ['without schemas', 'with a unique index'],
  ['with another index', 'with a unique index'],
  ['with a unique index', 'with another index'],
] as const)('a process %s, then one %s: no process writes a duplicate', async (first, second) => {
  const path = newPath()
  const a = await start(path, first)
  const b = await start(path, second)
  expect(await a({ set: 'ann', email: 'same' })).toEqual({ result: true })
  for (const process of [a, b]) {
    expect(await process({ set: 'bob', email: 'same' })).toMatchObject({
      name: 'UniqueConstraintError',
      repository: 'users',
    })
  }
  const later = await start(path, 'with a unique index')
  expect(await later({ count: 'users' })).toEqual({ result: 1 })
})

test.each([
  ['base', 'with another name', 'people', 'users'],
  ['with another name', 'base', 'users', 'people'],
  ['base', 'with another pattern under its name', '["people","*"]', 'users'],
  ['with another pattern under its name', 'base', '["users","*"]', 'users'],
] as const)('a process %s, then one %s: the second is refused', async (first, second, named, known) => {
  const path = newPath()
  const a = await start(path, first)
  const { releases } = await import('./deploy.ts')
  await a({ set: 'ann', email: 'a' })
  const error = await releases[second].open(path).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'MIGRATION', repository: known })
  for (const part of [named, known]) expect((error as Error).message).toContain(part)
  expect(await a({ set: 'bob', email: 'b' })).toEqual({ result: true })
})

test('after a repository is renamed by option, a running process of the old name gets an error, and writes nothing', async () => {
  const path = newPath()
  const a = await start(path, 'base')
  await a({ set: 'ann', email: 'a' })
  expect(await a({ count: 'users' })).toEqual({ result: 1 })
  const b = await start(path, 'with another name', { renameRepositories: { users: 'people' } })
  expect(await b({ count: 'people' })).toEqual({ result: 1 })
  const told = {
    code: 'MIGRATION',
    repository: 'users',
    message: expect.stringContaining("now names it 'people'"),
  }
  expect(await a({ count: 'users' })).toMatchObject(told)
  expect(await a({ city: 'Bonn' })).toMatchObject(told)
  expect(await a({ set: 'bob', email: 'b' })).toMatchObject(told)
  expect(await b({ set: 'cid', email: 'c' })).toEqual({ result: true })
  expect(await b({ count: 'people' })).toEqual({ result: 2 })
  // The option may remain.
  const later = await start(path, 'with another name', { renameRepositories: { users: 'people' } })
  expect(await later({ count: 'people' })).toEqual({ result: 2 })
})

test('after a unique index is dropped by option, the process that relies on it stops writing, and keeps reading', async () => {
  const path = newPath()
  const a = await start(path, 'with a unique index')
  await a({ set: 'ann', email: 'same' })
  const dropIndexes = [{ repository: 'users', on: 'email' }]
  const b = await start(path, 'base', { dropIndexes })
  expect(await b({ set: 'bob', email: 'same' })).toEqual({ result: true })
  expect(await a({ set: 'cid', email: 'same' })).toMatchObject({ code: 'MIGRATION', repository: 'users' })
  expect(await a({ city: 'Bonn' })).toEqual({ result: ['ann', 'bob'] })
})

test('after an index is dropped by option, the process that declares it continues', async () => {
  const path = newPath()
  const a = await start(path, 'with another index')
  await a({ set: 'ann', email: 'a' })
  const b = await start(path, 'base', { dropIndexes: [{ repository: 'users', on: 'email' }] })
  expect(await a({ set: 'bob', email: 'b' })).toEqual({ result: true })
  expect(await a({ city: 'Bonn' })).toEqual({ result: ['ann', 'bob'] })
  expect(await b({ count: 'users' })).toEqual({ result: 2 })
})

test('what a unit of work has written before another opener adds a pattern is filed under that pattern', async () => {
  const path = newPath()
  const { releases } = await import('./deploy.ts')
  await using db = await releases['without schemas'].open(path)
  let other: Awaited<ReturnType<(typeof releases)['with a pattern more']['open']>> | undefined
  await db.unitOfWork(async (unit) => {
    await unit.set(['users', 'root'], { email: 'r', city: 'Bonn' })
    other ??= await releases['with a pattern more'].open(path)
    // Notices the change of the catalogue.
    await db.set(['users', 'ann'], { email: 'a', city: 'Bonn' })
  })
  expect([await other!.repositories.root.count(), await other!.repositories.users.count()]).toEqual([1, 1])
  await other!.close()
})

test('a more specific pattern takes no rows and no unique index from a process that runs', async () => {
  const path = newPath()
  const a = await start(path, 'with a unique index')
  const { releases } = await import('./deploy.ts')
  await a({ set: 'root', email: 'r' })
  await a({ set: 'ann', email: 'a' })
  const refused = releases['with a pattern more'].open(path)
  await expect(refused).rejects.toMatchObject({ code: 'MIGRATION', repository: 'users' })
  expect(await a({ count: 'users' })).toEqual({ result: 2 })
  expect(await a({ city: 'Bonn' })).toEqual({ result: ['ann', 'root'] })
  expect(await a({ set: 'bob', email: 'r' })).toMatchObject({ name: 'UniqueConstraintError' })
})

test('after a more specific pattern takes rows by option, the running process gets an error, and writes nothing', async () => {
  const path = newPath()
  const a = await start(path, 'with a unique index')
  await a({ set: 'root', email: 'r' })
  const b = await start(path, 'with a pattern more', { takeRows: ['root'] })
  expect(await b({ count: 'users' })).toEqual({ result: 0 })
  const told = { code: 'MIGRATION', repository: 'users', message: expect.stringContaining("'root'") }
  expect(await a({ count: 'users' })).toMatchObject(told)
  expect(await a({ city: 'Bonn' })).toMatchObject(told)
  expect(await a({ set: 'bob', email: 'r' })).toMatchObject(told)
})

test('a process writes no key of a more specific pattern that it does not declare, and goes on with the others', async () => {
  const path = newPath()
  const a = await start(path, 'with a unique index')
  await a({ set: 'ann', email: 'a' })
  await start(path, 'with a pattern more')
  const told = { code: 'MIGRATION', repository: 'users', message: expect.stringContaining("'root'") }
  const later = await start(path, 'base')
  for (const process of [a, later]) {
    expect(await process({ set: 'root', email: 'a' })).toMatchObject(told)
    expect(await process({ set: 'ann', email: 'b' })).toEqual({ result: true })
    expect(await process({ count: 'users' })).toEqual({ result: 1 })
  }
})

test('after a release without a catalogue drops a unique index, the process that relies on it stops writing', async () => {
  const path = newPath()
  const a = await start(path, 'with a unique index')
  await a({ set: 'ann', email: 'same' })
  const file = new Database(path)
  const indexes = file
    .prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'kv_users_email%'")
    .pluck()
    .all()
  expect(indexes).toHaveLength(1)
  file.exec(`DROP INDEX "${indexes[0]}"`)
  file.close()
  expect(await a({ set: 'bob', email: 'same' })).toMatchObject({ code: 'MIGRATION', repository: 'users' })
  expect(await a({ set: 'cid', email: 'other' })).toMatchObject({ code: 'MIGRATION', repository: 'users' })
  expect(await a({ city: 'Bonn' })).toEqual({ result: ['ann'] })
})
