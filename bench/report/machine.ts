import os from 'node:os'
import Database from 'better-sqlite3'
import type { Section } from './suite.ts'
import { table } from './table.ts'

/** What the figures depend on. */
export function machineSection(): Section {
  const sqlite = new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get()
  return {
    title: 'Machine',
    blocks: [
      table(
        ['processor', 'cores', 'memory', 'system', 'Node.js', 'SQLite'],
        [
          [
            os.cpus()[0]?.model.trim() ?? 'unknown',
            `${os.availableParallelism()}`,
            `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
            `${os.type()} ${os.release().match(/^[\d.]+/)?.[0] ?? ''}, ${os.arch()}`,
            process.versions.node,
            `${sqlite} (better-sqlite3)`,
          ],
        ],
      ),
    ],
  }
}
