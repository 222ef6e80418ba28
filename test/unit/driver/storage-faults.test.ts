import Database from 'better-sqlite3'
import { CorruptValueError, DatabaseBusyError, KvU64, StorageError, Valkeyrie } from 'valkeyrie'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()

/** Changes the file behind the library's back. */
function tamper(file: string, sql: string): void {
  const raw = new Database(file)
  raw.exec(sql)
  raw.close()
}

describe('a stored value that cannot be decoded', () => {
  const things = Valkeyrie.withSchema(['things', '*'], z.object({ n: z.int() }))

  test.each([
    ['text that is not JSON', `UPDATE kv SET value = '{"n":'`],
    ['an unknown encoding', 'UPDATE kv SET encoding = 99'],
    ['types that are not JSON', `UPDATE kv SET encoding = 1, types = '{'`],
    ['bytes for text', "UPDATE kv SET value = X'00'"],
  ])('is a CorruptValueError with its key: %s', async (_, sql) => {
    const file = path()
    await using db = await things.open(file)
    const { things: rows } = db.repositories
    await rows.set('a', { n: 1 })
    tamper(file, sql)
    for (const read of [
      () => db.get(['things', 'a']),
      () => db.getMany([['things', 'a']]),
      () => Array.fromAsync(db.list({ prefix: ['things'] })),
      () => rows.get('a'),
      () => rows.getMany(['a']),
      () => Array.fromAsync(rows.list()),
      () => rows.update('a', { n: 2 }),
    ]) {
      const error = await read().catch((thrown) => thrown)
      expect(error).toBeInstanceOf(CorruptValueError)
      expect(error).toMatchObject({ code: 'CORRUPT_VALUE', key: ['things', 'a'] })
    }
    expect(await rows.exists('a')).toBe(true)
    await rows.set('a', { n: 3 })
    expect((await rows.get('a')).value).toStrictEqual({ n: 3 })
  })

  test('keeps arithmetic from working on it, and harms no other write', async () => {
    const file = path()
    await using db = await Valkeyrie.open(file)
    await db.set(['n'], new KvU64(1n))
    tamper(file, "UPDATE kv SET value = X'0001'")
    const [sum, set] = await Promise.allSettled([db.atomic().sum(['n'], 1n).commit(), db.set(['a'], 1)])
    expect((sum as PromiseRejectedResult).reason).toMatchObject({ code: 'CORRUPT_VALUE', key: ['n'] })
    expect(set.status).toBe('fulfilled')
  })

  test('does not end a list of the others', async () => {
    const file = path()
    await using db = await Valkeyrie.open(file)
    await db.atomic().set(['a'], 1).set(['b'], 2).set(['c'], 3).commit()
    tamper(file, "UPDATE kv SET value = '{' WHERE value = '2'")
    const entries = db.list({ prefix: [] })
    expect((await entries.next()).value).toMatchObject({ value: 1 })
    await expect(entries.next()).rejects.toThrow(CorruptValueError)
    expect((await entries.next()).value).toMatchObject({ value: 3 })
  })
})

describe('a database that another connection has locked', () => {
  async function locked(
    busyTimeout: number,
    body: (db: Awaited<ReturnType<typeof Valkeyrie.open>>, unlock: () => void) => Promise<void>,
  ) {
    const file = path()
    await using db = await Valkeyrie.open(file, { busyTimeout })
    await db.set(['a'], 0)
    const raw = new Database(file)
    raw.exec('BEGIN IMMEDIATE')
    const unlock = () => {
      if (raw.inTransaction) raw.exec('ROLLBACK')
    }
    try {
      await body(db, unlock)
    } finally {
      unlock()
      raw.close()
    }
  }

  test('is a DatabaseBusyError after busyTimeout, while the event loop goes on', () =>
    locked(300, async (db) => {
      let turns = 0
      let isOver = false
      const work = Promise.allSettled([db.set(['a'], 1), db.set(['b'], 1), db.clear()]).finally(() => {
        isOver = true
      })
      for (; !isOver; turns++) await new Promise((resolve) => setImmediate(resolve))
      const results = await work
      for (const result of results) {
        const { reason } = result as PromiseRejectedResult
        expect(reason).toBeInstanceOf(DatabaseBusyError)
        expect(reason.waited).toBeGreaterThanOrEqual(300)
      }
      expect(turns).toBeGreaterThan(5)
      expect((await db.get(['a'])).value).toBe(0)
    }))

  test('is read meanwhile, and written when the lock is gone', () =>
    locked(30_000, async (db, unlock) => {
      const order: string[] = []
      const first = db.set(['a'], 1).then(() => order.push('first'))
      const second = new Promise((resolve) => setTimeout(resolve, 20)).then(() =>
        db.set(['a'], 2).then(() => order.push('second')),
      )
      expect((await db.get(['a'])).value).toBe(0)
      setTimeout(unlock, 60)
      await Promise.all([first, second])
      expect(order).toStrictEqual(['first', 'second'])
      expect((await db.get(['a'])).value).toBe(2)
    }))

  test('settles its writes before it closes', () =>
    locked(30_000, async (db, unlock) => {
      const write = db.set(['a'], 1)
      setTimeout(unlock, 30)
      await db.close()
      expect(await write).toMatchObject({ ok: true })
    }))

  test('with busyTimeout 0 does not wait', () =>
    locked(0, async (db) => {
      await expect(db.set(['a'], 1)).rejects.toThrow(DatabaseBusyError)
    }))

  test('can only be opened once the lock is gone, if its tables are missing', async () => {
    const file = path()
    const raw = new Database(file)
    raw.pragma('journal_mode = WAL')
    raw.exec('BEGIN IMMEDIATE')
    await expect(Valkeyrie.open(file, { busyTimeout: 50 })).rejects.toThrow(DatabaseBusyError)
    const opening = Valkeyrie.open(file)
    raw.exec('ROLLBACK')
    await using db = await opening
    await db.set(['a'], 1)
    raw.close()
  })
})

describe('a write that the engine refuses', () => {
  test.each(['ABORT', 'ROLLBACK', 'FAIL'])('fails alone (%s)', async (kind) => {
    const file = path()
    await using db = await Valkeyrie.open(file)
    tamper(
      file,
      `CREATE TRIGGER refuse BEFORE INSERT ON kv WHEN NEW.value = '"bad"' BEGIN SELECT RAISE(${kind}, 'no'); END`,
    )
    const results = await Promise.allSettled([
      db.set(['a'], 1),
      db.set(['b'], 'bad'),
      db.atomic().set(['c'], 1).set(['d'], 'bad').commit(),
      db.atomic().sum(['e'], 1n).sum(['e'], 1n).commit(),
      db.set(['f'], 1),
    ])
    expect(results.map(({ status }) => status[0])).toStrictEqual([...'frrff'])
    for (const i of [1, 2]) {
      expect((results[i] as PromiseRejectedResult).reason).toBeInstanceOf(StorageError)
    }
    const entries = await Array.fromAsync(db.list({ prefix: [] }))
    expect(entries.map(({ key, value }) => [key[0], value])).toStrictEqual([
      ['a', 1],
      ['e', new KvU64(2n)],
      ['f', 1],
    ])
  })

  test('leaves nothing in the log of commits', async () => {
    const file = path()
    await using db = await Valkeyrie.open(file)
    await db.set(['a'], 1)
    tamper(file, "CREATE TRIGGER refuse BEFORE DELETE ON kv BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
    await expect(db.clear()).rejects.toThrow(StorageError)
    tamper(file, 'DROP TRIGGER refuse')
    await db.set(['b'], 1)
    const raw = new Database(file)
    const changes = raw.prepare('SELECT changes FROM kv_log ORDER BY version DESC LIMIT 1').pluck().get()
    raw.close()
    // One change, of the key ['b']: set, 3 bytes, the key.
    expect(changes).toStrictEqual(Buffer.from([1, 3, 2, 0x62, 0]))
  })
})
