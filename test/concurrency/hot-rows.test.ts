import type { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { encodeKey } from '../../src/key/codec.ts'
import { extent } from '../extent.ts'
import { stillClock } from '../still-clock.ts'
import { patient, waitFor } from '../waiting.ts'
import { startChild } from './child.ts'
import { newDatabasePath } from './temporary-folder.ts'

let isClockStill = false

vi.mock('../../src/time/clock.ts', async (original) => {
  const clocks = await original<typeof import('../../src/time/clock.ts')>()
  return { ...clocks, realClock: () => (isClockStill ? 0 : clocks.realClock()) }
})

/** Stops the clock that says how long a look for commits of others is trusted: only what ends the trust at once is left. */
function stopClock(): void {
  isClockStill = true
  onTestFinished(() => {
    isClockStill = false
  })
}

const program = 'concurrency/programs/teller.ts'

interface Teller {
  readonly kind: string
  /** Starts it; it emits `message` for each number that it has committed. */
  start(args: { readonly path: string; readonly times: number }): EventEmitter
}

const tellers: readonly Teller[] = [
  { kind: 'process', start: (args) => startChild(program, args).process },
  {
    kind: 'thread',
    start: (args) =>
      new Worker(fileURLToPath(new URL(`../${program}`, import.meta.url)), {
        workerData: args,
        execArgv: [],
      }),
  },
]

const store = Valkeyrie.withSchema(['rows', '*'], z.object({ n: z.int() }), { name: 'rows' })

async function open(statements: string[] = []) {
  const path = newDatabasePath()
  const logger = { logQuery: (text: string) => void statements.push(text) }
  const db = await store.open(path, { ...patient, logger })
  onTestFinished(() => db.close())
  await db.set(['row'], 0)
  return { db, path }
}

it('a row that is read again and again is read from the file once', async () => {
  const statements: string[] = []
  const { db } = await open(statements)
  await db.get(['row'])
  await db.get(['row'])
  statements.length = 0
  for (let n = 0; n < 100; n++) expect((await db.get(['row'])).value).toBe(0)
  expect(statements).toEqual([])
})

it.each(tellers)(
  'what a $kind tells is never ahead of the row that was read again and again before',
  async ({ kind, start }) => {
    const { db, path } = await open()
    stopClock()
    const times = extent(`messages of a ${kind}`, 500, 20_000)
    const told = Promise.withResolvers<void>()
    const late: { readonly told: number; readonly read: unknown }[] = []
    const reads: Promise<void>[] = []
    const check = async (told: number) => {
      const { value } = await db.get(['row'])
      if ((value as number) < told) late.push({ told, read: value })
    }
    start({ path, times }).on('message', (n: number) => {
      reads.push(check(n))
      if (n === times) told.resolve()
    })
    let isOver = false
    const busy = (async () => {
      for (; !isOver; await nextTurn()) for (let n = 0; n < 200; n++) await db.get(['row'])
    })()
    await waitFor(`the last message of a ${kind}`, told.promise)
    isOver = true
    await busy
    await Promise.all(reads)
    expect(late).toEqual([])
    expect(reads.length).toBe(times)
  },
)

it('a row that a program changes with its own connection is read as it is now, in the same turn of the event loop', async () => {
  const { db, path } = await open()
  const raw = new Sqlite(path)
  onTestFinished(() => void raw.close())
  const change = raw.prepare('UPDATE kv SET value = ?')
  for (let n = 1; n < 1_000; n++) {
    for (let again = 0; again < 3; again++) await db.get(['row'])
    change.run(String(n))
    expect((await db.get(['row'])).value).toBe(n)
  }
})

it('it is read so also while a test has stopped all clocks', async () => {
  const { db, path } = await open()
  const raw = new Sqlite(path)
  onTestFinished(() => void raw.close())
  const change = raw.prepare('UPDATE kv SET value = ?')
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  for (let n = 1; n < 100; n++) {
    for (let again = 0; again < 3; again++) await db.get(['row'])
    change.run(String(n))
    expect((await db.get(['row'])).value).toBe(n)
  }
})

it.each([undefined, newDatabasePath])(
  'a logger that itself reads rows, also in the middle of a commit, leaves none behind that is not stored',
  async (newPath) => {
    let onQuery: ((text: string) => void) | null = null
    const logger = {
      logQuery(text: string) {
        const call = onQuery
        onQuery = null
        call?.(text)
        if (call !== null) onQuery ??= call
      },
    }
    await using db = await Valkeyrie.open(newPath?.(), { logger })
    await db.set(['flag'], 'flag')
    await db.set(['row'], 'old')
    onQuery = () => void db.get(['flag'])
    await db.get(['row'])
    onQuery = null
    expect((await db.get(['flag'])).value).toBe('flag')
    onQuery = () => void db.get(['row'])
    await db.set(['row'], 'new')
    onQuery = null
    expect((await db.get(['row'])).value).toBe('new')
    onQuery = (text) => {
      void db.get(['row'])
      if (text.startsWith('insert into "kv_log"')) throw new Error('not written')
    }
    await expect(db.set(['row'], 'never')).rejects.toThrow('not written')
    onQuery = null
    expect((await db.get(['row'])).value).toBe('new')
  },
)

it.each(['get', 'getMany', 'count', 'snapshot'] as const)(
  'a reader who has seen the second of two commits of another program, by %s, has seen the first',
  async (by) => {
    const { db, path } = await open()
    const { rows } = db.repositories
    const raw = new Sqlite(path)
    onTestFinished(() => void raw.close())
    const change = raw.prepare('UPDATE kv SET value = ? WHERE key = ?')
    const second = (n: number) => ({
      get: async () => expect((await db.get(['second'])).value).toBe(n),
      getMany: async () => expect((await db.getMany([['second']]))[0].value).toBe(n),
      count: () => rows.count(),
      snapshot: () => db.snapshot(async (view) => expect((await view.get(['second'])).value).toBe(n)),
    })
    await db.set(['second'], 0)
    const [first, other] = [['row'], ['second']].map((key) => encodeKey(key))
    stopClock()
    for (let n = 1; n < 100; n++) {
      for (let again = 0; again < 3; again++) await db.get(['row'])
      change.run(String(n), first)
      change.run(String(n), other)
      await second(n)[by]()
      expect((await db.get(['row'])).value).toBe(n)
    }
  },
)

it('a row that was swept away is gone, also if the clock is put back before it had expired', async () => {
  const { db } = await open()
  const date = stillClock()
  await db.set(['short'], 1, { expireIn: 1_000 })
  for (let again = 0; again < 3; again++) expect((await db.get(['short'])).value).toBe(1)
  date.advance(1_000)
  expect(await db.cleanup()).toBe(1)
  date.advance(-1_000)
  expect((await db.get(['short'])).value).toBeNull()
})

it('a value that was read can be changed, and is read as it was stored', async () => {
  const { db } = await open()
  await db.set(['list'], [1, { two: 2 }])
  await db.set(['bytes'], new Uint8Array([1, 2]))
  for (let again = 0; again < 5; again++) {
    const { value: list } = await db.get(['list'])
    expect(list).toEqual([1, { two: 2 }])
    ;(list as unknown[]).pop()
    const { value: bytes } = await db.get(['bytes'])
    expect(bytes).toEqual(new Uint8Array([1, 2]))
    ;(bytes as Uint8Array)[0] = 9
  }
})
