import { type EnqueueOptions, type Key, KvU64, Valkeyrie } from 'valkeyrie'
import { expect, vi } from 'vitest'
import { z } from 'zod'
import { waitFor, waitUntil } from '../../waiting.ts'
import type { Cases } from '../suite.ts'

/** A database and what its queue has delivered so far. */
async function listening(path: string | undefined, handle: (message: unknown) => unknown = () => {}) {
  const db = await Valkeyrie.open(path)
  const heard: unknown[] = []
  const ended = db.listenQueue(async (message) => {
    heard.push(message)
    await handle(message)
  })
  return { db, heard, ended }
}

const waiting = async (db: Valkeyrie) => (await Array.fromAsync(db.list({ prefix: ['valkeyrie'] }))).length

export const messageQueueCases: Cases = {
  'delivers what is enqueued, of whatever kind, and keeps nothing of it': async (place) => {
    const values = [
      'text',
      1.5,
      12n,
      true,
      null,
      undefined,
      new Date(5),
      new Uint8Array([1, 2]),
      new Map([['a', new Set([1n])]]),
      { a: [{ b: null }] },
      new KvU64(7n),
    ]
    const { db, heard, ended } = await listening(place.path())
    for (const value of values) expect(await db.enqueue(value)).toMatchObject({ ok: true })
    await waitUntil('all messages', async () => heard.length === values.length && (await waiting(db)) === 0)
    expect(heard).toStrictEqual(values)
    await db.close()
    await waitFor('the end of the listener', ended)
  },

  'delivers what was enqueued before it listens, in the order of the times': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    // The delay counts from the call, and this process may be paused between two of them.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    const operation = db.atomic().enqueue('second', { delay: 50 }).enqueue('first').enqueue('first, too')
    vi.useRealTimers()
    await operation.commit()
    const heard: unknown[] = []
    void db.listenQueue((message) => heard.push(message))
    await waitUntil('three messages', () => heard.length === 3)
    expect(heard).toStrictEqual(['first', 'first, too', 'second'])
  },

  'delivers what a commit has enqueued, and nothing of one that failed': async (place) => {
    const { db, heard } = await listening(place.path())
    const check = { key: ['a'], versionstamp: null }
    expect((await db.atomic().check(check).set(['a'], 1).enqueue('kept').commit()).ok).toBe(true)
    expect((await db.atomic().check(check).enqueue('not kept').commit()).ok).toBe(false)
    await db.unitOfWork(async (unit) => {
      await unit.set(['b'], 1)
      await unit.enqueue('of a unit')
    })
    const failing = db.unitOfWork(async (unit) => {
      await unit.enqueue('not of a unit')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await waitUntil('two messages', async () => heard.length === 2 && (await waiting(db)) === 0)
    expect(heard.toSorted()).toStrictEqual(['kept', 'of a unit'])
    await db.close()
  },

  'delivers again what has failed, and writes it under its keys in the end': async (place) => {
    const { db, heard } = await listening(place.path(), () => Promise.reject(new Error('always')))
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    const keysIfUndelivered: Key[] = [
      ['failed', 1],
      ['failed', new Uint8Array([1])],
    ]
    await db.enqueue({ n: 1 }, { backoffSchedule: [0, 1], keysIfUndelivered })
    await db.enqueue('dropped', { backoffSchedule: [] })
    await waitUntil('the end of the deliveries', async () => (await waiting(db)) === 0 && heard.length === 4)
    expect(heard.filter((message) => message === 'dropped')).toHaveLength(1)
    const entries = await db.getMany(keysIfUndelivered)
    expect(entries.map(({ value }) => value)).toStrictEqual([{ n: 1 }, { n: 1 }])
    await waitUntil('the warnings', () => warnings.length === 4)
    process.off('warning', listen)
    expect(warnings[0]).toMatchObject({ name: 'QueueWarning', code: 'QUEUE_LISTENER' })
    await db.close()
  },

  'each message goes to one of several listeners': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const heard: unknown[] = []
    for (let n = 0; n < 3; n++) void db.listenQueue((message) => heard.push(message))
    await Promise.all(Array.from({ length: 250 }, (_, n) => db.enqueue(n)))
    await waitUntil('all messages', async () => (await waiting(db)) === 0)
    expect(heard.toSorted((a, b) => Number(a) - Number(b))).toStrictEqual(
      Array.from({ length: 250 }, (_, n) => n),
    )
  },

  'closing gives back messages in hand, and ends the listener': async (place) => {
    const never = Promise.withResolvers<void>()
    const path = place.path()
    const { db, heard, ended } = await listening(path, () => never.promise)
    await db.enqueue('in hand', { backoffSchedule: [] })
    await waitUntil('a message', () => heard.length === 1)
    const [message] = await Array.fromAsync(db.list({ prefix: ['valkeyrie', 'queue'] }))
    expect(message?.value).toMatchObject({ value: 'in hand', deliveries: 1 })
    await db.close()
    await waitFor('the end of the listener', ended)
    never.resolve()
    if (path === undefined) return
    const later = await listening(path)
    await waitUntil('the message again', () => later.heard.length === 1)
    await later.db.close()
  },

  'the signal ends a listener once its handlers have ended': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const stop = new AbortController()
    const begun = Promise.withResolvers<void>()
    const free = Promise.withResolvers<void>()
    const order: string[] = []
    const ended = db
      .listenQueue(
        async () => {
          begun.resolve()
          await free.promise
          order.push('handler')
        },
        { signal: stop.signal },
      )
      .then(() => order.push('listener'))
    await db.enqueue('in hand')
    await waitFor('the handler', begun.promise)
    stop.abort()
    await db.enqueue('too late')
    free.resolve()
    await waitFor('the end of the listener', ended)
    expect(order).toStrictEqual(['handler', 'listener'])
    expect(await waiting(db)).toBe(1)
    await db.listenQueue(() => {}, { signal: AbortSignal.abort() })
  },

  'refuses what it cannot do, with a sentence': async (place) => {
    await using db = await Valkeyrie.withSchema(['n', '*'], z.number()).open(place.path())
    const wrong: [unknown, string][] = [
      [{ delay: -1 }, 'delay must be a number of milliseconds, 0 or more (got -1)'],
      [{ delay: Number.NaN }, 'delay must be a number of milliseconds, 0 or more (got NaN)'],
      [{ delay: Number.POSITIVE_INFINITY }, 'no Date is later'],
      [{ delay: '1' }, 'delay must be a number of milliseconds'],
      [{ backoffSchedule: 5 }, 'backoffSchedule must be an array of milliseconds'],
      [{ backoffSchedule: [1, -1] }, 'each number of backoffSchedule'],
      [{ keysIfUndelivered: 'a' }, 'keysIfUndelivered must be an array of keys'],
      [{ keysIfUndelivered: ['a'] }, 'A key is an array'],
      [{ keysIfUndelivered: [['n', 'x']] }, 'expected number'],
      [{ delays: 5 }, "There is no option 'delays' of enqueue"],
    ]
    for (const [options, message] of wrong) {
      await expect(db.enqueue('text', options as EnqueueOptions)).rejects.toThrow(message)
      const inAtomic = async () => {
        const operation = db.atomic().enqueue('text', options as EnqueueOptions)
        await operation.commit()
      }
      await expect(inAtomic()).rejects.toThrow(message)
    }
    await expect(db.enqueue(() => {})).rejects.toThrow(TypeError)
    await expect(db.listenQueue('handler' as never)).rejects.toThrow('listenQueue takes a function')
    await expect(db.listenQueue(() => {}, { signal: 5 } as never)).rejects.toThrow(TypeError)
    await using wide = await Valkeyrie.withSchema(['*', '*', '*', '*'], z.any(), { name: 'all' }).open(
      place.path(),
    )
    await expect(wide.enqueue(1)).rejects.toThrow("The pattern of 'all' matches the keys of the queue")
    await db.close()
    await expect(db.listenQueue(() => {})).rejects.toThrow('Database is closed')
    await expect(db.enqueue(1)).rejects.toThrow('Database is closed')
  },
}
