import type { Command } from 'commander'
import type { DatabaseStats } from '../driver/stats.ts'
import { inspectDatabase } from '../open.ts'
import { example } from './data-commands.ts'
import { interrupted, print } from './terminal.ts'

/** Adds the commands that tell how a database is. */
export function addHealthCommands(program: Command): void {
  program
    .command('stats')
    .description('how many rows and bytes a database has, and where')
    .argument('<database>', 'its file')
    .option('--json', 'as JSON, as db.stats() gives it')
    .addHelpText('after', example('valkeyrie stats app.db'))
    .action(async (database: string, { json = false }: { readonly json?: boolean }) => {
      const { signal, end } = interrupted()
      await using db = await inspectDatabase(database, { readOnly: true })
      try {
        const stats = await db.stats({ signal })
        print(json ? JSON.stringify(stats) : statsText(stats))
      } finally {
        end()
      }
    })
}

function statsText({ repositories, indexes, log, expiring, file, newest }: DatabaseStats): string {
  return [
    table(
      'repository',
      'rows',
      'bytes',
      repositories.map((it) => [it.repository ?? '(none)', it.rows, it.bytes]),
    ),
    table(
      'index',
      '',
      'bytes',
      indexes.map(({ name, bytes }) => [name, '', bytes ?? '']),
    ),
    table('', '', 'bytes', [
      ['file', '', file.bytes],
      ['of it free', '', file.freeBytes],
      ['write-ahead log', '', file.walBytes],
      ['page cache of a connection', '', file.cacheBytes],
      [`log of ${number(log.rows)} commits`, '', log.bytes],
    ]),
    `newest versionstamp ${newest ?? 'none'}, oldest in the log ${log.oldest ?? 'none'}`,
    `expired ${number(expiring.expired)}; expiring in a minute ${number(expiring.minute)}, an hour ${number(expiring.hour)}, a day ${number(expiring.day)}`,
  ].join('\n')
}

type Cell = string | number

function table(
  name: string,
  middle: string,
  last: string,
  rows: readonly (readonly [string, Cell, Cell])[],
): string {
  const cells = [[name, middle, last] as const, ...rows].map((row) => row.map(number))
  const widths = [0, 1, 2].map((i) => Math.max(...cells.map((row) => row[i]!.length)))
  const lines = cells.map(
    ([a, b, c]) => `${a!.padEnd(widths[0]!)}  ${b!.padStart(widths[1]!)}  ${c!.padStart(widths[2]!)}`,
  )
  return `${lines.join('\n')}\n`
}

function number(cell: Cell): string {
  return typeof cell === 'number' ? cell.toLocaleString('en') : cell
}
