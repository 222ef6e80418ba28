import { Worker } from 'node:worker_threads'
import type { Answer, Order } from './messages.ts'

export interface ThreadPoolOptions {
  /** The most threads at a time. */
  readonly size: number
  /** What each thread finds as its `workerData`. */
  readonly workerData?: unknown
  /** How many threads a task may bring down before it is given up. Default 3. */
  readonly attempts?: number
  /** Is told of each thread that has crashed. */
  readonly onCrash?: (error: unknown) => void
}

/** Each thread that has tried the task has crashed; `cause` is why the last one did. */
export class ThreadCrashedError extends Error {
  override readonly name = 'ThreadCrashedError'

  constructor(attempts: number, cause: unknown) {
    super(`${attempts} threads have crashed with this task`, { cause })
  }
}

interface Pending<Task, Result> {
  readonly task: Task
  readonly answered: PromiseWithResolvers<Result>
  attempts: number
}

/**
 * Divides tasks among threads: a thread that is done with one gets the next, so nobody waits for the slowest. One that crashes is
 * replaced, and its task is done again: tasks have to be such that half of one, or one done twice, does no harm.
 */
export class ThreadPool<Task, Result> implements AsyncDisposable {
  readonly #program: string | URL
  readonly #options: ThreadPoolOptions
  readonly #threads = new Map<Worker, Promise<void>>()
  readonly #idle: Worker[] = []
  readonly #busy = new Map<Worker, Pending<Task, Result>>()
  readonly #waiting: Pending<Task, Result>[] = []
  #closed = false

  /** `program` is a file whose thread calls `serve`. Threads are started when there is something to do. */
  constructor(program: string | URL, options: ThreadPoolOptions) {
    this.#program = program
    this.#options = options
  }

  /** Resolves to what the thread has made of the task. Rejects with what it threw, or with ThreadCrashedError. */
  async run(task: Task): Promise<Result> {
    if (this.#closed) throw new TypeError('This pool is closed')
    const pending = { task, answered: Promise.withResolvers<Result>(), attempts: 0 }
    this.#waiting.push(pending)
    this.#assign()
    return pending.answered.promise
  }

  /** Finishes what was asked of the pool, and ends the threads. */
  async close(): Promise<void> {
    this.#closed = true
    for (;;) {
      const [pending] = [...this.#busy.values(), ...this.#waiting]
      if (pending === undefined) break
      await pending.answered.promise.catch(() => {}) // whoever has asked for it is told
    }
    for (const thread of this.#threads.keys()) this.#tell(thread, 'end')
    await Promise.all(this.#threads.values())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #assign(): void {
    while (this.#waiting.length > 0) {
      const hasRoom = this.#threads.size < this.#options.size
      const thread = this.#idle.pop() ?? (hasRoom ? this.#start() : undefined)
      if (thread === undefined) return
      const pending = this.#waiting.shift()!
      pending.attempts += 1
      try {
        this.#tell(thread, { task: pending.task, attempt: pending.attempts })
        this.#busy.set(thread, pending)
      } catch (error) {
        // The task cannot be sent, as a function cannot.
        this.#idle.push(thread)
        pending.answered.reject(error)
      }
    }
  }

  #tell(thread: Worker, order: Order<Task>): void {
    thread.postMessage(order)
  }

  #start(): Worker {
    const thread = new Worker(this.#program, { workerData: this.#options.workerData })
    const ended = Promise.withResolvers<void>()
    this.#threads.set(thread, ended.promise)
    let reason: unknown
    thread.on('message', (answer: Answer<Result>) => this.#answered(thread, answer))
    thread.on('error', (error) => {
      reason = error
    })
    thread.on('exit', (code) => {
      this.#exited(thread, code, reason ?? new Error(`The thread has ended with code ${code}`))
      ended.resolve()
    })
    return thread
  }

  #answered(thread: Worker, answer: Answer<Result>): void {
    const pending = this.#busy.get(thread)!
    this.#busy.delete(thread)
    this.#idle.push(thread)
    if (answer.ok) pending.answered.resolve(answer.result)
    else pending.answered.reject(answer.error)
    this.#assign()
  }

  #exited(thread: Worker, code: number, reason: unknown): void {
    const pending = this.#busy.get(thread)
    this.#threads.delete(thread)
    this.#busy.delete(thread)
    if (this.#idle.includes(thread)) this.#idle.splice(this.#idle.indexOf(thread), 1)
    if (code !== 0 || pending !== undefined) this.#options.onCrash?.(reason)
    if (pending !== undefined) {
      const { attempts = 3 } = this.#options
      if (pending.attempts < attempts) this.#waiting.unshift(pending)
      else pending.answered.reject(new ThreadCrashedError(attempts, reason))
    }
    this.#assign()
  }
}
