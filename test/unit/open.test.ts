import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { Valkeyrie } from 'valkeyrie'
import { afterEach, assert, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()

afterEach(() => {
  vi.restoreAllMocks()
})

test('on a Node.js that the engine does not support, the error says so, and its binary is not loaded', async () => {
  vi.spyOn(process, 'versions', 'get').mockReturnValue({ ...process.versions, node: '20.20.2' })
  const opening = Valkeyrie.open()
  await expect(opening).rejects.toMatchObject({ name: 'DatabaseOpenError', code: 'DATABASE_OPEN' })
  await expect(opening).rejects.toThrow(/needs Node\.js 22\.18 or newer, and this is 20\.20\.2: upgrade/)
})

/** A Node.js 20 that this machine has besides the one that runs the tests, if it has one. */
const olderNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, 'node'))
  .find((node) => existsSync(node) && / v?20\./.test(` ${execFileSync(node, ['--version'])}`))

const dist = new URL('../../dist/', import.meta.url)
const openInOlder = `
  delete JSON.rawJSON
  if (Number.parseInt(process.versions.node) >= 22)
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.17.1' } })
  await import('${dist}schema.js')
  await import('${dist}kv-u64.js')
  const { Valkeyrie } = await import('${dist}index.js')
  for (const attempt of [() => Valkeyrie.open(), () => Valkeyrie.verify('./no.db')])
    await attempt().catch(({ name, code, message }) => console.log(name, code, message))`

test.each([process.execPath, ...(olderNode === undefined ? [] : [olderNode])])(
  'the package can be imported on a Node.js that is too old, to be told so: %s',
  (node) => {
    const told = execFileSync(node, ['--input-type=module', '--eval', openInOlder], { encoding: 'utf8' })
    expect(told).toMatch(
      /^(DatabaseOpenError DATABASE_OPEN .*valkeyrie needs Node\.js 22\.18 or newer, and this is 2\d\.\d+\.\d+: upgrade Node\.js\n){2}$/,
    )
  },
)

test.each([
  [':memory', /leave out the path .* write '\.\/:memory'/],
  [':memory:x', /leave out the path/],
  ['file:x.db', /write only the path.* write '\.\/file:x\.db'/],
  ['file:///x.db', /URL object/],
  ['FILE:x.db?mode=memory', /URL object/],
  [
    'mysql://x/y',
    /no engine for mysql:\/\/…: pass the path of a file, .* or the address of a PostgreSQL server/,
  ],
  ['sqlite:///x.db', /no engine for sqlite:/],
  [' mysql://bob:hidden@x/y', /^There is no engine for mysql:(?!.*hidden)/],
  [' postgres://bob:hidden@x/y', /must begin with 'postgres:\/\/'(?!.*hidden)/],
  ['PostgreSQL:bob:hidden@x/y', /must begin with 'postgres:\/\/'(?!.*hidden)/],
  ['./data.db\n', /^"\.\/data\.db\\n" ends with white space, .*: trim it$/],
])('%s is not a path: the error says what to write, and no file is made', async (name, message) => {
  vi.spyOn(process, 'cwd').mockReturnValue(path('.'))
  await expect(Valkeyrie.open(name)).rejects.toThrow(TypeError)
  await expect(Valkeyrie.open(name)).rejects.toThrow(message)
  const items = { prefix: ['a'], keyProperty: 'id', path: name } as const
  await expect(Valkeyrie.from([{ id: 1 }], items)).rejects.toThrow(message)
  expect(readdirSync(path('.'))).toEqual([])
})

test.each([
  'postgres://bob:secret@127.0.0.1:1/shop?sslpassword=secret',
  'PostgreSQL://bob:secret@127.0.0.1:1/shop',
  new URL('postgres://bob:secret@127.0.0.1:1/shop#secret'),
])('if no server answers at %s, every call says so, and shows no secret', async (address) => {
  vi.spyOn(process, 'cwd').mockReturnValue(path('.'))
  for (const call of [
    () => Valkeyrie.open(address),
    () => Valkeyrie.from([{ id: 1 }], { prefix: ['a'], keyProperty: 'id', path: address }),
    () => Valkeyrie.inspect(address),
  ]) {
    const error: Error = await call().then(
      () => assert.fail('it was opened'),
      (reason) => reason,
    )
    expect(error).toMatchObject({ name: 'DatabaseOpenError', code: 'DATABASE_OPEN' })
    expect(error.message).toMatch(/^Cannot open postgres(ql)?:\/\/127.0.0.1:1\/\S+: no server listens there/i)
    expect(inspect(error)).not.toMatch(/bob|secret/)
  }
  expect(readdirSync(path('.'))).toEqual([])
})

test.each([
  'postgres://bob:secret@:/shop',
  'postgres://bob:secret@host:port/shop',
  'postgres://bob:secret%@host/shop',
])('%s is not an address, which every call says without showing a secret', async (address) => {
  await using db = await Valkeyrie.open()
  for (const call of [
    () => Valkeyrie.open(address),
    () => Valkeyrie.inspect(address),
    () => Valkeyrie.verify(address),
    () => db.backup(address),
  ]) {
    const error: Error = await (async () => call())().then(
      () => assert.fail('it was taken'),
      (reason) => reason,
    )
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(/is not an address: write postgres:/)
    expect(inspect(error)).not.toMatch(/bob|secret/)
  }
})

test('a backup is a file', async () => {
  await using db = await Valkeyrie.open()
  await expect(db.backup('postgres://bob:secret@host/shop')).rejects.toThrow(/takes the path of a file/)
})

test('a file with such a name can be opened by another form of its path', async () => {
  const file = path(':memory')
  await using db = await Valkeyrie.open(file)
  await db.set(['a'], 1)
  expect(existsSync(file)).toBe(true)
})

test.each(['-wal', '-shm', '-journal'])('the name of a database and %s is not a path', async (ending) => {
  const file = path(`beside${ending}.db`)
  await using db = await Valkeyrie.open(file)
  await db.set(['a'], 1)
  const refused = {
    name: 'TypeError',
    message: `${file}${ending} belongs to the database ${file}: name another file`,
  }
  await expect(Valkeyrie.open(`${file}${ending}`)).rejects.toMatchObject(refused)
  await expect(db.backup(`${file}${ending}`, { overwrite: true })).rejects.toMatchObject(refused)
  await expect(Valkeyrie.copy(file, `${file}${ending}`, { overwrite: true })).rejects.toMatchObject(refused)
  await using other = await Valkeyrie.open(path(`nothing${ending}`))
  await other.set(['a'], 1)
  await using again = await Valkeyrie.open(file)
  expect(await again.get(['a'])).toMatchObject({ value: 1 })
})

test('a file: URL object is a path', async () => {
  const file = path('data of ü%.db')
  const url = pathToFileURL(file)
  {
    await using db = await Valkeyrie.from([{ id: 'a' }], { prefix: ['x'], keyProperty: 'id', path: url })
    expect(await db.get(['x', 'a'])).toMatchObject({ value: { id: 'a' } })
  }
  await using db = await Valkeyrie.open(file)
  expect(await db.get(['x', 'a'])).toMatchObject({ value: { id: 'a' } })
  await expect(Valkeyrie.open(new URL('mysql://bob:secret@host/x'))).rejects.toThrow(
    /^There is no engine for mysql:\/\/…: (?!.*secret)/,
  )
  for (const other of [`${url}?mode=ro`, `${url}#a`, 'file://host/a.db']) {
    await expect(Valkeyrie.open(new URL(other))).rejects.toThrow(/URL of a database/)
  }
})

test("':memory:' stands for no path", async () => {
  await using db = await Valkeyrie.open(':memory:')
  await db.set(['a'], 1)
  await using other = await Valkeyrie.open(':memory:')
  expect(await other.get(['a'])).toMatchObject({ value: null })
})
