import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Valkeyrie } from 'valkeyrie'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { clock, type Written } from './spaced-writer.ts'

/** How soon a watcher sees what another process commits, in ms, and the share of a core that it takes while nothing happens. */
export interface Noticing {
  readonly median: number
  readonly slowest: number
  readonly idle: number
}

const changes = 1_000

/** `slowest` is the 99th of 100. A change that was overwritten before it was seen has no time of its own. */
export async function measureNoticing(onTask: (task: string) => void): Promise<Noticing> {
  using temporary = temporaryFolder()
  const path = join(temporary.path, 'watched.db')
  const run = async (program: string, ...args: string[]) => {
    const script = fileURLToPath(new URL(program, import.meta.url))
    return (await promisify(execFile)(process.execPath, [script, path, ...args])).stdout
  }
  onTask('changes of another process')
  await using db = await Valkeyrie.open(path)
  const latencies: number[] = []
  const writing = run('spaced-writer.ts', `${changes}`)
  for await (const [{ value }] of db.watch([['watched']])) {
    if (value === null) continue
    const { n, at } = value as Written
    latencies.push(clock() - at)
    if (n === changes) break
  }
  await writing
  latencies.sort((a, b) => a - b)
  const share = (part: number) => latencies[Math.floor((latencies.length - 1) * part)]!
  onTask('an idle watcher')
  return { median: share(0.5), slowest: share(0.99), idle: Number(await run('idle-watcher.ts')) }
}
