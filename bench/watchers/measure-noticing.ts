import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Valkeyrie } from 'valkeyrie'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { quantile } from '../harness/timing.ts'
import { clock, type Written } from './spaced-writer.ts'

/** How soon a watcher sees what another process commits, in ms; `slowest` is the 99th of 100. */
export interface Noticed {
  readonly median: number
  readonly slowest: number
}

/** The share of a core that a watcher takes while nothing happens as well. */
export interface Noticing extends Noticed {
  readonly idle: number
}

const run = async (program: string, ...args: string[]) => {
  const script = fileURLToPath(new URL(program, import.meta.url))
  return (await promisify(execFile)(process.execPath, [script, ...args])).stdout
}

export async function measureNoticing(onTask: (task: string) => void): Promise<Noticing> {
  using temporary = temporaryFolder()
  const path = join(temporary.path, 'watched.db')
  onTask('changes of another process')
  const noticed = await noticeChanges(path, 1_000)
  onTask('an idle watcher')
  return { ...noticed, idle: Number(await run('idle-watcher.ts', path)) }
}

/** Has another process make so many changes. One that was overwritten before it was seen has no time of its own. */
export async function noticeChanges(path: string, changes: number): Promise<Noticed> {
  await using db = await Valkeyrie.open(path)
  const latencies: number[] = []
  const writing = run('spaced-writer.ts', path, `${changes}`)
  for await (const [{ value }] of db.watch([['watched']])) {
    if (value === null) continue
    const { n, at } = value as Written
    latencies.push(clock() - at)
    if (n === changes) break
  }
  await writing
  latencies.sort((a, b) => a - b)
  return { median: quantile(latencies, 0.5), slowest: quantile(latencies, 0.99) }
}
