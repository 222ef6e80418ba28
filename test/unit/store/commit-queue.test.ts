import { setImmediate as nextTurn } from 'node:timers/promises'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import type { Catalog } from '../../../src/catalog/catalog.ts'
import { Filing } from '../../../src/commit/filing.ts'
import { begin } from '../../../src/commit/withdrawal.ts'
import type { AtomicWrite } from '../../../src/commit/write.ts'
import type { BatchOutcome, CommitBatch, Driver } from '../../../src/driver/driver.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { Registry } from '../../../src/schema/registry.ts'
import { CommitQueue } from '../../../src/store/commit-queue.ts'
import { Encoding } from '../../../src/value/encoding.ts'

const users = defineSchema(['users', '*'], z.object({ name: z.string() }))

const catalogOf = (version: number, name: string): Catalog => ({
  version,
  past: [],
  collections: [{ name, pattern: ['users', '*'], schema: null, indexes: [], references: {}, migrated: 0 }],
})

const writeOf = (id: string): AtomicWrite => ({
  checks: [],
  mutations: [{ type: 'delete', key: encodeKey(['users', id]) }],
})

it('a write that was queued while others changed the catalogue is filed again', async () => {
  const asked: CommitBatch[] = []
  const { promise: changed, resolve: change } = Promise.withResolvers<void>()
  const commit = async (batch: CommitBatch): Promise<BatchOutcome> => {
    asked.push(batch)
    await changed
    return { type: 'stale', catalog: catalogOf(2, 'people') }
  }
  const filing = new Filing(catalogOf(1, 'users'), new Registry().add(users))
  const queue = new CommitQueue({ commit } as Partial<Driver> as Driver, filing, ':memory:')
  const refused = { code: 'MIGRATION', repository: 'users' }
  const first = expect(queue.submit(writeOf('first'))).rejects.toMatchObject(refused)
  await nextTurn()
  expect(asked).toHaveLength(1)
  const second = expect(queue.submit(writeOf('second'))).rejects.toMatchObject(refused)
  await nextTurn()
  change()
  await Promise.all([first, second])
  expect(asked).toHaveLength(1)
})

it('in the turn of somebody, a claim that waits keeps no later write of the turn from being tried', async () => {
  const tried: string[][] = []
  let isOver = false
  const nameOf = ({ claim, turn }: AtomicWrite) => (claim === undefined ? (turn ?? 'write') : `claim ${turn}`)
  // The write of the turn 'now' ends it; the others wait for that.
  const commit = async ({ writes }: CommitBatch): Promise<BatchOutcome> => {
    tried.push(writes.map(nameOf))
    const outcomes = writes.map((write) => {
      isOver ||= write.turn === 'now'
      return isOver
        ? ({ type: 'committed', version: tried.length, deleted: 0, touched: 0 } as never)
        : ({ type: 'waits', until: 0 } as const)
    })
    return { type: 'done', outcomes, took: 0 }
  }
  const filing = new Filing(catalogOf(1, 'users'), new Registry().add(users))
  const queue = new CommitQueue({ commit } as Partial<Driver> as Driver, filing, ':memory:')
  const claim = { query: {}, since: null, candidates: [] } as never
  await Promise.all([
    queue.submit(writeOf('a')),
    queue.submit({ ...writeOf('b'), claim, turn: 'before' }),
    queue.submit({ ...writeOf('c'), turn: 'now' }),
  ])
  expect(tried.every((names) => names.slice(1).every((name) => !name.startsWith('claim')))).toBe(true)
  expect(tried.flat()).toContain('now')
})

it('a large write is committed alone, in its place', async () => {
  const batches: number[][] = []
  const commit = async ({ writes }: CommitBatch): Promise<BatchOutcome> => {
    batches.push(writes.map(({ mutations }) => mutations.length))
    const outcomes = writes.map(() => ({ type: 'committed', version: 1, touched: 0 }) as const)
    return { type: 'done', outcomes, took: 0 }
  }
  const filing = new Filing(catalogOf(1, 'users'), new Registry().add(users))
  const queue = new CommitQueue({ commit } as Partial<Driver> as Driver, filing, ':memory:')
  const writing = (count: number) => {
    const mutations = Array.from({ length: count }, (_, n) => writeOf(String(n)).mutations[0]!)
    return queue.submit({ checks: [], mutations })
  }
  await Promise.all([1, 256, 257, 300, 2, 3].map(writing))
  expect(batches).toEqual([[1, 256], [257], [300], [2, 3]])
})

/** A queue whose commits last until they are let go; a write of no turn waits while `turn.isOn`. */
function heldQueue() {
  const turn = { isOn: false }
  const held: (() => void)[] = []
  const settled: string[] = []
  const commit = async ({ writes }: CommitBatch): Promise<BatchOutcome> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    held.push(resolve)
    await promise
    const outcomes = writes.map((write) =>
      turn.isOn && write.turn === undefined
        ? ({ type: 'waits', until: 0 } as const)
        : ({ type: 'committed', version: 1, touched: 0 } as const),
    )
    return { type: 'done', outcomes, took: 0 }
  }
  const filing = new Filing(catalogOf(1, 'users'), new Registry().add(users))
  const queue = new CommitQueue({ commit } as Partial<Driver> as Driver, filing, ':memory:')
  return {
    queue,
    turn,
    settled,
    submit: (id: string, write: Partial<AtomicWrite> = {}) =>
      void queue.submit({ ...writeOf(id), ...write }).then(() => settled.push(id)),
    earlier: (name: string, key?: Uint8Array) =>
      void queue.earlier(key)?.then(() => settled.push(`earlier ${name}`)),
    async letGo() {
      held.shift()?.()
      await nextTurn()
    },
  }
}

it('what waits for earlier writes waits for one that waits for the end of a turn', async () => {
  const { queue, turn, settled, submit, earlier, letGo } = heldQueue()
  turn.isOn = true
  submit('outside')
  submit('within', { turn: 'mine' })
  earlier('of outside', encodeKey(['users', 'outside']))
  earlier('of within', encodeKey(['users', 'within']))
  earlier('all')
  await nextTurn()
  await letGo()
  expect(settled).toEqual(['within', 'earlier of within'])
  turn.isOn = false
  while (settled.length < 5) await letGo()
  expect(settled.slice(2)).toEqual(['outside', 'earlier of outside', 'earlier all'])
  expect(queue.earlier()).toBeUndefined()
})

it('what waits for earlier writes waits for those that are being committed, but not for those of other keys', async () => {
  const { queue, settled, submit, earlier, letGo } = heldQueue()
  submit('first')
  await nextTurn()
  submit('second')
  expect(queue.earlier(encodeKey(['users', 'third']))).toBeUndefined()
  earlier('of first', encodeKey(['users', 'first']))
  earlier('all')
  await letGo()
  expect(settled).toEqual(['first', 'earlier of first'])
  while (settled.length < 4) await letGo()
  expect(settled.slice(2)).toEqual(['second', 'earlier all'])
})

it('what waits for earlier writes waits for a task that runs in its turn', async () => {
  const { queue, settled, earlier } = heldQueue()
  const { promise, resolve } = Promise.withResolvers<void>()
  const cleared = queue.inTurn(() => promise).then(() => settled.push('cleared'))
  earlier('of any', encodeKey(['users', 'any']))
  await nextTurn()
  expect(settled).toEqual([])
  resolve()
  await cleared
  await nextTurn()
  expect(settled).toEqual(['cleared', 'earlier of any'])
  expect(queue.earlier()).toBeUndefined()
})

it('to wait for many earlier writes takes no longer for each of many calls', async () => {
  const { queue, submit, letGo } = heldQueue()
  for (let n = 0; n < 1_000; n++) submit(`row ${n}`)
  const waits = Array.from({ length: 1_000 }, (_, n) => queue.earlier(encodeKey(['users', n])))
  expect(new Set(waits).size).toBe(1)
  await nextTurn()
  await letGo()
  while (queue.earlier() !== undefined) await letGo()
  await Promise.all(waits)
})

it('a large write overtakes no earlier one that has waited for the end of a turn', async () => {
  const { turn, settled, submit, letGo } = heldQueue()
  const { mutations } = writeOf('large')
  turn.isOn = true
  submit('small')
  submit('large', { mutations: Array.from({ length: 300 }, () => mutations[0]!) })
  submit('small again')
  await nextTurn()
  await letGo()
  turn.isOn = false
  while (settled.length < 3) await letGo()
  expect(settled).toEqual(['small', 'large', 'small again'])
})

it('writes that are submitted at once share transactions, fewer of them at first, and of large values', async () => {
  const batches: number[] = []
  const commit = async ({ writes }: CommitBatch): Promise<BatchOutcome> => {
    batches.push(writes.length)
    const outcomes = writes.map((_, n) => ({ type: 'committed', version: n, touched: 0 }) as const)
    return { type: 'done', outcomes, took: 0 }
  }
  const filing = new Filing(catalogOf(1, 'users'), new Registry().add(users))
  const queue = new CommitQueue({ commit } as Partial<Driver> as Driver, filing, ':memory:')
  const setting = (id: number, length: number): AtomicWrite => {
    const stored = {
      value: JSON.stringify('x'.repeat(length)),
      encoding: Encoding.json,
      types: null,
    } as const
    return { checks: [], mutations: [{ type: 'set', key: encodeKey(['a', id]), collection: null, stored }] }
  }
  await Promise.all(Array.from({ length: 100 }, (_, id) => queue.submit(setting(id, 10))))
  expect(batches).toEqual([100])
  batches.length = 0
  // Nobody knows yet how long rows take.
  await Promise.all(Array.from({ length: 1_000 }, (_, id) => queue.submit(setting(id, 10))))
  expect(batches[0]).toBeLessThan(500)
  batches.length = 0
  await Promise.all(Array.from({ length: 100 }, (_, id) => queue.submit(setting(id, 400_000))))
  expect(Math.max(...batches)).toBeLessThan(50)
  expect(batches.reduce((sum, writes) => sum + writes, 0)).toBe(100)
})

it('a write that an engine has begun, but which then waits for the end of a turn, is not written if it is aborted meanwhile', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  let tries = 0
  const commit = async ({ writes }: CommitBatch): Promise<BatchOutcome> => {
    tries += 1
    writes.forEach(begin)
    controller.abort(reason)
    return { type: 'done', outcomes: writes.map(() => ({ type: 'waits', until: 0 })), took: 0 }
  }
  const filing = new Filing(catalogOf(1, 'users'), new Registry().add(users))
  const queue = new CommitQueue({ commit } as Partial<Driver> as Driver, filing, ':memory:')
  const withdrawal = { signal: controller.signal, hasBegun: false }
  await expect(queue.submit({ ...writeOf('a'), withdrawal })).rejects.toBe(reason)
  expect(tries).toBe(1)
})
