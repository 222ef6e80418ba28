import os from 'node:os'
import Database from 'better-sqlite3'

/** What the figures depend on. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memory: string
  readonly system: string
  readonly node: string
  readonly sqlite: string
}

export function thisMachine(): Machine {
  const cpus = os.cpus()
  return {
    processor: cpus[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release().match(/^[\d.]+/)?.[0] ?? ''}, ${os.arch()}`,
    node: process.versions.node,
    sqlite: new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get() as string,
  }
}
