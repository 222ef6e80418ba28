// A thread that counts primes, over a connection of its own: one connection is of one thread.
import { threadId, workerData } from 'node:worker_threads'
import { countPrimes, openPrimes, record } from './primes.ts'
import { serve } from './serve.ts'

export interface Task {
  readonly block: number
  /** When the thread that tries it first is to crash. */
  readonly crash?: 'before it writes' | 'after it has written' | undefined
}

/** What nobody catches ends the thread. */
function crash(task: Task): Promise<never> {
  setImmediate(() => {
    throw new Error(`block ${task.block}, ${task.crash}`)
  })
  return new Promise(() => {})
}

await using db = await openPrimes(workerData.path)
await serve(async (task: Task, attempt): Promise<number> => {
  const primes = countPrimes(task.block)
  if (task.crash === 'before it writes' && attempt === 1) await crash(task)
  await record(db, task.block, primes, threadId)
  if (task.crash === 'after it has written' && attempt === 1) await crash(task)
  return primes
})
