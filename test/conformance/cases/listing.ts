import { type Key, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import { extent } from '../../extent.ts'
import type { Cases } from '../suite.ts'

const letters = ['a', 'b', 'c', 'd', 'e']

async function lettersAt(path: string | undefined) {
  const db = await Valkeyrie.open(path)
  const operation = db.atomic().set(['l'], 'itself').set(['k', 'z'], 'before').set(['m', 'a'], 'behind')
  for (const letter of letters) operation.set(['l', letter], letter)
  operation.set(['l', 'b', 'nested'], 'nested')
  await operation.commit()
  return db
}

async function numbersAt(path: string | undefined, count: number) {
  const db = await Valkeyrie.open(path)
  const operation = db.atomic()
  for (let i = 0; i < count; i++) operation.set(['n', i], i)
  await operation.commit()
  return db
}

const last = async (entries: AsyncIterable<{ readonly key: Key }>) =>
  (await Array.fromAsync(entries)).map(({ key }) => key.at(-1))

export const listingCases: Cases = {
  'a prefix selects longer keys, in key order, and not the key that equals it': async (place) => {
    await using db = await lettersAt(place.path())
    expect(await last(db.list({ prefix: ['l'] }))).toStrictEqual(['a', 'b', 'nested', 'c', 'd', 'e'])
    expect(await last(db.list({ prefix: ['l', 'b'] }))).toStrictEqual(['nested'])
    expect(await last(db.list({ prefix: ['none'] }))).toStrictEqual([])
  },

  'the empty prefix selects the whole database': async (place) => {
    await using db = await lettersAt(place.path())
    const whole = await last(db.list({ prefix: [] }))
    expect(whole).toStrictEqual(['z', 'l', 'a', 'b', 'nested', 'c', 'd', 'e', 'a'])
  },

  'start is included and end is not': async (place) => {
    await using db = await lettersAt(place.path())
    const from = { prefix: ['l'], start: ['l', 'c'] }
    const upTo = { prefix: ['l'], end: ['l', 'c'] }
    const between = { start: ['l', 'b'], end: ['l', 'd'] }
    expect(await last(db.list(from))).toStrictEqual(['c', 'd', 'e'])
    expect(await last(db.list(upTo))).toStrictEqual(['a', 'b', 'nested'])
    expect(await last(db.list(between))).toStrictEqual(['b', 'nested', 'c'])
    expect(await last(db.list({ start: ['l', 'c'], end: ['l', 'c'] }))).toStrictEqual([])
    expect(await last(db.list({ start: ['l'], end: ['l', 'a'] }))).toStrictEqual(['l'])
  },

  'bounds need not exist': async (place) => {
    await using db = await lettersAt(place.path())
    expect(await last(db.list({ start: ['l', 'bb'], end: ['l', 'dd'] }))).toStrictEqual(['c', 'd'])
  },

  'reverse returns every selection in the opposite order': async (place) => {
    await using db = await lettersAt(place.path())
    for (const selector of [
      { prefix: ['l'] },
      { prefix: [] },
      { prefix: ['l'], start: ['l', 'c'] },
      { prefix: ['l'], end: ['l', 'c'] },
      { start: ['l', 'b'], end: ['l', 'd'] },
    ] as const) {
      const forwards = await last(db.list(selector))
      expect(await last(db.list(selector, { reverse: true }))).toStrictEqual(forwards.toReversed())
    }
  },

  'limit is the most entries, from the end that the list begins at': async (place) => {
    await using db = await lettersAt(place.path())
    const selector = { prefix: ['l'] } as const
    expect(await last(db.list(selector, { limit: 2 }))).toStrictEqual(['a', 'b'])
    expect(await last(db.list(selector, { limit: 2, reverse: true }))).toStrictEqual(['e', 'd'])
    expect(await last(db.list(selector, { limit: 100 }))).toHaveLength(6)
  },

  'a listing of many pages gives every entry once, whatever the size of a page': async (place) => {
    // The usual page has 500.
    const count = extent('rows of many pages', 1_150, 2_300)
    await using db = await numbersAt(place.path(), count)
    const all = Array.from({ length: count }, (_, i) => i)
    // Of small pages a hundred show as much as more do, and each is a request to a server.
    const pages = extent('small pages', 25, 100)
    for (const batchSize of [undefined, 1, 7, 500, count, 100_000]) {
      const start = Math.max(0, count - pages * (batchSize ?? 500))
      const selector = { prefix: ['n'], start: ['n', start] }
      expect(await last(db.list(selector, { batchSize }))).toStrictEqual(all.slice(start))
      expect(await last(db.list(selector, { batchSize, reverse: true }))).toStrictEqual(
        all.slice(start).toReversed(),
      )
    }
    expect(await last(db.list({ prefix: ['n'] }, { batchSize: 100 }))).toStrictEqual(all)
    expect(await last(db.list({ prefix: ['n'] }, { limit: 700 }))).toStrictEqual(all.slice(0, 700))
  },

  'a loop over pages by their cursors gives every entry once, and ends, both ways': async (place) => {
    await using db = await numbersAt(place.path(), 25)
    const all = Array.from({ length: 25 }, (_, i) => i)
    for (const reverse of [false, true]) {
      for (const limit of [1, 4, 5, 25, 30]) {
        for (const batchSize of [undefined, 1, 3]) {
          const found: unknown[] = []
          let cursor = ''
          do {
            const page = db.list({ prefix: ['n'] }, { limit, cursor, reverse, batchSize })
            const values = await last(page)
            // A page that is not full is the last one, and says so.
            if (values.length < limit) expect(page.cursor).toBe('')
            found.push(...values)
            cursor = page.cursor
          } while (cursor)
          expect(found).toStrictEqual(reverse ? all.toReversed() : all)
        }
      }
    }
  },

  'the cursor is empty at the end of a list, and for an empty list': async (place) => {
    await using db = await numbersAt(place.path(), 3)
    const whole = db.list({ prefix: ['n'] })
    await whole.next()
    const { cursor } = whole
    expect(cursor).not.toBe('')
    expect(await last(whole)).toStrictEqual([1, 2])
    expect(whole.cursor).toBe('')
    await whole.return()
    expect(whole.cursor).toBe('')

    const full = db.list({ prefix: ['n'] }, { limit: 3 })
    await Array.fromAsync(full)
    const behind = db.list({ prefix: ['n'] }, { limit: 3, cursor: full.cursor })
    expect(behind.cursor).toBe(full.cursor)
    expect(await last(behind)).toStrictEqual([])
    expect(behind.cursor).toBe('')

    const empty = db.list({ prefix: ['none'] })
    expect(await last(empty)).toStrictEqual([])
    expect(empty.cursor).toBe('')

    await db.set(['n', 3], 3)
    expect(await last(db.list({ prefix: ['n'], start: ['n', 3] }))).toStrictEqual([3])
    expect(await last(db.list({ prefix: ['n'] }, { cursor: '' }))).toStrictEqual([0, 1, 2, 3])
    await db.unitOfWork(async (unit) => {
      const listed = unit.list({ prefix: ['n'] }, { cursor })
      expect(await last(listed)).toStrictEqual([1, 2, 3])
      expect(listed.cursor).toBe('')
    })
  },

  'the cursor moves with each entry, so an iteration that stops can continue later': async (place) => {
    await using db = await numbersAt(place.path(), 10)
    const entries = db.list({ prefix: ['n'] })
    expect(entries.cursor).toBe('')
    const cursors: string[] = []
    for await (const { value } of entries) {
      cursors.push(entries.cursor)
      if (value === 5) break
    }
    for (const [i, cursor] of cursors.entries()) {
      expect(await last(db.list({ prefix: ['n'] }, { cursor, limit: 1 }))).toStrictEqual([i + 1])
    }
    expect(entries.cursor).toBe(cursors.at(-1))
  },

  'a cursor outlives its row': async (place) => {
    await using db = await numbersAt(place.path(), 5)
    const page = db.list({ prefix: ['n'] }, { limit: 3 })
    await Array.fromAsync(page)
    await db.delete(['n', 2])
    expect(await last(db.list({ prefix: ['n'] }, { cursor: page.cursor }))).toStrictEqual([3, 4])
  },

  'rows that are written or removed while a list runs never make it repeat or skip others': async (place) => {
    await using db = await numbersAt(place.path(), 60)
    const found: unknown[] = []
    for await (const { value } of db.list({ prefix: ['n'] }, { batchSize: 5 })) {
      found.push(value)
      const n = value as number
      if (n >= 60) continue
      await db.delete(['n', n])
      await db.set(['n', n - 1_000], n)
      if (n === 30) await db.delete(['n', 50])
      if (n === 40) await db.set(['n', 55.5], 55.5)
    }
    const expected = Array.from({ length: 60 }, (_, i) => i).filter((n) => n !== 50)
    expect(found.filter((n) => n !== 55.5)).toStrictEqual(expected)
    expect(found).toContain(55.5)
  },

  'return ends the iterator and leaves the database open': async (place) => {
    await using db = await numbersAt(place.path(), 100)
    const entries = db.list({ prefix: ['n'] })
    expect((await entries.next()).value).toMatchObject({ value: 0 })
    expect(await entries.return()).toStrictEqual({ done: true, value: undefined })
    expect(await entries.next()).toStrictEqual({ done: true, value: undefined })
    {
      await using scoped = db.list({ prefix: ['n'] })
      await scoped.next()
    }
    for await (const _ of db.list({ prefix: ['n'] })) break
    expect((await db.get(['n', 1])).value).toBe(1)
  },

  'calls of next that overlap are answered in their order': async (place) => {
    await using db = await numbersAt(place.path(), 50)
    const entries = db.list({ prefix: ['n'] }, { batchSize: 3 })
    const results = await Promise.all(Array.from({ length: 55 }, () => entries.next()))
    expect(results.flatMap(({ done, value }) => (done ? [] : [value!.value]))).toStrictEqual(
      Array.from({ length: 50 }, (_, i) => i),
    )
    expect(results.at(-1)).toStrictEqual({ done: true, value: undefined })
  },

  'an ended iterator stays ended': async (place) => {
    await using db = await numbersAt(place.path(), 2)
    const entries = db.list({ prefix: ['n'] })
    await Array.fromAsync(entries)
    await db.set(['n', 9], 9)
    expect(await entries.next()).toStrictEqual({ done: true, value: undefined })
  },

  'entries have exactly a key, a value and a versionstamp': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const { versionstamp } = await db.set(['a', Uint8Array.of(0, 1), -1n, -0.5, false], 1)
    expect(await Array.fromAsync(db.list({ prefix: ['a'] }))).toStrictEqual([
      { key: ['a', Uint8Array.of(0, 1), -1n, -0.5, false], value: 1, versionstamp },
    ])
  },

  'keys come in the order of their types, then of their values': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const ordered: Key[] = [
      [Uint8Array.of()],
      [Uint8Array.of(0)],
      [Uint8Array.of(1)],
      [''],
      ['\0'],
      ['a'],
      ['a', ''],
      ['a\0'],
      ['aa'],
      ['\uffff'],
      ['\u{1f600}'],
      [-(2n ** 70n)],
      [-1n],
      [0n],
      [255n],
      [256n],
      [2n ** 70n],
      [Number.NEGATIVE_INFINITY],
      [-1],
      [0],
      [5e-324],
      [1.5],
      [Number.POSITIVE_INFINITY],
      [false],
      [true],
    ]
    const operation = db.atomic()
    for (const key of ordered.toReversed()) operation.set(key, 0)
    await operation.commit()
    const entries = await Array.fromAsync(db.list({ prefix: [] }))
    expect(entries.map(({ key }) => key)).toStrictEqual(ordered)
  },
}
