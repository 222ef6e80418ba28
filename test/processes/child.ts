import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { waitFor } from '../waiting.ts'

export interface Child {
  readonly process: ChildProcess
  /** The lines that it has printed so far. */
  readonly lines: string[]
  /** Resolves to its exit code, `null` where a signal ended it. */
  readonly ended: Promise<number | null>
}

/** Starts a program of `fixtures/`, which imports the built package. */
export function start(fixture: string, ...args: string[]): Child {
  const file = fileURLToPath(new URL(`./fixtures/${fixture}.ts`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject).on('close', resolve)
  return { process: child, lines, ended: waitFor(`the end of ${fixture} ${args.join(' ')}`, promise) }
}
