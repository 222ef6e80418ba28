import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { soundFiles } from './damage.ts'

/** What a program has done with a damaged file. */
export interface Worked {
  readonly seed: number
  readonly did: string
  readonly untyped: readonly string[]
  readonly outcome: 'refused' | 'failed' | 'worked'
}

/** Milliseconds without an answer after which a program hangs: a file takes a small part of it, also on a slow machine. */
const patience = 120_000

/**
 * Damages copies of sound files, one for each seed, and runs a program on each. Throws, with the seed, if it crashes, hangs, or
 * meets an undocumented error. Returns how many files had each outcome.
 */
export async function workOnDamagedFiles(
  folder: string,
  seeds: Iterable<number>,
): Promise<Record<Worked['outcome'], number>> {
  mkdirSync(folder, { recursive: true })
  const sound = await soundFiles(folder)
  const path = fileURLToPath(new URL('programs/work.ts', import.meta.url))
  const program = fork(path, [JSON.stringify({ folder, sound })], { execArgv: [] })
  const counted = { refused: 0, failed: 0, worked: 0 }
  try {
    await once(program, 'message')
    for (const seed of seeds) {
      const { did, untyped, outcome } = await answerOf(program, seed)
      if (untyped.length > 0) throw new Error(`seed ${seed} (${did}): ${untyped.join('\n')}`)
      counted[outcome] += 1
    }
    return counted
  } finally {
    program.kill('SIGKILL')
  }
}

function answerOf(program: ChildProcess, seed: number): Promise<Worked> {
  return new Promise((resolve, reject) => {
    const hangs = setTimeout(() => ended('hangs'), patience)
    const exited = (code: number | null, signal: string | null) => ended(`ended with ${code ?? signal}`)
    const ended = (how: string) => {
      clearTimeout(hangs)
      program.off('exit', exited)
      reject(new Error(`the program ${how} at the file of seed ${seed}`))
    }
    program.once('exit', exited)
    program.once('message', (answer: Worked) => {
      clearTimeout(hangs)
      program.off('exit', exited)
      resolve(answer)
    })
    program.send(seed)
  })
}
