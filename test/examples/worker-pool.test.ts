import { Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFailed } from 'vitest'
import { openPrimes } from '../../examples/worker-pool/primes.ts'
import { ThreadCrashedError, ThreadPool } from '../../examples/worker-pool/thread-pool.ts'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { newDatabasePath } from '../concurrency/temporary-folder.ts'
import { extent } from '../extent.ts'
import type { PoolTask } from './programs/pool-thread.ts'
import { enginesOf, runExample } from './run-example.ts'

const program = new URL('./programs/pool-thread.ts', import.meta.url)

it.each(enginesOf('worker-pool'))(
  'threads share the work, and one that crashes, before it has written or after, is replaced, on %s',
  async (engine) => {
    const output = await runExample('worker-pool', engine)
    expect(output).toMatch(/^A thread has crashed: block 3, before it writes$/m)
    expect(output).toMatch(/^A thread has crashed: block 8, after it has written$/m)
    expect(output).toMatch(/^The threads tell of 78498 primes below 1000000\.$/m)
    expect(output).toMatch(/^The file says 78498, in 20 blocks:$/m)
    expect(output).toMatch(/^thread \d+ has counted \d+, thread \d+ has counted/m)
  },
)

it('threads that die at any moment lose nothing, and count nothing twice', async () => {
  const seed = seedOfThisRun()
  onTestFailed(() => console.error(`replay with VALKEYRIE_SEED=${seed}`))
  const random = randomOf(seed)
  const path = newDatabasePath()
  await using db = await openPrimes(path)
  const crashes: unknown[] = []
  const blocks = extent('blocks', 200, 400)
  const deaths = new Map(Array.from({ length: 6 }, () => [Math.floor(random() * blocks), random() * 4]))
  const tasks = Array.from({ length: blocks }, (_, block): PoolTask => {
    return { do: 'count', block, diesAfter: deaths.get(block) ?? null }
  })
  await using pool = new ThreadPool<PoolTask, number>(program, {
    size: 3,
    workerData: { path },
    attempts: deaths.size + 1,
    onCrash: (error) => crashes.push(error),
  })
  await Promise.all(tasks.map((task) => pool.run(task)))
  expect(crashes.length).toBeGreaterThan(0)
  expect(await db.repositories.blocks.count()).toBe(blocks)
  expect((await db.repositories.totals.get('primes')).value?.value).toBe(BigInt(blocks))
})

it('a task that throws fails, and its thread goes on', async () => {
  await using pool = new ThreadPool<PoolTask, number>(program, { size: 1, workerData: {} })
  const [thread, error, same] = await Promise.all([
    pool.run({ do: 'tell' }),
    pool.run({ do: 'throw' }).catch((error) => error),
    pool.run({ do: 'tell' }),
  ])
  expect(error).toBeInstanceOf(RangeError)
  expect(error.message).toBe('not this one')
  expect(same).toBe(thread)
})

it('a task that brings down each thread is given up, and the others are done', async () => {
  const crashes: unknown[] = []
  await using pool = new ThreadPool<PoolTask, number>(program, {
    size: 1,
    workerData: {},
    attempts: 2,
    onCrash: (error) => crashes.push(error),
  })
  const [before, ...results] = await Promise.allSettled([
    pool.run({ do: 'tell' }),
    pool.run({ do: 'exit', code: 7 }),
    pool.run({ do: 'exit', code: 0 }),
    pool.run({ do: 'tell' }),
  ])
  expect(before.status).toBe('fulfilled')
  const given = { status: 'rejected', reason: expect.any(ThreadCrashedError) }
  expect(results).toEqual([given, given, { status: 'fulfilled', value: expect.any(Number) }])
  const causes = results.slice(0, 2).map((result) => (result as PromiseRejectedResult).reason.cause.message)
  expect(causes).toEqual(['The thread has ended with code 7', 'The thread has ended with code 0'])
  expect(crashes.length).toBe(4)
})

it('a program that fails to start is not restarted forever', async () => {
  await using pool = new ThreadPool<PoolTask, number>(new URL('./nothing.ts', import.meta.url), { size: 2 })
  await expect(pool.run({ do: 'tell' })).rejects.toThrow(ThreadCrashedError)
})

it('a task that cannot be sent fails, and its thread goes on', async () => {
  await using pool = new ThreadPool<unknown, number>(program, { size: 1, workerData: {} })
  await expect(pool.run({ do: () => {} })).rejects.toThrow(DOMException)
  expect(await pool.run({ do: 'tell' })).toEqual(expect.any(Number))
})

it('finishes what was asked before it closes, and takes nothing after', async () => {
  const pool = new ThreadPool<PoolTask, number>(program, { size: 2, workerData: {} })
  const asked = Array.from({ length: 10 }, () => pool.run({ do: 'tell' }))
  await pool.close()
  expect((await Promise.all(asked)).length).toBe(10)
  await expect(pool.run({ do: 'tell' })).rejects.toThrow('This pool is closed')
  await pool.close()
})

it('a connection is of one thread: it cannot be sent to another', async () => {
  await using db = await Valkeyrie.open()
  expect(() => structuredClone(db)).toThrow(
    'a database stays in its thread: open the file in the other thread',
  )
})
