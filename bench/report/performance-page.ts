import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { draw } from './chart.ts'
import { formatSection, type Section, table } from './suite.ts'

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))

const introduction = `<!-- Written by \`npm run bench\`, which overwrites it. -->

# Performance

How this library compares, measured in one run of \`npm run bench\` on the machine below. It takes about twenty minutes;
\`npm run bench -- --quick\` takes two, and \`npm run bench get set\` measures these two tasks only. To see which functions take
the time, run \`npx node --expose-gc --cpu-prof bench/run.ts get\` and open the profile that it writes in the developer tools of a browser.

Every contender works on files of its own, with WAL and \`synchronous=NORMAL\` where it has them: what is acknowledged
survives a crash of the process. They take turns, in another order each round, and the first rounds do not count; the slow
do fewer operations in a turn, the slowest fewer rounds. All do the same work with the same values; synchronous calls are made
as they are, promises are awaited, and every answer is compared with what it has to be. A figure is the median of the rounds
with half the distance of the quartiles around it. Blank means that a contender cannot do it.`

/** Writes docs/performance.md and its charts. */
export async function writePerformancePage(sections: readonly Section[]): Promise<void> {
  const folder = `${docs}performance/`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const parts = [introduction]
  for (const section of sections) {
    parts.push(formatSection(section))
    const { chart } = section
    if (chart === undefined) continue
    writeFileSync(`${folder}${chart.name}.svg`, await draw(chart))
    parts.push(`![${chart.description}](performance/${chart.name}.svg)`)
  }
  writeFileSync(`${docs}performance.md`, `${parts.join('\n\n')}\n`)
}

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
