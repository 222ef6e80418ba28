import { availableParallelism } from 'node:os'
import type { WorkerOptions } from 'node:worker_threads'
import { DatabaseClosedError } from 'valkeyrie'
import type { Request } from './message.ts'
import { ReaderDiedError, ReaderThread } from './reader-thread.ts'

/** The part of a report that its caller gives, and what the report gives. */
type Arguments<Report> = Report extends (db: never, ...args: infer Args) => unknown ? Args : never
type Result<Report> = Report extends (...args: never[]) => Promise<infer Value> ? Value : never

export interface PoolOptions extends WorkerOptions {
  /** The most threads. Default: one less than the machine runs at a time, and at least 2. */
  readonly threads?: number
}

const attempts = 2

/**
 * Threads that read. Each has a connection of its own, and so can read while another reads or writes; a long query holds
 * up its thread, and not the event loop of this one. They are started when they are needed; one that dies is replaced.
 */
export class ReaderPool<Reports> implements AsyncDisposable {
  readonly #program: URL
  readonly #most: number
  readonly #options: WorkerOptions
  readonly #threads = new Set<ReaderThread>()
  readonly #free: ReaderThread[] = []
  readonly #waiting: PromiseWithResolvers<ReaderThread>[] = []
  readonly #asked = new Set<Promise<unknown>>()
  #closing: Promise<void> | null = null

  /** `program`: what a thread runs; it ends with `answerRequests`. The options are those of a Worker. */
  constructor(program: URL, options: PoolOptions = {}) {
    const { threads = Math.max(2, availableParallelism() - 1), ...workerOptions } = options
    if (!Number.isSafeInteger(threads) || threads < 1) {
      throw new RangeError(`threads is a whole number from 1 on (got ${threads})`)
    }
    this.#program = program
    this.#most = threads
    this.#options = workerOptions
  }

  /** How many threads there are. */
  get size(): number {
    return this.#threads.size
  }

  /**
   * Asks for a report. It is given to one thread after the other as they are free, in the order in which it was asked.
   *
   * Rejects with ReportError when the report fails. When its thread dies another one is asked, since a report only reads;
   * when that dies too, it is likely to be on account of it, and it rejects with ReaderDiedError.
   */
  async ask<Name extends keyof Reports & string>(
    name: Name,
    ...args: Arguments<Reports[Name]>
  ): Promise<Result<Reports[Name]>> {
    if (this.#closing !== null) throw new DatabaseClosedError()
    const answer = this.#answerTo({ name, args })
    this.#asked.add(answer)
    try {
      return (await answer) as Result<Reports[Name]>
    } finally {
      this.#asked.delete(answer)
    }
  }

  /** Takes no more requests, waits for the answers to those it has taken, and ends the threads. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #answerTo(request: Request): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const thread = await this.#take()
      try {
        return await thread.ask(request)
      } catch (error) {
        if (!(error instanceof ReaderDiedError) || attempt === attempts) throw error
      } finally {
        this.#giveBack(thread)
      }
    }
  }

  async #take(): Promise<ReaderThread> {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#threads.size < this.#most) return this.#start()
    const waiting = Promise.withResolvers<ReaderThread>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  #giveBack(thread: ReaderThread): void {
    const next = this.#waiting.shift()
    if (next === undefined) {
      if (!thread.ended) this.#free.push(thread)
    } else {
      next.resolve(thread.ended ? this.#start() : thread)
    }
  }

  #start(): ReaderThread {
    const thread = new ReaderThread(this.#program, this.#options, () => {
      this.#threads.delete(thread)
      const place = this.#free.indexOf(thread)
      if (place >= 0) this.#free.splice(place, 1)
    })
    this.#threads.add(thread)
    return thread
  }

  async #close(): Promise<void> {
    while (this.#asked.size > 0) await Promise.allSettled(this.#asked)
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }
}
