import fc from 'fast-check'
import { KvU64, ValidationError, Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'

async function open(options = {}) {
  const db = await Valkeyrie.withSchema(['items', '*'], z.object({ n: z.int() }), { name: 'items' })
    .withSchema(
      ['slow', '*'],
      z.number().refine(async (n) => n > 0, 'must be above 0'),
      { name: 'slow' },
    )
    .open(undefined, options)
  onTestFinished(() => db.close())
  return db
}

const u64 = (entry: { readonly value: unknown }) => (entry.value as KvU64 | null)?.value ?? null

it('100,000 mutations are one commit', async () => {
  const db = await open()
  const operation = db.atomic()
  for (let i = 0; i < 100_000; i++) operation.set(['many', i], i)
  const result = await operation.commit()
  expect(result.ok).toBe(true)
  const [first, last] = await db.getMany([
    ['many', 0],
    ['many', 99_999],
  ])
  expect([first.value, last.value]).toEqual([0, 99_999])
  expect(result).toEqual({ ok: true, versionstamp: first.versionstamp })
  expect(last.versionstamp).toBe(first.versionstamp)
})

it('a commit with more checks and mutations than the limit is refused', async () => {
  const db = await open({ limits: { commitOperations: 3 } })
  const full = db
    .atomic()
    .check({ key: ['a'], versionstamp: null })
    .set(['a'], 1)
    .set(['b'], 1)
  await expect(full.set(['c'], 1).commit()).rejects.toThrow(RangeError)
  expect((await db.get(['a'])).value).toBeNull()
})

it('conflicts name each key with the expected and the found versionstamp', async () => {
  const db = await open()
  await db.set(['a'], 1)
  const a = await db.get(['a'])
  const b = await db.get(['b'])
  await db.set(['b'], 1)
  await db.delete(['a'])
  const now = await db.get(['b'])
  const result = await db.atomic().check(a, b).check(now).set(['c'], 1).delete(['b']).commit()
  expect(result).toEqual({
    ok: false,
    conflicts: [
      { key: ['a'], expected: a.versionstamp, actual: null },
      { key: ['b'], expected: null, actual: now.versionstamp },
    ],
  })
  expect((await db.getMany([['b'], ['c']])).map(({ value }) => value)).toEqual([1, null])
})

it('every value is validated before anything is written, by asynchronous schemas too', async () => {
  const db = await open()
  const bad = [
    () => db.atomic().set(['a'], 1).set(['items', 'x'], { n: 0.5 }).commit(),
    () => db.atomic().set(['a'], 1).set(['slow', 'x'], 1).set(['slow', 'y'], -1).commit(),
  ]
  for (const commit of bad) await expect(commit()).rejects.toThrow(ValidationError)
  expect(await Array.fromAsync(db.list({ prefix: [] }))).toEqual([])
  const good = await db.atomic().set(['a'], 1).set(['slow', 'x'], 1).commit()
  expect(good.ok).toBe(true)
  expect(await Array.fromAsync(db.list({ prefix: [] }))).toHaveLength(2)
})

it('a failure is never reported as a conflict, whatever else the commit contains', async () => {
  const db = await open()
  await db.set(['text'], 'text')
  const never = { key: ['text'], versionstamp: '00000000000000000fff' }
  const bad: (() => Promise<unknown>)[] = [
    async () =>
      db
        .atomic()
        .set(['a'], () => {})
        .commit(),
    async () => db.atomic().sum(['text'], 1n).commit(),
    async () => db.atomic().set(['a'], 1).sum(['missing'], -1n).commit(),
    async () =>
      db
        .atomic()
        .check(never)
        .sum(['a'], 2n ** 64n)
        .commit(),
    async () =>
      db
        .atomic()
        .check({ key: ['a'], versionstamp: 'no' })
        .commit(),
    async () => db.atomic().check(never).set(['a'], 1, { expireIn: -1 }).commit(),
    async () =>
      db
        .atomic()
        .check(never)
        .set(['*'], 1 as never)
        .commit(),
    async () =>
      db
        .atomic()
        .mutate({ type: 'increase', key: ['a'], value: 1n } as never)
        .commit(),
    async () =>
      db
        .atomic()
        .max(['a'], 1 as never)
        .commit(),
  ]
  for (const commit of bad) await expect(commit(), String(commit)).rejects.toThrow()
  expect((await Array.fromAsync(db.list({ prefix: [] }))).map(({ key }) => key)).toEqual([['text']])
})

it('an operation commits only once, and takes nothing afterwards', async () => {
  const db = await open()
  const operation = db.atomic().set(['a'], 1)
  const committed = operation.commit()
  expect(() => operation.set(['b'], 1)).toThrow(/takes nothing after its commit/)
  expect(() => operation.check({ key: ['b'], versionstamp: null })).toThrow(/takes nothing after its commit/)
  await expect(operation.commit()).rejects.toThrow(/commits only once/)
  expect(await committed).toMatchObject({ ok: true })
  expect((await db.get(['b'])).value).toBeNull()
})

it('mutations apply in their order, each to what those before have left', async () => {
  const db = await open()
  const n = (value: bigint) => new KvU64(value)
  const result = await db
    .atomic()
    .sum(['a'], 5n)
    .sum(['a'], -2n)
    .max(['a'], n(10n))
    .min(['a'], 7n)
    .set(['b'], n(1n))
    .delete(['b'])
    .sum(['b'], 3n)
    .mutate({ type: 'sum', key: ['c'], value: 2n ** 64n - 1n }, { type: 'sum', key: ['c'], value: 3n })
    .commit()
  expect(result.ok).toBe(true)
  const entries = await db.getMany([['a'], ['b'], ['c']])
  expect(entries.map(u64)).toEqual([7n, 3n, 2n])
  expect(new Set(entries.map(({ versionstamp }) => versionstamp)).size).toBe(1)
})

it('sum(key, -5n) on 3 throws and changes nothing', async () => {
  const db = await open()
  await db.set(['three'], new KvU64(3n))
  const before = await db.get(['three'])
  const commit = db.atomic().set(['other'], 1).sum(['three'], -5n).commit()
  await expect(commit).rejects.toThrow(RangeError)
  expect(await db.get(['three'])).toEqual(before)
  expect((await db.get(['other'])).value).toBeNull()
})

it('a series of sums, maxima and minima has the same result as in JavaScript', async () => {
  const operand = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  const step = fc.tuple(fc.constantFrom('sum' as const, 'max' as const, 'min' as const), operand)
  const db = await open()
  let key = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      async (steps, together) => {
        key += 1
        let expected: bigint | null = null
        let operation = db.atomic()
        for (const [type, n] of steps) {
          operation[type](['counter', key], n)
          const current: bigint | null = expected
          if (type === 'sum') expected = BigInt.asUintN(64, (current ?? 0n) + n)
          else if (current === null) expected = n
          else expected = (type === 'max') === n > current ? n : current
          if (together) continue
          await operation.commit()
          operation = db.atomic()
        }
        if (together) await operation.commit()
        expect(u64(await db.get(['counter', key]))).toBe(expected)
      },
    ),
  )
})
