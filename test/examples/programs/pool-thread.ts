// Does what a task says, or dies of it: the threads of worker-pool.test.ts.
import { threadId, workerData } from 'node:worker_threads'
import { openPrimes, record } from '../../../examples/worker-pool/primes.ts'
import { serve } from '../../../examples/worker-pool/serve.ts'

export type PoolTask =
  | { readonly do: 'tell' }
  | { readonly do: 'throw' }
  | { readonly do: 'exit'; readonly code: number }
  | { readonly do: 'count'; readonly block: number; readonly diesAfter: number | null }

const { path } = workerData as { readonly path?: string }
// Most of the tests are about the threads alone.
await using db = path === undefined ? null : await openPrimes(path)
await serve(async (task: PoolTask, attempt): Promise<number> => {
  if (task.do === 'throw') throw new RangeError('not this one')
  if (task.do === 'exit') process.exit(task.code)
  if (task.do === 'count') {
    if (task.diesAfter !== null && attempt === 1) setTimeout(() => process.exit(1), task.diesAfter)
    await record(db!, task.block, 1, threadId)
  }
  return threadId
})
