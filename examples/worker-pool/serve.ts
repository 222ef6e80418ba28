import { on } from 'node:events'
import { parentPort } from 'node:worker_threads'
import type { Answer, Order } from './messages.ts'

/** Does what the pool asks of this thread, one task after the other, until it is told to end. */
export async function serve<Task, Result>(
  work: (task: Task, attempt: number) => Promise<Result>,
): Promise<void> {
  if (parentPort === null) throw new TypeError('serve runs in a thread of a pool')
  for await (const [order] of on(parentPort, 'message') as AsyncIterable<[Order<Task>]>) {
    if (order === 'end') break
    parentPort.postMessage(await answer(() => work(order.task, order.attempt)))
  }
}

async function answer<Result>(work: () => Promise<Result>): Promise<Answer<Result>> {
  try {
    return { ok: true, result: await work() }
  } catch (error) {
    return { ok: false, error }
  }
}
