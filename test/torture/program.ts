import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { waitFor } from '../waiting.ts'

/** A program of an attack, and what it says, line by line. It is killed when it is disposed of. */
export class Program implements Disposable {
  readonly process: ChildProcess
  /** The whole lines that it has printed so far. */
  readonly lines: string[] = []
  /** Resolves to its exit code, or the signal that has ended it, when all that it has printed is in `lines`. */
  readonly ended: Promise<number | string>
  readonly #name: string
  readonly #waiting = new Set<() => void>()

  /** Starts `programs/<name>.ts`, which finds `args` as JSON in its first argument; `env` is added to its environment. */
  constructor(name: string, args: object, env: NodeJS.ProcessEnv = {}) {
    this.#name = name
    const file = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))
    this.process = spawn(process.execPath, [file, JSON.stringify(args)], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: this.process.stdout! })
    lines.on('line', (line) => {
      this.lines.push(line)
      this.#wake()
    })
    const read = new Promise((resolve) => lines.once('close', resolve))
    this.ended = new Promise((resolve, reject) => {
      this.process.once('error', reject)
      this.process.once('exit', async (code, signal) => {
        await read
        resolve(code ?? signal!)
        this.#wake()
      })
    })
  }

  /** Waits until it has printed this many lines. Rejects if it ends before. */
  async printed(count: number): Promise<void> {
    const look = async () => {
      while (this.lines.length < count) {
        const line = new Promise<void>((resolve) => this.#waiting.add(resolve))
        const end = await Promise.race([line, this.ended])
        if (end !== undefined && this.lines.length < count) {
          throw new Error(`${this.#name} has ended with ${end} after ${this.lines.length} lines`)
        }
      }
    }
    await waitFor(`line ${count} of ${this.#name}`, look())
  }

  tell(line: string): void {
    this.process.stdin!.write(`${line}\n`)
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | string> {
    this.process.kill(signal)
    return waitFor(`the end of ${this.#name} after ${signal}`, this.ended)
  }

  [Symbol.dispose](): void {
    this.process.kill('SIGKILL')
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
