import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import Database from 'better-sqlite3'
import { DatabaseBusyError, StorageError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { start } from '../processes/child.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor } from '../waiting.ts'

const newPath = temporaryFolder()

async function written(): Promise<string> {
  const path = newPath()
  await using db = await Valkeyrie.open(path)
  await db.set(['a'], 1)
  return path
}

async function valueIn(path: string): Promise<unknown> {
  await using db = await Valkeyrie.open(path)
  return (await db.get(['a'])).value
}

test('a handle that only reads destroys nothing, and goes on reading', async () => {
  const path = await written()
  await expect(Valkeyrie.open(path, { readOnly: true, destroyOnClose: true })).rejects.toThrow(TypeError)
  await using db = await Valkeyrie.open(path, { readOnly: true })
  await expect(db.destroy()).rejects.toThrow(StorageError)
  expect((await db.get(['a'])).value).toBe(1)
  expect(await valueIn(path)).toBe(1)
})

test('through a symbolic link, it is the data that goes, and the link stays', async () => {
  const path = await written()
  const link = newPath()
  symlinkSync(path, link)
  const db = await Valkeyrie.open(link, { destroyOnClose: true })
  await db.set(['a'], 2)
  await db.close()
  expect(existsSync(path)).toBe(false)
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  await using again = await Valkeyrie.open(link)
  expect((await again.get(['a'])).value).toBe(null)
})

test('a link that leads elsewhere since does not lead destroy there', async () => {
  const [path, other] = [await written(), await written()]
  const link = newPath()
  symlinkSync(path, link)
  const db = await Valkeyrie.open(link)
  rmSync(link)
  symlinkSync(other, link)
  await db.destroy()
  expect(existsSync(path)).toBe(false)
  expect(await valueIn(other)).toBe(1)
})

test.each(['destroy', 'close'] as const)(
  'while another handle has the file open, %s leaves it, and the other goes on writing',
  async (call) => {
    const path = await written()
    const other = await Valkeyrie.open(path)
    const db = await Valkeyrie.open(path, { destroyOnClose: call === 'close', busyTimeout: 20 })
    await expect(db[call]()).rejects.toThrow(DatabaseBusyError)
    await expect(db.get(['a'])).rejects.toThrow('Database is closed')
    await other.set(['a'], 2)
    await other.close()
    expect(await valueIn(path)).toBe(2)
    await db[call]()
    expect(existsSync(path)).toBe(false)
  },
)

test('while another process has the file open, destroy leaves it', async () => {
  const path = newPath()
  const child = start('hold-open', path)
  await waitFor('the child', new Promise((resolve) => child.process.stdout!.once('data', resolve)))
  const db = await Valkeyrie.open(path, { busyTimeout: 20 })
  // Its own connections are closed first, those that a snapshot and the plain Drizzle have too.
  expect(db.drizzle.$client.open).toBe(true)
  const busy = await db.snapshot(async (view) => {
    await view.get(['a'])
    return db.destroy().catch((error) => error)
  })
  expect(busy).toBeInstanceOf(DatabaseBusyError)
  expect(existsSync(path)).toBe(true)
  child.process.stdin!.end()
  await child.ended
  await db.destroy()
  expect(existsSync(path)).toBe(false)
})

test('when several handles are destroyed together, one removes the file', async () => {
  const path = await written()
  const handles = await Promise.all(Array.from({ length: 4 }, () => Valkeyrie.open(path)))
  await Promise.all(handles.map((db) => db.destroy()))
  expect(existsSync(path)).toBe(false)
})

test.each([
  ['removed', (path: string) => rmSync(path)],
  ['replaced by another file', (path: string) => renameSync(newPath('other'), path)],
  ['renamed', (path: string) => renameSync(path, newPath())],
])('a file that was %s takes no write, and readers and watchers learn of it', async (_, move) => {
  const path = await written()
  new Database(newPath('other')).close()
  writeFileSync(newPath('other'), '')
  await using db = await Valkeyrie.open(path)
  const watch = db.watch([['a']]).getReader()
  expect((await watch.read()).value).toMatchObject([{ value: 1 }])
  const next = watch.read()
  next.catch(() => {})
  await db.set(['b'], 1)
  move(path)
  const moved = { code: 'STORAGE', engineCode: 'SQLITE_READONLY_DBMOVED' }
  await expect(db.set(['b'], 2)).rejects.toMatchObject(moved)
  await expect(db.get(['b'])).rejects.toMatchObject(moved)
  await expect(db.atomic().set(['b'], 2).commit()).rejects.toMatchObject(moved)
  await expect(db.clear()).rejects.toMatchObject(moved)
  await expect(next).rejects.toMatchObject(moved)
})

test('a file whose folder was renamed accepts writes for a moment, and has all of them', async () => {
  const [folder, renamed] = [newPath(), newPath()]
  mkdirSync(folder)
  await using db = await Valkeyrie.open(`${folder}/data.db`)
  await db.set(['n'], 0)
  renameSync(folder, renamed)
  let acknowledged = 0
  const write = async () => {
    for (;;) {
      await db.set(['n'], acknowledged + 1)
      acknowledged += 1
    }
  }
  await expect(write()).rejects.toMatchObject({ engineCode: 'SQLITE_READONLY_DBMOVED' })
  await using moved = await Valkeyrie.open(`${renamed}/data.db`)
  expect((await moved.get(['n'])).value).toBe(acknowledged)
})

test('a missing file acknowledges no write, not even of the same turn', async () => {
  const path = await written()
  await using db = await Valkeyrie.open(path)
  for (let round = 0; round < 50; round++) await db.set(['b'], round)
  rmSync(path)
  const settled = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => db.set(['n', n], n)))
  expect(settled.map(({ status }) => status)).toEqual(Array(20).fill('rejected'))
})

test('a reader alone notices it, too', async () => {
  const path = await written()
  await using db = await Valkeyrie.open(path)
  await db.get(['a'])
  rmSync(path)
  const failure = (async () => {
    for (;;) {
      await db.get(['a'])
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await expect(failure).rejects.toMatchObject({ engineCode: 'SQLITE_READONLY_DBMOVED' })
})

test('destroy removes no file that has replaced its own', async () => {
  const path = await written()
  const db = await Valkeyrie.open(path)
  rmSync(path)
  writeFileSync(path, 'a letter')
  await expect(db.destroy()).rejects.toThrow(StorageError)
  expect(readFileSync(path, 'utf8')).toBe('a letter')
})

test('a closed handle undoes no lock of another one on the same file', async () => {
  const path = await written()
  await using kept = await Valkeyrie.open(path)
  const other = await Valkeyrie.open(path)
  await other.set(['b'], 1)
  await other.close()
  await kept.set(['b'], 2)
  const child = start('destroy', path)
  expect(await child.ended).toBe(0)
  expect(child.lines).toEqual(['DATABASE_BUSY'])
})
