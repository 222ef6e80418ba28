import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { DatabaseOpenError, Valkeyrie } from 'valkeyrie'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()

describe('open refuses', () => {
  const refused = async (file: string, options?: Parameters<typeof Valkeyrie.open>[1]) => {
    const error = await Valkeyrie.open(file, options).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(DatabaseOpenError)
    expect(error).toMatchObject({ code: 'DATABASE_OPEN', path: expect.any(String) })
    expect(error.message).toContain(file)
    return error.message as string
  }

  test('a file that is not a database, and leaves it as it is', async () => {
    const file = path()
    const text = 'This is a letter, not a database. '.repeat(100)
    writeFileSync(file, text)
    expect(await refused(file)).toContain('not a database')
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(existsSync(`${file}-wal`)).toBe(false)
  })

  test.each([{ connections: 3 }, { schema: 'shop' }, { connectTimeout: 1_000 }])(
    'an option of PostgreSQL: %j',
    async (options) => {
      const [name] = Object.keys(options)
      const message = `The option '${name}' of open is one of PostgreSQL, but this is no address of a server: leave it out`
      for (const file of [path(), undefined]) {
        await expect(Valkeyrie.open(file, options)).rejects.toThrow(new TypeError(message))
      }
    },
  )

  test('a directory', async () => {
    mkdirSync(path('folder'))
    expect(await refused(path('folder'))).toContain('directory')
  })

  test('a path in a folder that is not there', async () => {
    expect(await refused(path('none/a.db'))).toContain('folder')
    expect(existsSync(path('none'))).toBe(false)
  })

  test('a path that cannot be written', async () => {
    await refused('/proc/valkeyrie.db')
    writeFileSync(path('file'), '')
    await refused(path('file/a.db'))
    await refused(path('x'.repeat(300)))
  })

  test('a database of a newer format, and leaves it as it is', async () => {
    const file = path()
    const db = await Valkeyrie.open(file)
    await db.set(['a'], 1)
    await db.close()
    const raw = new Database(file)
    raw.pragma('user_version = 99')
    raw.close()
    expect(await refused(file)).toMatch(/format is 99.*upgrade/)
    await refused(file, { readOnly: true })
  })

  test('a database of another application', async () => {
    const file = path()
    const raw = new Database(file)
    raw.pragma('application_id = 1234')
    raw.exec('CREATE TABLE theirs (a)')
    raw.close()
    expect(await refused(file)).toContain('another application')
  })

  test('to read a file that is missing, or has no tables', async () => {
    const file = path()
    await refused(file, { readOnly: true })
    expect(existsSync(file)).toBe(false)
    new Database(file).exec('CREATE TABLE theirs (a)').close()
    await refused(file, { readOnly: true })
  })

  test('a file that is cut off', async () => {
    const file = path()
    const db = await Valkeyrie.open(file)
    await db.set(['a'], 'x'.repeat(100_000))
    await db.close()
    writeFileSync(file, readFileSync(file).subarray(0, 5_000))
    const error = await Valkeyrie.open(file)
      .then((opened) => opened.get(['a']))
      .catch((thrown) => thrown)
    expect(error).toMatchObject({ code: expect.stringMatching(/^(DATABASE_OPEN|STORAGE)$/) })
  })
})

test('an empty file becomes a database', async () => {
  const file = path()
  writeFileSync(file, '')
  await using db = await Valkeyrie.open(file)
  await db.set(['a'], 1)
})

test('a file may be opened twice in one process', async () => {
  const file = path()
  await using one = await Valkeyrie.open(file)
  await using other = await Valkeyrie.open(file)
  const first = await one.set(['a'], 1)
  expect(await other.get(['a'])).toMatchObject({ value: 1, versionstamp: first.versionstamp })
  const stamps = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => (await (i % 2 ? one : other).set(['n', i], i)).versionstamp),
  )
  expect(new Set(stamps).size).toBe(40)
})

test('a relative path keeps its meaning when the working directory changes', async () => {
  const before = process.cwd()
  process.chdir(path(''))
  const db = await Valkeyrie.open('relative.db')
  process.chdir(before)
  const file = path('relative.db')
  expect(existsSync(file)).toBe(true)
  await db.destroy()
  expect(existsSync(file)).toBe(false)
})

test('the logger sees the statements, under either durability', async () => {
  const seen: string[] = []
  await using db = await Valkeyrie.open(path(), {
    durability: 'full',
    logger: { logQuery: (query) => seen.push(query) },
  })
  await db.set(['a'], 1)
  expect(seen.some((query) => query.startsWith('insert into "kv"'))).toBe(true)
})
