import { setImmediate as nextTurn } from 'node:timers/promises'
import { ValidationError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { z } from 'zod'
import { stillClock } from '../../still-clock.ts'
import { waitFor, waitUntil } from '../../waiting.ts'
import type { Cases } from '../suite.ts'

const item = z.object({ id: z.string(), n: z.int() })
const items = Array.from({ length: 2_100 }, (_, i) => ({ id: `i${String(i).padStart(4, '0')}`, n: i }))
const typed = Valkeyrie.withSchema(['items', '*'], item)
const lateSchema = z.object({
  id: z.string(),
  n: z.number().refine(async (n) => {
    await nextTurn()
    return n !== 1.5
  }),
})

export const bulkLoadCases: Cases = {
  'from stores each item under the prefix and its key property': async (place) => {
    await using db = await Valkeyrie.from(items.slice(0, 3), {
      prefix: ['a', 1],
      keyProperty: 'id',
      path: place.path(),
    })
    const entries = await Array.fromAsync(db.list({ prefix: ['a', 1] }))
    expect(entries.map(({ key, value }) => [key.at(-1), value])).toStrictEqual(
      items.slice(0, 3).map((value) => [value.id, value]),
    )
  },

  'a function may compute the key': async (place) => {
    await using db = await Valkeyrie.from(new Set([3, 1, 2]), {
      prefix: ['n'],
      keyProperty: (n) => n * 10,
      path: place.path(),
    })
    const entries = await Array.fromAsync(db.list({ prefix: ['n'] }))
    expect(entries.map(({ key, value }) => [key[1], value])).toStrictEqual([
      [10, 1],
      [20, 2],
      [30, 3],
    ])
  },

  'progress reports how many items were seen, and the total if it is known': async (place) => {
    const progress: unknown[] = []
    const options = {
      prefix: ['items'],
      keyProperty: 'id',
      onProgress: (processed: number, total?: number) => progress.push([processed, total]),
    } as const
    await using db = await typed.from(items, { ...options, path: place.path() })
    expect(progress).toStrictEqual([
      [1_000, 2_100],
      [2_000, 2_100],
      [2_100, 2_100],
    ])
    expect(await db.repositories.items.count()).toBe(2_100)
    progress.length = 0
    const later = (async function* () {
      yield* items.slice(0, 5)
    })()
    await using other = await typed.fromAsync(later, { ...options, path: place.path() })
    expect(progress).toStrictEqual([[5, undefined]])
    expect(await other.repositories.items.count()).toBe(5)
  },

  'a bad item stops the load': async (place) => {
    const load = typed.from([items[0]!, { id: 'bad', n: 1.5 }, items[1]!], {
      prefix: ['items'],
      keyProperty: 'id',
      path: place.path(),
    })
    await expect(load).rejects.toThrow(ValidationError)
  },

  'a load that stops stores the items before the bad one, reads no further, and reports it alone': async (
    place,
  ) => {
    const late = Valkeyrie.withSchema(['items', '*'], lateSchema)
    for (const [name, bad, schemas] of [
      ['no key', { n: 1 }, typed],
      ['refused', { id: 'bad', n: 1.5 }, typed],
      ['refused later', { id: 'bad', n: 1.5 }, late],
    ] as const) {
      const path = place.path()
      let read = 0
      const source = (function* () {
        for (const item of [...items.slice(0, 1_002), bad, ...items.slice(1_002, 1_005), { n: 2 }]) {
          read += 1
          yield item as (typeof items)[number]
        }
      })()
      const reported: unknown[] = []
      const load = schemas.from(source, {
        prefix: ['items'],
        keyProperty: 'id',
        path,
        onErrorCallback: (error, item) => reported.push([error, item]),
      })
      const error = await load.catch((reason: unknown) => reason)
      expect(error, name).toBeInstanceOf(name === 'no key' ? TypeError : ValidationError)
      expect(reported, name).toEqual([[error, bad]])
      if (schemas === typed) expect(read, name).toBe(1_003)
      // In memory, nothing is left of it.
      if (path === undefined) continue
      await using db = await typed.open(path)
      expect(await db.repositories.items.count(), name).toBe(1_002)
    }
  },

  'a load from a source that stalls behind a bad item rejects at once': async (place) => {
    for (const schema of [item, lateSchema]) {
      const path = place.path()
      const stall = Promise.withResolvers<void>()
      let isFinished = false
      const source = (async function* () {
        try {
          yield items[0]!
          yield { id: 'bad', n: 1.5 }
          await stall.promise
        } finally {
          isFinished = true
        }
      })()
      const schemas = Valkeyrie.withSchema(['items', '*'], schema as typeof item)
      const load = schemas.fromAsync(source, { prefix: ['items'], keyProperty: 'id', path })
      await expect(waitFor('the load', load)).rejects.toThrow(ValidationError)
      stall.resolve()
      await waitUntil('the end of the source', () => isFinished)
      if (path === undefined) continue
      await using db = await typed.open(path)
      expect(await db.repositories.items.count()).toBe(1)
    }
  },

  'a load waits for the end of its source, and tells none that has failed to end': async (place) => {
    const failure = new Error('the source has failed')
    for (const fails of [false, true]) {
      const told: string[] = []
      let read = 0
      const source: AsyncIterator<(typeof items)[number]> = {
        async next() {
          read += 1
          if (fails && read === 2) throw failure
          return { value: read === 2 ? { id: 'bad', n: 1.5 } : items[read]! }
        },
        async return() {
          told.push('to end')
          await nextTurn()
          told.push('has ended')
          return { done: true, value: undefined }
        },
      }
      const load = typed.fromAsync(
        { [Symbol.asyncIterator]: () => source },
        { prefix: ['items'], keyProperty: 'id', path: place.path() },
      )
      if (fails) await expect(load).rejects.toBe(failure)
      else await expect(load).rejects.toThrow(ValidationError)
      expect(told).toEqual(fails ? [] : ['to end', 'has ended'])
    }
  },

  'under continue a bad item is reported and skipped, and every good one is stored': async (place) => {
    const bad: unknown[] = []
    const mixed: unknown[] = items.map((good, i) => (i % 700 === 3 ? { ...good, n: 'x' } : good))
    mixed.splice(5, 0, null, { n: 1 }, { id: Number.NaN, n: 1 }, { id: 'f', n: () => {} })
    await using db = await typed.from(mixed as typeof items, {
      prefix: ['items'],
      keyProperty: 'id',
      path: place.path(),
      onError: 'continue',
      onErrorCallback: (error, value) => bad.push([error, value]),
    })
    expect(bad).toHaveLength(7)
    for (const [error] of bad as [unknown][]) expect(error).toBeInstanceOf(Error)
    expect(bad).toContainEqual([expect.any(ValidationError), { ...items[3], n: 'x' }])
    expect(await db.repositories.items.count()).toBe(2_097)
  },

  'items that clash in a unique index are reported, the others stored': async (place) => {
    const bad: unknown[] = []
    await using db = await Valkeyrie.withSchema(['items', '*'], item, {
      indexes: [{ on: 'n', unique: true }],
    }).from(
      [
        { id: 'a', n: 1 },
        { id: 'b', n: 1 },
        { id: 'c', n: 2 },
      ],
      {
        prefix: ['items'],
        keyProperty: 'id',
        path: place.path(),
        onError: 'continue',
        onErrorCallback: (_, { id }) => bad.push(id),
      },
    )
    expect(bad).toStrictEqual(['b'])
    expect(await db.repositories.items.count()).toBe(2)
  },

  'an item that is no object is refused in words': async (place) => {
    for (const item of [null, undefined]) {
      const load = Valkeyrie.from([item as unknown as { id: string }], {
        prefix: ['items'],
        keyProperty: 'id',
        path: place.path(),
      })
      await expect(load).rejects.toThrow('keyProperty gives no key for an item: it is undefined')
    }
  },

  'a load waits for its callbacks, and rejects with what they throw or reject with': async (place) => {
    const failure = new Error('no room to note it')
    const mixed = [items[0]!, { id: 'bad', n: 'x' as never }]
    const options = { prefix: ['items'], keyProperty: 'id', onError: 'continue' } as const
    const fail = () => {
      throw failure
    }
    for (const callback of [fail, async () => fail()]) {
      for (const name of ['onErrorCallback', 'onProgress']) {
        const told = { ...options, path: place.path(), [name]: callback }
        await expect(typed.from(mixed, told), name).rejects.toBe(failure)
        await expect(typed.fromAsync(mixed, { ...told, path: place.path() }), name).rejects.toBe(failure)
      }
    }
    const noted: unknown[] = []
    await using _ = await typed.from(mixed, {
      ...options,
      path: place.path(),
      onErrorCallback: async (_, { id }) => {
        await nextTurn()
        noted.push(id)
      },
    })
    expect(noted).toEqual(['bad'])
  },

  'loaded items expire': async (place) => {
    const clock = stillClock()
    await using db = await typed.from(items.slice(0, 2), {
      prefix: ['items'],
      keyProperty: 'id',
      path: place.path(),
      expireIn: 5_000,
    })
    expect(await db.repositories.items.count()).toBe(2)
    clock.advance(5_000)
    expect(await db.repositories.items.count()).toBe(0)
  },

  'items expire so long after they are stored, however long the source takes': async (place) => {
    const clock = stillClock()
    const source = (async function* () {
      yield items[0]!
      clock.advance(4_000)
      yield items[1]!
    })()
    const path = place.path()
    await using db = await typed.fromAsync(source, {
      prefix: ['items'],
      keyProperty: 'id',
      path,
      expireIn: 5_000,
    })
    clock.advance(4_999)
    expect(await db.repositories.items.count()).toBe(2)
    clock.advance(1)
    expect(await db.repositories.items.count()).toBe(0)
  },

  'a load that its source breaks off is rejected with the reason': async (place) => {
    const reason = new Error('source')
    const source = (async function* () {
      yield items[0]!
      throw reason
    })()
    const load = Valkeyrie.fromAsync(source, { prefix: ['a'], keyProperty: 'id', path: place.path() })
    await expect(load).rejects.toBe(reason)
  },

  'unknown options of a load are refused': async (place) => {
    const good = { prefix: ['a'], keyProperty: 'id', path: place.path() } as const
    for (const wrong of [
      { prefix: 'a' },
      { prefix: undefined },
      { prefix: [Number.NaN] },
      { keyProperty: undefined },
      { keyProperty: 5 },
      { onError: 'ignore' },
      { expireIn: 0 },
      { expireIn: '5' },
      { unknown: 1 },
      { path: 5 },
      { readonly: true },
    ]) {
      const load = Valkeyrie.from(items.slice(0, 1), { ...good, onError: 'continue', ...wrong } as never)
      const error = await load.catch((thrown) => thrown)
      expect(error instanceof TypeError || error instanceof RangeError, JSON.stringify(wrong)).toBe(true)
    }
    await expect(Valkeyrie.from(5 as never, good)).rejects.toThrow(TypeError)
    await expect(Valkeyrie.from([], undefined as never)).rejects.toThrow(TypeError)
  },
}
