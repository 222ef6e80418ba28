import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A process that answers each message with one of its own, the first unasked when it is ready. */
export class WorkerProcess {
  readonly #process: ChildProcess
  readonly #exit: Promise<never>

  static async start(script: URL, args: readonly string[] = []): Promise<WorkerProcess> {
    const worker = new WorkerProcess(fork(script, args, { serialization: 'advanced' }))
    await worker.#answer()
    return worker
  }

  private constructor(process: ChildProcess) {
    this.#process = process
    this.#exit = once(process, 'exit').then(([code, signal]) => {
      throw new Error(`a process of the measurement has ended (${code ?? signal})`)
    })
    // Ending it is no failure while nobody waits for an answer.
    this.#exit.catch(() => {})
  }

  async ask<T>(message: object | string): Promise<T> {
    this.#process.send(message)
    return (await this.#answer()) as T
  }

  end(): void {
    this.#process.kill()
  }

  async #answer(): Promise<unknown> {
    const [answer] = await Promise.race([once(this.#process, 'message'), this.#exit])
    return answer
  }
}
