import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { waitFor } from '../waiting.ts'

/** A program of these tests that runs beside the test, and the messages that it sends. */
export interface Child {
  readonly process: ChildProcess
  /** The next message; rejects when the program ends without one. */
  message<T>(): Promise<T>
  send(message: object | string): void
  /** Resolves to the exit code and signal when the program has ended and its output has been read. */
  readonly ended: Promise<readonly [code: number | null, signal: string | null]>
}

/** Starts a program, named by its path in test/, with these arguments, which it finds as JSON in its first argument. It ends with the test. */
export function startChild(program: string, args: object = {}): Child {
  const child = forkChild(program, args)
  onTestFinished(() => void child.process.kill('SIGKILL'))
  return child
}

/** A program that outlasts the test that starts it. */
export function forkChild(program: string, args: object = {}): Child {
  const path = fileURLToPath(new URL(`../${program}`, import.meta.url))
  const child = fork(path, [JSON.stringify(args)], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const arrived: unknown[] = []
  const waiting: PromiseWithResolvers<unknown>[] = []
  child.on('message', (message) => {
    const next = waiting.shift()
    if (next === undefined) arrived.push(message)
    else next.resolve(message)
  })
  const ended = new Promise<readonly [number | null, string | null]>((resolve) => {
    child.on('close', (code, signal) => {
      for (const next of waiting.splice(0)) next.reject(new Error(`${program} ended: ${code ?? signal}`))
      resolve([code, signal])
    })
  })
  return {
    process: child,
    ended,
    send: (message) => void child.send(message),
    message<T>() {
      if (arrived.length > 0) return Promise.resolve(arrived.shift() as T)
      if (child.exitCode !== null) return Promise.reject(new Error(`${program} has ended: ${child.exitCode}`))
      const next = Promise.withResolvers<unknown>()
      waiting.push(next)
      return waitFor(`a message of ${program}`, next.promise as Promise<T>)
    },
  }
}
