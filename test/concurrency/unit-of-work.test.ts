import { ConflictError, KeyExistsError, KvU64, NotFoundError, ValidationError, Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { stillClock } from '../still-clock.ts'
import { newDatabasePath } from './temporary-folder.ts'

const openItems = (path?: string, options = {}) =>
  Valkeyrie.withSchema(['items', '*'], z.object({ n: z.int(), text: z.string().optional() }), {
    name: 'items',
  })
    .withSchema(['counters', '*'], z.instanceof(KvU64), { name: 'counters' })
    .open(path, options)

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

type Db = Awaited<ReturnType<typeof openItems>>

async function open(path?: string, options = {}): Promise<Db> {
  const db = await openItems(path, options)
  onTestFinished(() => db.close())
  return db
}

/** Commits often enough for the log to be trimmed of everything before. */
async function trimLog(db: Db): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await Promise.all(Array.from({ length: 300 }, () => db.set(['noise'], i)))
  }
}

it('50 concurrent compare-and-set loops on one counter end at 50', async () => {
  const db = await open()
  const increment = async () => {
    for (;;) {
      const counter = await db.get(['counter'])
      const next = ((counter.value as number | null) ?? 0) + 1
      if ((await db.atomic().check(counter).set(['counter'], next).commit()).ok) return
    }
  }
  await Promise.all(Array.from({ length: 50 }, increment))
  expect((await db.get(['counter'])).value).toBe(50)
})

it('50 concurrent units of work and 50 concurrent updates on one value lose nothing', async () => {
  const db = await open()
  await db.repositories.items.set('a', { n: 0 })
  await Promise.all([
    ...Array.from({ length: 50 }, () =>
      db.unitOfWork(async (unit) => {
        const item = await unit.repositories.items.get('a')
        item.value!.n += 1
      }),
    ),
    ...Array.from({ length: 50 }, () => db.repositories.items.update('a', ({ n }) => ({ n: n + 1 }))),
  ])
  expect((await db.repositories.items.get('a')).value).toEqual({ n: 100 })
})

it('an entry is one object per key, however it is read', async () => {
  const db = await open()
  await db.repositories.items.set('a', { n: 1 })
  await db.unitOfWork(async (unit) => {
    const { items } = unit.repositories
    const [got, [many], listed, byKey] = [
      await items.get('a'),
      await items.getMany(['a']),
      (await Array.fromAsync(items.list()))[0]!,
      await unit.get(['items', 'a']),
    ]
    expect(many).toBe(got)
    expect(listed).toBe(got)
    expect(byKey.value).toBe(got.value)
    await items.set('a', { n: 2 })
    expect(got.value).toEqual({ n: 2 })
    expect(await items.get('a')).toBe(got)
  })
})

it('a value that was changed in place is written, and no other', async () => {
  const db = await open()
  await db.repositories.items.set('a', { n: 1 })
  await db.repositories.items.set('b', { n: 1 })
  const before = await db.repositories.items.get('b')
  await db.unitOfWork(async ({ repositories: { items } }) => {
    const [a] = await items.getMany(['a', 'b'])
    a!.value!.n = 5
    expect((await Array.fromAsync(items.list())).map(({ value }) => value.n)).toEqual([5, 1])
  })
  expect((await db.repositories.items.get('a')).value).toEqual({ n: 5 })
  expect(await db.repositories.items.get('b')).toEqual(before)
})

it('a read checks the changed values of the keys that it may find, and no others', async () => {
  const db = await open()
  await db.repositories.items.set('a', { n: 1 })
  await db.repositories.items.set('b', { n: 2 })
  await db.unitOfWork(async (unit) => {
    const { items, counters } = unit.repositories
    const a = await items.get('a')
    // Its schema refuses this.
    a.value!.n = 0.5
    expect(await Array.fromAsync(items.list({ start: 'b' }), ({ id }) => id)).toEqual(['b'])
    expect(await counters.count()).toBe(0)
    for (const read of [() => Array.fromAsync(items.list()), () => items.findMany(), () => items.count()])
      await expect(read()).rejects.toThrow(ValidationError)
    a.value!.n = 5
    expect(await Array.fromAsync(items.list(), ({ value }) => value.n)).toEqual([5, 2])
  })
  expect((await db.repositories.items.get('a')).value).toEqual({ n: 5 })
})

it('a value that was changed in place so that its schema refuses it discards the unit', async () => {
  const db = await open()
  await db.repositories.items.set('a', { n: 1 })
  const unit = db.unitOfWork(async ({ repositories: { items } }) => {
    await items.set('b', { n: 1 })
    const a = await items.get('a')
    a.value!.n = 0.5
  })
  await expect(unit).rejects.toThrow(ValidationError)
  expect(await db.repositories.items.count()).toBe(1)
})

it('a write replaces an earlier change in place, and a change in place builds on an earlier write', async () => {
  const db = await open()
  await db.repositories.items.set('a', { n: 1 })
  await db.unitOfWork(async ({ repositories: { items } }) => {
    const a = await items.get('a')
    a.value!.n = 9
    await items.set('a', { n: 1 })
  })
  expect((await db.repositories.items.get('a')).value).toEqual({ n: 1 })
  await db.unitOfWork(async ({ repositories: { items } }) => {
    const a = await items.get('a')
    await items.update('a', { text: 'updated' })
    a.value!.n = 2
  })
  expect((await db.repositories.items.get('a')).value).toEqual({ n: 2, text: 'updated' })
  await db.unitOfWork(async ({ repositories: { items } }) => {
    const a = await items.get('a')
    a.value!.n = 9
    await items.delete('a')
    await expect(items.touch('a', { expireIn: null })).rejects.toThrow(NotFoundError)
  })
  expect(await db.repositories.items.exists('a')).toBe(false)
})

it('calls of a unit that overlap do not slip between the check and the write of another', async () => {
  const db = await open()
  await db.unitOfWork(async ({ repositories: { items } }) => {
    const inserts = await Promise.allSettled([1, 2, 3].map((n) => items.insert('a', { n })))
    expect(inserts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(inserts[1]).toMatchObject({ reason: expect.any(KeyExistsError) })
    await Promise.all([1, 2, 3].map(() => items.update('a', ({ n }) => ({ n: n + 10 }))))
    expect(await Promise.all([items.delete('a'), items.delete('a')])).toEqual([true, false])
    await items.insert('a', { n: 5 })
  })
  expect((await db.repositories.items.get('a')).value).toEqual({ n: 5 })
})

it('updates of a unit that overlap lose nothing, also where their functions are asynchronous', async () => {
  const db = await open()
  await db.repositories.items.insertMany(['a', 'b'].map((id) => [id, { n: 0 }]))
  await db.unitOfWork(async ({ repositories: { items } }) => {
    await items.set('b', { n: 0 })
    const increment = async ({ n }: { n: number }) => {
      await new Promise(setImmediate)
      return { n: n + 1 }
    }
    await Promise.all([
      ...Array.from({ length: 5 }, () => items.update('a', increment)),
      ...Array.from({ length: 5 }, () => items.update('b', increment)),
      ...Array.from({ length: 5 }, () => items.updateMany({ where: {}, set: increment })),
    ])
  })
  const rows = await db.repositories.items.findMany()
  expect(rows.map(({ id, value }) => [id, value.n])).toEqual([
    ['a', 10],
    ['b', 10],
  ])
})

it('an update that fails changes nothing, whatever its function has done to its value', async () => {
  const db = await open()
  await db.repositories.items.insertMany(['a', 'b'].map((id) => [id, { n: 1 }]))
  const before = await db.repositories.items.findMany()
  await db.unitOfWork(async ({ repositories: { items } }) => {
    const a = await items.get('a')
    const failure = new Error('no')
    const spoil = (value: { n: number }) => {
      value.n = 0.5
      return value
    }
    const giveUp = (value: { n: number }) => {
      value.n = 99
      throw failure
    }
    await expect(items.update('a', giveUp)).rejects.toBe(failure)
    await expect(items.update('a', spoil)).rejects.toThrow(ValidationError)
    await expect(items.updateMany({ where: {}, set: giveUp })).rejects.toBe(failure)
    await expect(items.updateMany({ where: {}, set: spoil })).rejects.toThrow(ValidationError)
    expect(a.value).toEqual({ n: 1 })
  })
  expect(await db.repositories.items.findMany()).toEqual(before)
})

it('a change in place is not lost to an update that overlaps', async () => {
  const db = await open()
  await db.repositories.items.set('a', { n: 0 })
  await db.unitOfWork(async ({ repositories: { items } }) => {
    const a = await items.get('a')
    a.value!.n += 1
    const update = items.update('a', async ({ n }) => {
      await new Promise(setImmediate)
      return { n: n + 100 }
    })
    await new Promise(process.nextTick)
    a.value!.n += 10
    await update
    expect(a.value).toEqual({ n: 111 })
  })
  expect((await db.repositories.items.get('a')).value).toEqual({ n: 111 })
})

it('a row that the unit has written is read back without a statement, whatever else it has written', async () => {
  const statements: string[] = []
  const logger = { logQuery: (sql: string) => void statements.push(sql) }
  const db = await open(undefined, { logger })
  await db.unitOfWork(async ({ repositories: { items } }) => {
    await items.set('a', { n: 1 })
    await items.set('b', { n: 1 })
    statements.length = 0
    await items.update('a', ({ n }) => ({ n: n + 1 }))
    await items.touch('a', { expireIn: null })
    expect((await items.getMany(['a', 'b'])).map(({ value }) => value?.n)).toEqual([2, 1])
    expect(await items.delete('b')).toBe(true)
    expect(await items.exists('b')).toBe(false)
    expect(statements).toEqual([])
  })
  expect((await db.repositories.items.findMany()).map(({ id, value }) => [id, value.n])).toEqual([['a', 2]])
})

it('an entry with related rows in it shows what is written under its key, and is written from', async () => {
  const notes = z.object({ n: z.int() })
  const db = await Valkeyrie.withSchema(['items', '*'], z.object({ n: z.int(), text: z.string() }), {
    name: 'items',
  })
    .withSchema(['items', '*', 'notes', '*'], notes, { name: 'notes' })
    .open()
  onTestFinished(() => db.close())
  await db.repositories.items.set('a', { n: 1, text: 'a' })
  await db.repositories.notes.set(['a', 'x'], { n: 1 })
  await db.unitOfWork(async ({ repositories: { items, notes } }) => {
    const [a] = await items.findMany({ with: { notes: true } })
    await items.update('a', { n: 2 })
    await notes.update(['a', 'x'], { n: 2 })
    expect([a!.value, a!.notes[0]!.value]).toEqual([{ n: 2, text: 'a' }, { n: 2 }])
    a!.value.text = 'b'
    a!.notes[0]!.value.n += 1
  })
  const [a] = await db.repositories.items.findMany({ with: { notes: true } })
  expect([a!.value, a!.notes[0]!.value]).toEqual([{ n: 2, text: 'b' }, { n: 3 }])
})

it('what a schema makes of a value that was changed in place is what later reads show', async () => {
  const trimmed = z.object({ name: z.string().trim() })
  const db = await Valkeyrie.withSchema(['names', '*'], trimmed, { name: 'names' }).open()
  onTestFinished(() => db.close())
  await db.repositories.names.set('a', { name: 'a' })
  await db.unitOfWork(async ({ repositories: { names } }) => {
    const a = await names.get('a')
    a.value!.name = '  b '
    expect(await names.count({ where: { name: 'b' } })).toBe(1)
    expect(a.value).toEqual({ name: 'b' })
    expect((await names.get('a')).value).toEqual({ name: 'b' })
  })
  expect((await db.repositories.names.get('a')).value).toEqual({ name: 'b' })
})

it('reads see all that the unit has written', async () => {
  const db = await open()
  await db.repositories.items.insertMany(['a', 'b', 'c', 'd'].map((id) => [id, { n: 1 }]))
  await db.repositories.counters.set('c', new KvU64(5n))
  await db.unitOfWork(async (unit) => {
    const { items, counters } = unit.repositories
    await items.delete('b')
    await items.set('bb', { n: 2 })
    await items.update('c', { n: 3 })
    expect((await Array.fromAsync(items.list())).map(({ id, value }) => [id, value.n])).toEqual([
      ['a', 1],
      ['bb', 2],
      ['c', 3],
      ['d', 1],
    ])
    expect(await items.count()).toBe(4)
    expect(await items.exists('b')).toBe(false)
    await counters.sum('c', 2n)
    await counters.max('c', 6n)
    await counters.min('new', 9n)
    expect((await counters.getMany(['c', 'new'])).map(({ value }) => value?.value)).toEqual([7n, 9n])
  })
  expect(await db.repositories.items.count()).toBe(4)
})

it.each([false, true])(
  'a listing shows what the unit writes while it goes on (reverse: %s)',
  async (reverse) => {
    const db = await open()
    const ids = ['a', 'b', 'c', 'd', 'e', 'f']
    await db.repositories.items.insertMany(ids.map((id) => [id, { n: 1 }]))
    const [first, second, third, inserted, last] = reverse
      ? ['f', 'd', 'c', 'bb', 'a']
      : ['a', 'c', 'd', 'dd', 'f']
    const seen = await db.unitOfWork(async ({ repositories: { items } }) => {
      const listed: [string, number][] = []
      for await (const entry of items.list({}, { reverse })) {
        listed.push([String(entry.id), entry.value.n])
        if (entry.id === first) await items.delete(reverse ? 'e' : 'b')
        if (entry.id === second) await items.set(third!, { n: 2 })
        if (entry.id === third) await items.set(inserted!, { n: 3 })
        if (entry.id === inserted) await items.delete(reverse ? 'b' : 'e')
        entry.value.n += 10
      }
      return listed
    })
    expect(seen).toEqual([
      [first, 1],
      [second, 1],
      [third, 2],
      [inserted, 3],
      [last, 1],
    ])
    const stored = await Array.fromAsync(db.repositories.items.list({}, { reverse }))
    expect(stored.map(({ id, value }) => [id, value.n])).toEqual(seen.map(([id, n]) => [id, n + 10]))
  },
)

it('nothing is written, and nobody sees anything, before the function has returned', async () => {
  const db = await open()
  await db.unitOfWork(async (unit) => {
    await unit.set(['a'], 1)
    expect((await db.get(['a'])).value).toBeNull()
  })
  expect((await db.get(['a'])).value).toBe(1)
  const failure = new Error('no')
  const unit = db.unitOfWork(async (inner) => {
    await inner.set(['a'], 2)
    await inner.set(['b'], 2)
    throw failure
  })
  await expect(unit).rejects.toBe(failure)
  expect((await db.getMany([['a'], ['b']])).map(({ value }) => value)).toEqual([1, null])
})

it('all writes of a unit share one versionstamp', async () => {
  const db = await open()
  await db.unitOfWork(async (unit) => {
    await unit.set(['a'], 1)
    await unit.repositories.items.insert('a', { n: 1 })
    await unit.repositories.counters.sum('a', 1n)
  })
  const entries = await db.getMany([['a'], ['items', 'a'], ['counters', 'a']])
  expect(new Set(entries.map(({ versionstamp }) => versionstamp)).size).toBe(1)
})

it('a unit that is used after its function has returned says so', async () => {
  const db = await open()
  let kept!: Parameters<Parameters<Db['unitOfWork']>[0]>[0]
  await db.unitOfWork(async (unit) => {
    kept = unit
    await unit.set(['a'], 1)
  })
  const over = /unit of work has ended/
  await expect(kept.get(['a'])).rejects.toThrow(over)
  await expect(kept.set(['a'], 2)).rejects.toThrow(over)
  await expect(kept.repositories.items.count()).rejects.toThrow(over)
  await expect(kept.list({ prefix: [] }).next()).rejects.toThrow(over)
  expect((await db.get(['a'])).value).toBe(1)
})

type Unit = Parameters<Parameters<Db['unitOfWork']>[0]>[0]

it.each<[string, (unit: Unit) => Promise<unknown>]>([
  ['items.insert', (unit) => unit.repositories.items.insert('late', { n: 1 })],
  ['items.update', (unit) => unit.repositories.items.update('there', { n: 2 })],
  ['items.updateMany', (unit) => unit.repositories.items.updateMany({ where: {}, set: { n: 2 } })],
  ['counters.sum', (unit) => unit.repositories.counters.sum('late', 1n)],
  ['unit.set', (unit) => unit.set(['late'], 1)],
  ['unit.delete', (unit) => unit.delete(['there'])],
])('%s that has not ended when the function returns makes its unit reject', async (call, write) => {
  const db = await open()
  await db.repositories.items.insert('there', { n: 1 })
  const before = await Array.fromAsync(db.list({ prefix: [] }))
  const unit = db.unitOfWork(async (unit) => {
    await unit.set(['a'], 1)
    void write(unit)
  })
  const told = new RegExp(`^TypeError: ${call} was still running .* nothing was written: await every call`)
  expect(String(await unit.catch((error: unknown) => error))).toMatch(told)
  // A helper that nobody awaits fails halfway; its write would be the first half.
  let rest: unknown
  const helper = async (unit: Unit) => {
    await write(unit)
    await unit.set(['second'], 1)
  }
  const half = db.unitOfWork((unit) => {
    rest = helper(unit).catch((error: unknown) => String(error))
  })
  expect(String(await half.catch((error: unknown) => error))).toMatch(told)
  expect(await rest).toMatch(/unit of work has ended/)
  expect(await Array.fromAsync(db.list({ prefix: [] }))).toEqual(before)
})

it('a rejected write that nobody awaited makes its unit reject with its error', async () => {
  const db = await open()
  await db.repositories.items.insert('there', { n: 1 })
  const inserted = db.unitOfWork(async (unit) => {
    void unit.repositories.items.insert('there', { n: 2 })
    await unit.set(['a'], 1)
    await unit.repositories.items.count()
    await nextTurn()
  })
  await expect(inserted).rejects.toMatchObject({ code: 'KEY_EXISTS' })
  const refused = db.unitOfWork(async (unit) => {
    void unit.set(['items', 'there'], { n: 'none' } as never)
    await nextTurn()
    await unit.set(['a'], 1)
  })
  await expect(refused).rejects.toMatchObject({ code: 'VALIDATION' })
  expect((await db.get(['a'])).value).toBeNull()
})

it('a rejected write that its function handles does not keep the unit from writing the rest', async () => {
  const db = await open()
  await db.repositories.items.insert('there', { n: 1 })
  const insert = (unit: Unit) => unit.repositories.items.insert('there', { n: 2 })
  const handled: ((unit: Unit) => Promise<unknown>)[] = [
    (unit) => insert(unit).catch(() => {}),
    (unit) => insert(unit).then(null, () => {}),
    (unit) => Promise.allSettled([insert(unit), unit.set(['b'], 1)]),
    async (unit) => {
      try {
        await insert(unit)
      } catch {}
    },
  ]
  for (const [i, handle] of handled.entries()) {
    await db.unitOfWork(async (unit) => {
      await unit.set(['a'], i)
      await handle(unit)
    })
    expect((await db.get(['a'])).value).toBe(i)
  }
})

it('a write that begins after the function of its unit has returned is not a part of it, however soon it comes', async () => {
  const db = await open()
  await db.set(['a'], 1)
  const late: Promise<unknown>[] = []
  const refusals: unknown[] = []
  const after = async (ticks: number, write: () => Promise<unknown>) => {
    for (let i = 0; i < ticks; i++) await null
    await write().catch((error: unknown) => refusals.push(error))
  }
  for (let ticks = 4; ticks < 40; ticks++) {
    await db.unitOfWork((unit) => {
      late.push(after(ticks, () => unit.set(['late', ticks], 1)))
    })
  }
  await db.unitOfWork((unit) => {
    const read = unit.get(['a'])
    late.push(after(0, () => read.then(() => unit.set(['late', 'read'], 1))))
  })
  await db.unitOfWork(async (unit) => {
    const entry = await unit.get(['a'])
    if (entry.versionstamp !== null) entry.value = 2
    late.push(after(4, () => unit.set(['late', 'changed'], 1)))
  })
  await Promise.all(late)
  expect(refusals).toHaveLength(late.length)
  expect(String(refusals[0])).toMatch(/unit of work has ended/)
  expect(await Array.fromAsync(db.list({ prefix: ['late'] }))).toEqual([])
  expect((await db.get(['a'])).value).toBe(2)
})

it('a rejected call keeps a unit from writing anything, unless its function handles the rejection', async () => {
  const db = await open()
  await db.repositories.items.insert('a', { n: 1 })
  const failing = db.unitOfWork(async (unit) => {
    await unit.set(['rest'], 1)
    await unit.repositories.items.insert('a', { n: 2 })
  })
  await expect(failing).rejects.toMatchObject({ code: 'KEY_EXISTS' })
  expect((await db.get(['rest'])).value).toBeNull()
  await db.unitOfWork(async (unit) => {
    await unit.set(['rest'], 1)
    await unit.repositories.items.insert('a', { n: 2 }).catch(() => {})
  })
  expect((await db.get(['rest'])).value).toBe(1)
})

it('what its function writes through the database stays where the unit fails', async () => {
  const db = await open()
  const failing = db.unitOfWork(async (unit) => {
    await unit.set(['inside'], 1)
    await db.set(['outside'], 1)
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect((await db.getMany([['inside'], ['outside']])).map(({ value }) => value)).toEqual([null, 1])
})

it('units of work do not nest, and work that one has left behind may begin another', async () => {
  const db = await open()
  await expect(db.unitOfWork(() => db.unitOfWork(() => {}))).rejects.toThrow(/do not nest/)
  const over = Promise.withResolvers<void>()
  let left!: Promise<unknown>
  await db.unitOfWork(() => {
    left = over.promise.then(() => db.unitOfWork((unit) => unit.set(['later'], true)))
  })
  over.resolve()
  await left
  expect((await db.get(['later'])).value).toBe(true)
})

it('ConflictError names the keys and the attempts when the retries run out', async () => {
  const db = await open()
  const unit = db.unitOfWork(
    async (inner) => {
      await inner.get(['fought', 'over'])
      for (let i = 0; i < 3; i++) await db.set(['fought', 'over'], Math.random())
      await inner.set(['result'], true)
    },
    { retries: 3 },
  )
  const error = await unit.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConflictError)
  // Each key once, however often it was changed, with its newest version.
  const actual = (await db.get(['fought', 'over'])).versionstamp
  expect(error).toMatchObject({
    code: 'CONFLICT',
    attempts: 4,
    conflicts: [{ key: ['fought', 'over'], actual }],
  })
  expect(String(error).match(/"fought"/g)).toHaveLength(1)
  expect((await db.get(['result'])).value).toBeNull()
})

it('a unit that only reads keeps its state and never runs again, whatever is written meanwhile', async () => {
  const db = await open()
  let runs = 0
  const seen = await db.unitOfWork(async (unit) => {
    runs += 1
    const first = (await unit.get(['a'])).value
    await db.set(['a'], 'changed')
    await db.set(['b'], 'new')
    return [first, (await unit.get(['a'])).value, (await unit.get(['b'])).value]
  })
  expect([runs, seen]).toEqual([1, [null, null, null]])
})

it('no run begins after the deadline, whatever becomes of the clock', async () => {
  const hour = 3_600_000
  const clock = stillClock()
  const realTime = process.hrtime
  let passed = 0
  const laterTime = () => {
    const [seconds, nanoseconds] = realTime()
    return [seconds + passed / 1000, nanoseconds] as [number, number]
  }
  process.hrtime = Object.assign(laterTime, { bigint: realTime.bigint })
  onTestFinished(() => {
    process.hrtime = realTime
  })
  const db = await open()
  const fight = (options: { deadline: number | Date }, jump = 0) => {
    const runs: number[] = []
    return db
      .unitOfWork(async (unit) => {
        runs.push(runs.length)
        passed += 0.4 * hour
        clock.advance(jump)
        await unit.get(['a'])
        await db.set(['a'], runs.length)
        await unit.set(['b'], 1)
      }, options)
      .then(
        () => expect.unreachable(),
        (error: unknown) => ({ runs, error }),
      )
  }
  expect(await fight({ deadline: 0 })).toMatchObject({ runs: { length: 1 }, error: { attempts: 1 } })
  expect(await fight({ deadline: new Date(0) })).toMatchObject({ runs: { length: 1 } })
  for (const jump of [0, 24 * hour, -24 * hour]) {
    for (const deadline of [() => hour, () => new Date(clock.now + hour)]) {
      const { runs, error } = await fight({ deadline: deadline() }, jump)
      expect(error).toBeInstanceOf(ConflictError)
      expect(runs).toEqual([0, 1, 2])
    }
  }
})

it('aborting rejects with the reason, whenever it comes, and writes nothing', async () => {
  const db = await open()
  const reason = new Error('enough')
  await expect(db.unitOfWork(() => {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)

  const during = new AbortController()
  const hanging = db.unitOfWork(
    async (unit) => {
      await unit.set(['a'], 1)
      during.abort(reason)
      await new Promise(() => {})
    },
    { signal: during.signal },
  )
  await expect(hanging).rejects.toBe(reason)

  const between = new AbortController()
  const fighting = db.unitOfWork(
    async (unit) => {
      await unit.get(['fought'])
      await db.set(['fought'], Math.random())
      setImmediate(() => between.abort(reason))
      await unit.set(['a'], 1)
    },
    // A hundred may be over before the event loop turns.
    { signal: between.signal, retries: 1_000_000 },
  )
  await expect(fighting).rejects.toBe(reason)
  expect((await db.get(['a'])).value).toBeNull()
})

it.each([
  ['a key', async (unit: Db) => void (await unit.get(['a']))],
  ['a range', async (unit: Db) => void (await Array.fromAsync(unit.list({ prefix: ['a'] })))],
  ['a count', async (unit: Db) => void (await unit.repositories.items.count())],
])('a log that was trimmed while a unit ran: a change of %s is still found', async (_, read) => {
  const db = await open(newDatabasePath(), { log: { keepRows: 1 } })
  let attempts = 0
  await db.unitOfWork(async (unit) => {
    attempts += 1
    await read(unit as unknown as Db)
    if (attempts === 1) {
      await db.atomic().set(['a'], 1).set(['items', 'a'], { n: 1 }).commit()
      await trimLog(db)
    }
    await unit.set(['result'], attempts)
  })
  expect(attempts).toBe(2)
})

it('a log that was trimmed while a unit ran: keys that did not change need no further run', async () => {
  const db = await open(newDatabasePath(), { log: { keepRows: 1 } })
  await db.set(['a'], 1)
  let attempts = 0
  await db.unitOfWork(async (unit) => {
    attempts += 1
    await unit.get(['a'])
    await unit.get(['missing'])
    if (attempts === 1) await trimLog(db)
    await unit.set(['result'], attempts)
  })
  expect(attempts).toBe(1)
})

it('a log that was trimmed while a unit ran: what others wrote at the very version it expected is no write of its own', async () => {
  const db = await open(newDatabasePath(), { log: { keepRows: 1 } })
  await db.repositories.counters.set('a', new KvU64(1n))
  let attempts = 0
  await db.unitOfWork(async (unit) => {
    attempts += 1
    const { counters } = unit.repositories
    await counters.sum('a', 1n)
    const { value } = await counters.get('a')
    if (attempts === 1) {
      await db.repositories.counters.set('a', new KvU64(100n))
      await trimLog(db)
    }
    await unit.set(['double'], value!.value * 2n)
  })
  expect((await db.repositories.counters.get('a')).value?.value).toBe(101n)
  expect((await db.get(['double'])).value).toBe(202n)
})
