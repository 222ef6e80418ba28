import { Worker, type WorkerOptions } from 'node:worker_threads'
import { type Answer, end, type Request } from './message.ts'

/** A report has failed in its thread. */
export class ReportError extends Error {
  override readonly name = 'ReportError'
  /** The code of the error there, as 'QUERY'. */
  readonly code: string | undefined

  constructor({ message, code }: { readonly message: string; readonly code: string | undefined }) {
    super(message)
    this.code = code
  }
}

/** A thread has ended without an answer; the `cause` is why, where it has said so. */
export class ReaderDiedError extends Error {
  override readonly name = 'ReaderDiedError'
}

/** A thread that answers one request at a time. While it has none, it does not keep the process alive. */
export class ReaderThread {
  readonly #worker: Worker
  readonly #exit = Promise.withResolvers<void>()
  #answer: PromiseWithResolvers<unknown> | null = null
  #failure: unknown
  #ended = false

  /** `ended` is called when the thread has ended, for whatever reason. */
  constructor(program: URL, options: WorkerOptions, ended: (thread: ReaderThread) => void) {
    this.#worker = new Worker(program, options)
    this.#worker.unref()
    this.#worker.on('message', (answer: Answer) => this.#answered(answer))
    this.#worker.on('error', (error) => {
      this.#failure = error
    })
    this.#worker.on('exit', (code) => {
      this.#ended = true
      ended(this)
      const why = this.#failure === undefined ? `with code ${code}` : String(this.#failure)
      this.#answer?.reject(new ReaderDiedError(`A reader thread has ended: ${why}`, { cause: this.#failure }))
      this.#exit.resolve()
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Rejects with ReportError when the report fails, and with ReaderDiedError when the thread does. */
  async ask(request: Request): Promise<unknown> {
    if (this.#ended) throw new ReaderDiedError('A reader thread has ended before it was asked')
    const answer = Promise.withResolvers<unknown>()
    this.#answer = answer
    this.#worker.ref()
    try {
      this.#worker.postMessage(request)
      return await answer.promise
    } finally {
      this.#answer = null
      this.#worker.unref()
    }
  }

  /** Lets the thread close its database, and resolves when it has ended. */
  async end(): Promise<void> {
    if (this.#ended) return
    this.#worker.ref()
    this.#worker.postMessage(end)
    await this.#exit.promise
  }

  #answered(answer: Answer): void {
    if (answer.ok) this.#answer?.resolve(answer.value)
    else this.#answer?.reject(new ReportError(answer.error))
  }
}
