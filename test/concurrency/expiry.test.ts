import { KvU64, Valkeyrie } from 'valkeyrie'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'

// The clock is stopped, and the tests advance it; timers are real.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 }))
afterEach(() => void vi.useRealTimers())

const later = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds)

async function open() {
  const db = await Valkeyrie.withSchema(['leases', '*'], z.object({ owner: z.string() }), { name: 'leases' })
    .withSchema(['counters', '*'], z.instanceof(KvU64), { name: 'counters' })
    .open()
  onTestFinished(() => db.close())
  return db
}

type Db = Awaited<ReturnType<typeof open>>

it('sum on a key with an expiry keeps it', async () => {
  const db = await open()
  const { counters } = db.repositories
  await counters.set('a', new KvU64(1n), { expireIn: 1_000 })
  await counters.sum('a', 1n)
  await db.atomic().sum(['counters', 'a'], 1n).max(['counters', 'a'], 2n).min(['counters', 'a'], 9n).commit()
  await db.unitOfWork(async (unit) => void (await unit.repositories.counters.sum('a', 1n)))
  later(999)
  expect((await counters.get('a')).value?.value).toBe(4n)
  later(1)
  expect((await counters.get('a')).value).toBeNull()
  await counters.sum('a', 1n)
  later(10_000)
  expect((await counters.get('a')).value?.value).toBe(1n)
})

it('sum with an expiry of its own sets it', async () => {
  const db = await open()
  const { counters } = db.repositories
  await counters.set('a', new KvU64(1n))
  await counters.sum('a', 1n, { expireIn: 500 })
  later(500)
  expect(await counters.exists('a')).toBe(false)
})

it('a lease that has expired does not pass a check, and a check for nothing passes', async () => {
  const db = await open()
  await db.repositories.leases.set('lock', { owner: 'a' }, { expireIn: 1_000 })
  const lease = await db.get(['leases', 'lock'])
  const renew = () => db.atomic().check(lease).set(['done'], true).commit()
  later(999)
  expect(await renew()).toMatchObject({ ok: true })
  later(1)
  expect(await renew()).toEqual({
    ok: false,
    conflicts: [{ key: ['leases', 'lock'], expected: lease.versionstamp, actual: null }],
  })
  const take = db.atomic().check({ key: ['leases', 'lock'], versionstamp: null })
  expect(await take.set(['leases', 'lock'], { owner: 'b' }).commit()).toMatchObject({ ok: true })
})

type Unit = Parameters<Parameters<Db['unitOfWork']>[0]>[0]

const reads: [string, (unit: Unit) => Promise<unknown>][] = [
  ['get', async (unit) => (await unit.repositories.leases.get('lock')).value?.owner ?? null],
  ['exists', (unit) => unit.repositories.leases.exists('lock')],
  ['getMany', async (unit) => (await unit.getMany([['leases', 'lock']]))[0].value?.owner ?? null],
  ['list', async (unit) => (await Array.fromAsync(unit.repositories.leases.list())).length],
  ['count', (unit) => unit.repositories.leases.count()],
  ['list by prefix', async (unit) => (await Array.fromAsync(unit.list({ prefix: ['leases'] }))).length],
]

it.each(reads)(
  'a row that expires after %s has seen it makes the unit run again before it commits',
  async (_, read) => {
    const db = await open()
    await db.repositories.leases.set('lock', { owner: 'a' }, { expireIn: 1_000 })
    const seen: unknown[] = []
    await db.unitOfWork(async (unit) => {
      seen.push(await read(unit))
      if (seen.length === 1) later(1_000)
      await unit.set(['result'], seen.length)
    })
    expect(seen).toHaveLength(2)
    expect(seen[1]).not.toEqual(seen[0])
    expect((await db.get(['result'])).value).toBe(2)
  },
)

it.each(reads)(
  'a row that expires between two reads with %s exists for both or for neither',
  async (_, read) => {
    const db = await open()
    await db.repositories.leases.set('lock', { owner: 'a' }, { expireIn: 1_000 })
    let attempts = 0
    const seen = await db.unitOfWork(async (unit) => {
      attempts += 1
      const first = await read(unit)
      if (attempts === 1) later(1_000)
      await unit.get(['elsewhere'])
      return [first, await read(unit)]
    })
    expect(attempts).toBe(1)
    expect(seen[0]).toEqual(seen[1])
  },
)

it('a value that is changed in place keeps its expiry, or takes the one that it was given last', async () => {
  const db = await open()
  const { leases } = db.repositories
  for (const id of ['kept', 'touched', 'set', 'freed'])
    await leases.set(id, { owner: 'a' }, { expireIn: 1_000 })
  await db.unitOfWork(async ({ repositories: { leases } }) => {
    const entries = await leases.getMany(['kept', 'touched', 'set', 'freed'])
    await leases.touch('touched', { expireIn: 2_000 })
    await leases.set('set', { owner: 'a' }, { expireIn: 3_000 })
    await leases.touch('freed', { expireIn: null })
    for (const { value } of entries) value!.owner = 'b'
    await Array.fromAsync(leases.list()) // writes what was changed so far
    for (const { value } of entries) value!.owner = 'c'
  })
  const ids = async () =>
    (await Array.fromAsync(leases.list())).map(({ id, value }) => `${id} ${value.owner}`)
  expect(await ids()).toEqual(['freed c', 'kept c', 'set c', 'touched c'])
  later(1_000)
  expect(await ids()).toEqual(['freed c', 'set c', 'touched c'])
  later(1_000)
  expect(await ids()).toEqual(['freed c', 'set c'])
  later(1_000)
  expect(await ids()).toEqual(['freed c'])
})
