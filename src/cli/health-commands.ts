import type { Command } from 'commander'
import type { Diagnosis } from '../api/diagnosis.ts'
import { inspectDatabase } from '../api/open.ts'
import type { DatabaseStats } from '../driver/stats.ts'
import type { Repair } from '../driver/verification.ts'
import { fileOf, locate } from '../engines/engines.ts'
import { rowsText } from '../migration/losses.ts'
import { databaseText, example, interrupted, print } from './terminal.ts'

/** The command has reported what is wrong. */
const exitUnsound = 2

interface DoctorFlags {
  readonly repair?: boolean
  readonly json?: boolean
}

/** Adds the commands that report the state of a database. */
export function addHealthCommands(program: Command): void {
  addStats(program)
  addDoctor(program)
}

function addStats(program: Command): void {
  program
    .command('stats')
    .description('show how many rows and bytes a database has, and where')
    .argument('<database>', databaseText)
    .option('--json', 'print the result of db.stats() as JSON')
    .addHelpText('after', example('valkeyrie stats app.db'))
    .action(async (database: string, { json = false }: { readonly json?: boolean }) => {
      const { signal, end } = interrupted()
      await using db = await inspectDatabase(database, { readOnly: true })
      try {
        const stats = await db.stats({ signal })
        print(json ? JSON.stringify(stats) : statsText(stats, fileOf(locate(database)) !== null))
      } finally {
        end()
      }
    })
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('read all of a database, and say what is wrong and what to do')
    .argument('<database>', databaseText)
    .option(
      '--repair',
      'copy the file, then rebuild indexes, and file rows where they belong; PostgreSQL has its own tools',
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      example(
        'valkeyrie doctor app.db',
        `Exit code: 0 if all is well, ${exitUnsound} if something is wrong, 1 if it failed.`,
      ),
    )
    .action(async (database: string, { repair: asked = false, json = false }: DoctorFlags) => {
      const { diagnose, repair } = await import('../api/diagnosis.ts')
      const { signal, end } = interrupted()
      try {
        const before = await diagnose(database, { signal })
        const repaired = asked && !before.sound ? await repair(database) : null
        const now = repaired === null ? before : await diagnose(database, { signal })
        if (json) print(JSON.stringify(repaired === null ? now : { ...now, repaired }))
        else print([...(repaired === null ? [] : [repairText(repaired)]), diagnosisText(now)].join('\n'))
        if (!now.sound) process.exitCode = exitUnsound
      } finally {
        end()
      }
    })
}

function commitsText(count: number): string {
  return count === 1 ? '1 commit' : `${number(count)} commits`
}

function diagnosisText({ sound, findings, counts, advice, rows, commits }: Diagnosis): string {
  const read = `${rowsText(rows)} and ${commitsText(commits)} were read`
  if (sound) return `All is well: ${read}.`
  const lines = Object.entries(counts).flatMap(([kind, count]) => {
    const told = findings.filter((finding) => finding.kind === kind)
    const more = count - told.length
    return [
      `${kind}: ${number(count)}`,
      ...told.map(({ key, version, message }) => `  ${[key ?? version, message].filter(Boolean).join(': ')}`),
      ...(more > 0 ? [`  and ${number(more)} more`] : []),
      `  → ${advice[kind]}`,
    ]
  })
  return [...lines, `${read}.`].join('\n')
}

function repairText({ backup, rebuilt, built, filed, failed }: Repair): string {
  const done =
    backup === null
      ? ['Nothing was repaired: the file is as it was.']
      : [
          `The file before the repair: ${backup}`,
          `Rebuilt ${number(rebuilt)} indexes, built ${built.length === 0 ? 'none that was missing' : built.join(', ')}, filed ${number(filed)} rows.`,
        ]
  return [...done, ...failed].join('\n')
}

function statsText(
  { repositories, indexes, log, expiring, file, newest }: DatabaseStats,
  isFile: boolean,
): string {
  const sizes: [string, '', number][] = isFile
    ? [
        ['file', '', file.bytes],
        ['of it free', '', file.freeBytes],
        ['write-ahead log', '', file.walBytes],
        ['page cache of a connection', '', file.cacheBytes],
      ]
    : [['tables and indexes', '', file.bytes]]

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
    table('', '', 'bytes', [...sizes, [`log of ${commitsText(log.rows)}`, '', log.bytes]]),
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
