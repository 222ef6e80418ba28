import { KvU64, Valkeyrie } from 'valkeyrie'
import { KvU64 as KvU64OfSubpath } from 'valkeyrie/KvU64'
import { beforeEach, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from './temporary-folder.ts'

const path = temporaryFolder()

const open = () => Valkeyrie.open()
let db: Awaited<ReturnType<typeof open>>
beforeEach(async () => {
  db = await open()
  onTestFinished(() => db.close())
})

it('watches a key in a loop: the state now, then each change', async () => {
  const seen: unknown[] = []
  for await (const [entry] of db.watch([['lamp']])) {
    expect(entry.key).toEqual(['lamp'])
    seen.push(entry.value)
    if (entry.value === null) await db.set(['lamp'], 'on')
    else if (entry.value === 'on') await db.set(['lamp'], 'off')
    else break
  }
  expect(seen).toEqual([null, 'on', 'off'])
})

it('reads a watch through its reader', async () => {
  const reader = db.watch([['level']]).getReader()
  const read = async () => (await reader.read()).value?.[0].value
  expect(await read()).toBeNull()
  await db.set(['level'], 7)
  expect(await read()).toBe(7)
  await db.delete(['level'])
  expect(await read()).toBeNull()
  await reader.cancel()
  expect(await reader.read()).toEqual({ done: true, value: undefined })
})

it('types a watch of several keys one by one', async () => {
  await using typed = await Valkeyrie.withSchema(['cats', '*'], z.object({ lives: z.int() }))
    .withSchema(['dogs', '*'], z.object({ tricks: z.array(z.string()) }))
    .open()
  await typed
    .atomic()
    .set(['cats', 'tom'], { lives: 9 })
    .set(['dogs', 'rex'], { tricks: ['sit'] })
    .commit()
  for await (const [cat, dog] of typed.watch([
    ['cats', 'tom'],
    ['dogs', 'rex'],
  ])) {
    expectTypeOf(cat.value).toEqualTypeOf<{ lives: number } | null>()
    expectTypeOf(dog.value).toEqualTypeOf<{ tricks: string[] } | null>()
    expect([cat.value?.lives, dog.value?.tricks]).toEqual([9, ['sit']])
    break
  }
})

it('ends a loop over a watch when its reader is cancelled by a timer, and when the database is closed', async () => {
  const reader = db.watch([['quiet']]).getReader()
  await reader.read()
  setTimeout(() => reader.cancel(), 5)
  expect((await reader.read()).done).toBe(true)

  let rounds = 0
  for await (const _ of db.watch([['quiet']])) {
    rounds += 1
    queueMicrotask(() => db.close())
  }
  expect(rounds).toBe(1)
  const late = async () => Array.fromAsync(db.watch([['quiet']]))
  await expect(late()).rejects.toThrow('Database is closed')
})

it('tells who is online of several presence keys', async () => {
  const keys = ['ann', 'ben'].map((name) => ['presence', name])
  await db.set(['presence', 'ben'], { online: true, lastSeen: Date.now() })
  for await (const entries of db.watch(keys)) {
    const online = entries.filter(({ value }) => (value as { online?: boolean } | null)?.online)
    expect(online.map(({ key }) => key[1])).toEqual(['ben'])
    break
  }
})

it('commits sets and deletes together, and gives their versionstamp', async () => {
  await db.set(['temporary'], 1)
  const result = await db.atomic().set(['a'], 1).set(['b'], 2).delete(['temporary']).commit()
  if (!result.ok) throw new Error('there was nothing to conflict with')
  const entries = await db.getMany([['a'], ['b'], ['temporary']])
  expect(entries.map(({ value }) => value)).toEqual([1, 2, null])
  expect(entries.map(({ versionstamp }) => versionstamp)).toEqual([
    result.versionstamp,
    result.versionstamp,
    null,
  ])
})

it('refuses the second of two who have read the same version', async () => {
  await db.set(['points'], 100)
  const mine = await db.get(['points'])
  const yours = await db.get(['points'])
  const write = ({ versionstamp }: typeof mine, points: number) =>
    db
      .atomic()
      .check({ key: ['points'], versionstamp })
      .set(['points'], points)
      .commit()
  expect((await write(mine, 110)).ok).toBe(true)
  expect((await write(yours, 105)).ok).toBe(false)
  expect((await db.get(['points'])).value).toBe(110)
})

it('loses no update of those that check, and try again', async () => {
  const add = async (amount: number): Promise<void> => {
    for (;;) {
      const { key, value, versionstamp } = await db.get(['sum'])
      const result = await db
        .atomic()
        .check({ key, versionstamp })
        .set(key, Number(value ?? 0) + amount)
        .commit()
      if (result.ok) return
    }
  }
  await Promise.all([1, 2, 3, 4, 5].map(add))
  expect((await db.get(['sum'])).value).toBe(15)
})

it('checks several keys: one that has changed stops the commit', async () => {
  await db.set(['left'], 1)
  await db.set(['right'], 1)
  const [left, right] = await db.getMany([['left'], ['right']])
  await db.set(['right'], 2)
  const result = await db.atomic().check(left).check(right).set(['left'], 9).set(['right'], 9).commit()
  expect(result).toMatchObject({ ok: false, conflicts: [{ key: ['right'] }] })
  expect((await db.get(['left'])).value).toBe(1)
})

it('sums, and keeps the larger and the smaller, of a KvU64 from its own subpath', async () => {
  expect(KvU64OfSubpath).toBe(KvU64)
  await db.set(['hits'], new KvU64OfSubpath(0n))
  await db.atomic().sum(['hits'], 5n).sum(['hits'], -2n).commit()
  await db.atomic().max(['top'], 1_000n).min(['price'], 50n).commit()
  await db.atomic().max(['top'], 900n).min(['price'], 60n).commit()
  const entries = await db.getMany([['hits'], ['top'], ['price']])
  expect(entries.map(({ value }) => (value as KvU64).value)).toEqual([3n, 1_000n, 50n])
})

it('gives a counter that expires while it counts no new lease of life', async () => {
  await db.set(['window'], new KvU64(0n), { expireIn: 400 })
  await db.atomic().sum(['window'], 1n).commit()
  const values: unknown[] = []
  for await (const [{ value }] of db.watch([['window']])) {
    values.push((value as KvU64 | null)?.value)
    if (value === null) break
  }
  expect(values).toEqual([1n, undefined])
})

it('shares a file between two databases, with versionstamps that grow across both', async () => {
  const file = path()
  await using one = await Valkeyrie.open(file)
  await using two = await Valkeyrie.open(file)
  const first = await one.set(['key'], 'of one')
  const second = await two.set(['key'], 'of two')
  expect(second.versionstamp > first.versionstamp).toBe(true)
  expect((await one.get(['key'])).value).toBe('of two')
})

it('claims a listed item for one of those who want it', async () => {
  await db.set(['jobs', 1], 'sweep')
  const claim = async (worker: string) => {
    const [job] = await Array.fromAsync(db.list({ prefix: ['jobs'] }, { limit: 1 }))
    if (job === undefined) return false
    const result = await db.atomic().check(job).delete(job.key).set(['taken', worker], job.value).commit()
    return result.ok
  }
  const claims = await Promise.all([claim('a'), claim('b'), claim('c')])
  expect(claims.filter((claimed) => claimed)).toHaveLength(1)
  expect(await Array.fromAsync(db.list({ prefix: ['jobs'] }))).toEqual([])
  const taken = await Array.fromAsync(db.list({ prefix: ['taken'] }), ({ value }) => value)
  expect(taken).toEqual(['sweep'])
})

it('expires a session, and prolongs it by setting it again', async () => {
  await db.set(['sessions', 's'], { user: 'ann' }, { expireIn: 30 })
  await db.set(['sessions', 't'], { user: 'ben' }, { expireIn: 30 })
  await db.set(['sessions', 't'], { user: 'ben' }, { expireIn: 60_000 })
  for await (const [{ value }] of db.watch([['sessions', 's']])) if (value === null) break
  const left = await Array.fromAsync(db.list({ prefix: ['sessions'] }), ({ key }) => key[1])
  expect(left).toEqual(['t'])
})

it('lists events in the order of their times, and deletes a prefix in a loop', async () => {
  for (const time of [30, 10, 20]) await db.set(['events', 'order', time, `id-${time}`], { time })
  const times = await Array.fromAsync(db.list({ prefix: ['events', 'order'] }), ({ key }) => key[2])
  expect(times).toEqual([10, 20, 30])
  for await (const { key } of db.list({ prefix: ['events'] })) await db.delete(key)
  expect(await Array.fromAsync(db.list({ prefix: ['events'] }))).toEqual([])
})

it('writes a batch in one commit', async () => {
  const batch = db.atomic()
  for (let n = 0; n < 500; n++) batch.set(['items', n], { n })
  expect(await batch.commit()).toMatchObject({ ok: true })
  const stamps = await Array.fromAsync(db.list({ prefix: ['items'] }), ({ versionstamp }) => versionstamp)
  expect([stamps.length, new Set(stamps).size]).toEqual([500, 1])
})
