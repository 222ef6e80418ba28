import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { WritingOrder, WritingReport } from './writer.ts'

const script = fileURLToPath(new URL('./writer.ts', import.meta.url))

/** A process that writes with one of the contenders when it is told to. */
export class WritingProcess {
  readonly #process: ChildProcess
  readonly #exit: Promise<never>

  static async start(contender: string): Promise<WritingProcess> {
    const writing = new WritingProcess(fork(script, [contender], { serialization: 'advanced' }))
    await writing.#answer()
    return writing
  }

  private constructor(process: ChildProcess) {
    this.#process = process
    this.#exit = once(process, 'exit').then(([code, signal]) => {
      throw new Error(`a writing process has ended (${code ?? signal})`)
    })
    // Ending it is no failure while nobody waits for an answer.
    this.#exit.catch(() => {})
  }

  async open(order: WritingOrder): Promise<void> {
    this.#process.send(order)
    await this.#answer()
  }

  async write(): Promise<WritingReport> {
    this.#process.send('start')
    return (await this.#answer()) as WritingReport
  }

  end(): void {
    this.#process.kill()
  }

  async #answer(): Promise<unknown> {
    const [answer] = await Promise.race([once(this.#process, 'message'), this.#exit])
    return answer
  }
}
