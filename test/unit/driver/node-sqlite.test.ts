import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import * as threads from 'node:worker_threads'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { loadBetterSqlite3 } from '../../../src/driver/sqlite/module/better-sqlite3.ts'
import { lockName, realPath } from '../../../src/driver/sqlite/module/held-files.ts'
import { loadNodeSqlite } from '../../../src/driver/sqlite/module/node-sqlite.ts'
import type { Connection } from '../../../src/driver/sqlite/module/sqlite-module.ts'
import { DatabaseOpenError, Valkeyrie } from '../../../src/index.ts'
import { anyCharacter } from '../../any-character.ts'
import { extent } from '../../extent.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { waitUntil } from '../../waiting.ts'

// Both modules behave the same for their callers.

const path = temporaryFolder()
const modules = [await loadBetterSqlite3(), loadNodeSqlite()!]

/** What each of the modules gives, or throws, for the same. */
function onEach<T>(use: (connection: Connection) => T, file = () => ':memory:'): unknown[] {
  return modules.map((module) => {
    const connection = module.open(file(), { create: true })
    try {
      return use(connection)
    } catch (error) {
      const { code, message } = error as Error & { code?: unknown }
      return { code, message }
    } finally {
      connection.close()
    }
  })
}

function expectSame<T>(use: (connection: Connection) => T, file?: () => string): unknown {
  const [one, other] = onEach(use, file)
  expect(other).toEqual(one)
  return other
}

describe('by node:sqlite and by better-sqlite3', () => {
  test.each([
    ['SQLITE_CONSTRAINT_PRIMARYKEY', 'INSERT INTO t (key, a) VALUES (1, 1), (1, 2)'],
    ['SQLITE_CONSTRAINT_UNIQUE', 'INSERT INTO t (key, a) VALUES (1, 1), (2, 1)'],
    ['SQLITE_CONSTRAINT_NOTNULL', 'INSERT INTO t (key, a) VALUES (1, NULL)'],
    ['SQLITE_CONSTRAINT_CHECK', 'INSERT INTO t (key, a) VALUES (1, -1)'],
    ['SQLITE_CONSTRAINT_FOREIGNKEY', 'INSERT INTO t (key, a, of) VALUES (1, 1, 7)'],
    ['SQLITE_CONSTRAINT_DATATYPE', "INSERT INTO strict VALUES ('no')"],
    ['SQLITE_CONSTRAINT_TRIGGER', 'DELETE FROM refusing'],
    ['SQLITE_MISMATCH', "INSERT INTO numbered VALUES ('no')"],
    ['SQLITE_ERROR', 'SELECT nothing FROM nowhere'],
    ['SQLITE_ERROR', "SELECT 'no JSON' ->> '$.a'"],
    ['SQLITE_FULL', 'PRAGMA max_page_count = 3; CREATE TABLE big AS SELECT zeroblob(100000) AS b'],
    ['SQLITE_READONLY', 'PRAGMA query_only = 1; DELETE FROM t'],
  ])('what fails is %s', (code, sql) => {
    const failure = expectSame((connection) => {
      connection.exec(`
        CREATE TABLE t (key INTEGER PRIMARY KEY, a INTEGER NOT NULL UNIQUE CHECK (a > 0), of REFERENCES t (key)) WITHOUT ROWID;
        CREATE TABLE strict (a INTEGER) STRICT; CREATE TABLE numbered (a INTEGER PRIMARY KEY);
        CREATE TABLE refusing AS SELECT 1; CREATE TRIGGER refuse BEFORE DELETE ON refusing BEGIN SELECT RAISE(ABORT, 'no'); END`)
      connection.exec(sql)
    })
    expect(failure).toMatchObject({ code })
  })

  test('what neither can open fails the same way', () => {
    writeFileSync(path('text'), 'This is a text and no database. '.repeat(100))
    const failure = expectSame(
      (connection) => connection.prepare('SELECT * FROM sqlite_schema').all(),
      () => path('text'),
    )
    expect(failure).toMatchObject({ code: 'SQLITE_NOTADB' })
    for (const module of modules) {
      expect(() => module.open(path('missing.db'), {})).toThrow(
        expect.objectContaining({ code: 'SQLITE_CANTOPEN' }),
      )
      expect(() => module.open(path('missing.db'), { readOnly: true })).toThrow(
        expect.objectContaining({ code: 'SQLITE_CANTOPEN' }),
      )
    }
  })

  test('a taken lock is reported at once', () => {
    for (const module of modules) {
      const file = path()
      const [one, other] = [module.open(file, { create: true }), module.open(file, {})]
      one.exec('BEGIN IMMEDIATE')
      expect(() => other.exec('BEGIN IMMEDIATE')).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
      one.close()
      other.close()
    }
  })

  test('a file opened without being created has any name', () => {
    for (const module of modules) {
      const file = path(`100% odd?#&mode=ro ${module.name.replace(':', '-')}.db`)
      const created = module.open(file, { create: true })
      created.exec('CREATE TABLE t (a)')
      created.close()
      const again = module.open(file, {})
      again.exec('INSERT INTO t VALUES (1)')
      expect(again.prepare('SELECT a FROM t').pluck().all()).toEqual([1])
      again.close()
    }
  })

  test('any values come back the same, as objects, arrays and single values, and by functions', () => {
    const value = fc.oneof(
      fc.string({ unit: anyCharacter }).map((text) => text.toWellFormed()),
      fc.constantFrom('a\0b', '', 0, -0, 1.5, 2 ** 31, 2 ** 53, 1e300),
      fc.integer(),
      fc.double({ noNaN: true }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.constant(null),
    )
    const plain = (row: unknown): unknown =>
      row instanceof Uint8Array ? [...row] : Array.isArray(row) ? row.map(plain) : row
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
        expectSame((connection) => {
          connection.function('same', {}, (given) => given)
          connection.function('kind', { deterministic: true }, (given) => typeof given)
          const rows = values.map(() => '(?)').join()
          const columns = (what: string) => `WITH t(a) AS (VALUES ${rows}) SELECT ${what} FROM t`
          const prepare = (what = 'a, typeof(a) AS kind') => connection.prepare(columns(what))
          return [
            prepare()
              .all(...values)
              .map((row) => Object.entries(row as object).map(plain)),
            plain(
              prepare()
                .raw()
                .all(...values),
            ),
            plain(
              prepare()
                .pluck()
                .get(...values),
            ),
            plain([
              ...prepare()
                .raw()
                .safeIntegers()
                .iterate(...values),
            ]),
            plain(
              prepare('kind(a)')
                .pluck()
                .all(...values),
            ),
            // A function gets a number for an integer, exact or not.
            prepare('same(a) = a OR a IS NULL OR abs(a) > 9007199254740992')
              .pluck()
              .all(...values),
          ]
        })
      }),
      { numRuns: extent('values', 60, 200) },
    )
  })

  test('a statement says whether it returns rows, and how many it has changed', () => {
    expectSame((connection) => {
      connection.exec('CREATE TABLE t (a)')
      const insert = connection.prepare('INSERT INTO t VALUES (?), (?)')
      const returning = connection.prepare('INSERT INTO t VALUES (?) RETURNING a')
      const read = connection.prepare('SELECT a FROM t ORDER BY a')
      return [
        [insert.reader, returning.reader, read.reader, read.source],
        insert.run(1, 2).changes,
        returning.get(9_007_199_254_740_993n),
        read.all(),
        connection.pragma('user_version', { simple: true }),
        connection.pragma('table_info(t)'),
      ]
    })
  })

  test('an iteration that ends early leaves nothing behind', () => {
    expectSame((connection) => {
      connection.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)')
      const read = connection.prepare('SELECT a FROM t').pluck()
      for (const first of read.iterate()) if (first === 1) break
      connection.exec('DROP TABLE t')
      return connection.pragma('table_info(t)')
    })
  })

  test('what a function throws is what the statement throws', () => {
    class Own extends Error {}
    for (const module of modules) {
      const connection = module.open(':memory:', { create: true })
      connection.function('fails', {}, () => {
        throw new Own('mine')
      })
      expect(() => connection.prepare('SELECT fails()').get()).toThrow(Own)
      expect(connection.prepare('SELECT 1').pluck().get()).toBe(1)
      connection.close()
    }
  })

  test('transactions of Drizzle are carried out or undone, one within the other too', async () => {
    for (const { name } of modules) {
      await using db = await Valkeyrie.open(path(), { engine: name })
      const { drizzle } = db
      drizzle.run('CREATE TABLE own (a INTEGER UNIQUE)')
      const insert = (a: number) => drizzle.run(`INSERT INTO own VALUES (${a})`)
      drizzle.transaction(
        (outer) => {
          insert(1)
          expect(() =>
            outer.transaction(() => {
              insert(2)
              insert(1)
            }),
          ).toThrow()
          drizzle.$client.transaction(() => insert(3))()
        },
        { behavior: 'immediate' },
      )
      expect(() =>
        drizzle.transaction(() => {
          insert(4)
          insert(1)
        }),
      ).toThrow(
        expect.objectContaining({ cause: expect.objectContaining({ code: 'SQLITE_CONSTRAINT_UNIQUE' }) }),
      )
      expect(() => drizzle.$client.transaction(async () => insert(5))()).toThrow(TypeError)
      expect(drizzle.all('SELECT a FROM own ORDER BY a')).toEqual([{ a: 1 }, { a: 3 }])
      expect(drizzle.$client.inTransaction).toBe(false)
    }
  })
})

describe('the option engine', () => {
  const Users = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }), {
    indexes: [{ on: 'name', unique: true }],
  })

  test('has a file written by one that the other reads and writes', async () => {
    const file = path()
    for (const [i, engine] of (['better-sqlite3', 'node:sqlite', 'better-sqlite3'] as const).entries()) {
      await using db = await Users.open(file, { engine })
      await db.repositories.users.insert(`u${i}`, { name: `n${i}` })
      expect(await db.repositories.users.count()).toBe(i + 1)
    }
    expect(await Valkeyrie.verify(file)).toMatchObject({ sound: true })
  })

  test('refuses another one for an open file, because each would release the locks of the other', async () => {
    const file = path()
    await using db = await Users.open(file, { engine: 'node:sqlite' })
    const refused = Users.open(file, { engine: 'better-sqlite3' })
    await expect(refused).rejects.toThrow(DatabaseOpenError)
    await expect(refused).rejects.toThrow('this process has it open with node:sqlite')
    // A handle opened without an engine uses the one that has the file open.
    await using second = await Valkeyrie.inspect(file)
    expect(second.drizzle.$client.constructor).toBe(db.drizzle.$client.constructor)
    await db.repositories.users.set('a', { name: 'A' })
    expect(await Valkeyrie.verify(file)).toMatchObject({ sound: true })
    expect(await second.repository(['users', '*']).count()).toBe(1)
  })

  test.each([['sqlite'], [null], [1]])('is one of two: %j is a TypeError', async (engine) => {
    await expect(Valkeyrie.open(path(), { engine: engine as never })).rejects.toThrow(
      new TypeError("engine must be 'better-sqlite3' or 'node:sqlite'"),
    )
  })

  test('applies to threads that are started afterwards', async () => {
    const file = path()
    await using db = await Users.open(file, { engine: 'node:sqlite' })
    await db.repositories.users.set('a', { name: 'A' })
    const program = `
      import('valkeyrie').then(async ({ Valkeyrie }) => {
        const db = await Valkeyrie.open(require('node:worker_threads').workerData)
        require('node:worker_threads').parentPort.postMessage(db.drizzle.$client.constructor.name)
      })`
    const worker = new Worker(program, { eval: true, execArgv: [], workerData: file })
    const [name] = await once(worker, 'message')
    await worker.terminate()
    expect(name).toBe('NodeConnection')
  })
})

test('a thread reaches each file by the module that its parent reaches it by', () => {
  const program = `
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    import { Valkeyrie } from 'valkeyrie'
    const paths = process.argv.slice(1)
    await Valkeyrie.open(paths[0])
    await Valkeyrie.open(paths[1], { engine: 'node:sqlite' })
    const inThread = \`
      const { parentPort, workerData } = require('node:worker_threads')
      import('valkeyrie').then(async ({ Valkeyrie }) => {
        const names = []
        for (const path of workerData.paths) names.push((await Valkeyrie.open(path)).drizzle.$client.constructor.name)
        parentPort.postMessage(names)
      })\`
    for (const shown of [paths, paths.toReversed()]) {
      const worker = new Worker(inThread, { eval: true, execArgv: [], workerData: { paths: shown } })
      console.log((await once(worker, 'message'))[0].join())
      await worker.terminate()
    }
    process.exit()`
  const printed = execFileSync(
    process.execPath,
    ['--no-warnings', '--input-type=module', '-e', program, path('usual.db'), path('other.db')],
    { encoding: 'utf8' },
  )
  expect(printed).toBe('Database,NodeConnection\nNodeConnection,Database\n')
})

/** Opens, in a thread, what it is told to, and answers with the module that it got, or with the failure. */
class OpeningThread implements AsyncDisposable {
  readonly #worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
    let db
    parentPort.on('message', async ({ path, engine }) => {
      await db?.close()
      const { Valkeyrie } = await import('valkeyrie')
      db = await Valkeyrie.open(path, { engine }).catch((error) => ({ error, close() {} }))
      const { error } = db
      parentPort.postMessage(error ? error.name + ': ' + error.message : db.drizzle.$client.constructor.name)
    })`,
    { eval: true, execArgv: [] },
  )

  async open(path: string, engine?: string): Promise<string> {
    this.#worker.postMessage({ path, engine })
    const [answer] = await once(this.#worker, 'message')
    return answer as string
  }

  async [Symbol.asyncDispose]() {
    await this.#worker.terminate()
  }
}

describe('a thread that is older than what another one opens', () => {
  const isSeen = 'locks' in threads

  test.runIf(isSeen)('is refused another module for it, and gets the same one if it names none', async () => {
    await using thread = new OpeningThread()
    await thread.open(':memory:')
    const [file, link] = [path(), path()]
    symlinkSync(file, link)
    const db = await Valkeyrie.open(file, { engine: 'node:sqlite' })
    for (const shown of [file, link]) {
      expect(await thread.open(shown, 'better-sqlite3')).toBe(
        `DatabaseOpenError: Cannot open ${shown}: this process has it open with node:sqlite: use that too, or close it first`,
      )
      expect(await thread.open(shown)).toBe('NodeConnection')
    }
    await thread.open(':memory:')
    await db.close()
    expect(await thread.open(file, 'better-sqlite3')).toBe('Database')
  })

  test.runIf(isSeen)('keeps its file until it has closed it, or has ended', async () => {
    const file = path()
    {
      await using thread = new OpeningThread()
      await thread.open(file, 'better-sqlite3')
      await expect(Valkeyrie.open(file, { engine: 'node:sqlite' })).rejects.toThrow(DatabaseOpenError)
      await thread.open(':memory:')
      await (await Valkeyrie.open(file, { engine: 'node:sqlite' })).close()
      await thread.open(file, 'better-sqlite3')
    }
    await (await Valkeyrie.open(file, { engine: 'node:sqlite' })).close()
  })

  test.runIf(isSeen)('may open what could not be opened', async () => {
    await using thread = new OpeningThread()
    writeFileSync(path('no.db'), 'This is a text and no database. '.repeat(100))
    await expect(Valkeyrie.open(path('no.db'), { engine: 'node:sqlite' })).rejects.toThrow('not a database')
    expect(await thread.open(path('no.db'), 'better-sqlite3')).toContain('not a database')
  })

  test.runIf(isSeen)(
    'opens a new file at the same time as another thread by one module of the two',
    async () => {
      for (let i = 0; i < 5; i++) {
        await using thread = new OpeningThread()
        await thread.open(':memory:')
        const file = path()
        const [here, there] = await Promise.allSettled([
          Valkeyrie.open(file, { engine: 'node:sqlite' }),
          thread.open(file, 'better-sqlite3'),
        ])
        const both = here.status === 'fulfilled' && there.status === 'fulfilled' && there.value === 'Database'
        expect(both).toBe(false)
        if (here.status === 'fulfilled') await here.value.close()
      }
    },
  )

  test.runIf(isSeen)('opens a file at the same time as threads with the same module', async () => {
    const file = path()
    const opening = Array.from({ length: 3 }, () => new OpeningThread())
    for (let i = 0; i < 5; i++) {
      const all = await Promise.all(opening.map((thread) => thread.open(file, 'better-sqlite3')))
      expect(all).toEqual(['Database', 'Database', 'Database'])
      await Promise.all(opening.map((thread) => thread.open(':memory:')))
    }
    await Promise.all(opening.map((thread) => thread[Symbol.asyncDispose]()))
  })
})

test.runIf('locks' in threads)('a thread that waits until another one has opened goes on', async () => {
  const [file, other] = [path(), path()]
  const letGo = Promise.withResolvers<void>()
  const asked = threads.locks.request(lockName(realPath(file), 'asks'), () => letGo.promise)
  const asks = new Int32Array(new SharedArrayBuffer(4))
  const program = `
    const { file, other, asks } = require('node:worker_threads').workerData
    import('valkeyrie').then(async ({ Valkeyrie }) => {
      await (await Valkeyrie.open(other)).close()
      Atomics.store(asks, 0, 1)
      const db = await Valkeyrie.open(file)
      await db.set(['a'], 1)
      await db.close()
    })`
  const worker = new Worker(program, { eval: true, execArgv: [], workerData: { file, other, asks } })
  const ended = once(worker, 'exit')
  await waitUntil('a thread that opens', () => Atomics.load(asks, 0) === 1)
  // As long as a thread lives that has nothing to do.
  await once(new Worker('', { eval: true, execArgv: [] }), 'exit')
  letGo.resolve()
  await Promise.all([asked, ended])
  await using db = await Valkeyrie.open(file)
  expect(await db.get(['a'])).toMatchObject({ value: 1 })
})

test.runIf('locks' in threads)(
  'the first thread of a process is refused another module for a file open before it',
  () => {
    const program = `
    import { once } from 'node:events'
    import { Valkeyrie } from 'valkeyrie'
    const db = await Valkeyrie.open(process.argv[1])
    const { Worker } = await import('node:worker_threads')
    const inThread = \`
      const { parentPort, workerData } = require('node:worker_threads')
      import('valkeyrie').then(({ Valkeyrie }) => Valkeyrie.open(workerData, { engine: 'node:sqlite' })).then(
        () => parentPort.postMessage('opened'),
        (error) => parentPort.postMessage(error.name),
      )\`
    const worker = new Worker(inThread, { eval: true, execArgv: [], workerData: process.argv[1] })
    console.log(...(await once(worker, 'message')))
    process.exit()`
    const printed = execFileSync(
      process.execPath,
      ['--no-warnings', '--input-type=module', '-e', program, path()],
      {
        encoding: 'utf8',
      },
    )
    expect(printed).toBe('DatabaseOpenError\n')
  },
)

test('this thread is refused another module for a file that it has open by a symbolic link', async () => {
  const [file, link] = [path(), path()]
  symlinkSync(file, link)
  await using _ = await Valkeyrie.open(link, { engine: 'node:sqlite' })
  await expect(Valkeyrie.open(file, { engine: 'better-sqlite3' })).rejects.toThrow(DatabaseOpenError)
})
