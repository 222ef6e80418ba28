import { existsSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import type { Copied } from '../api/copy-database.ts'
import { locate, locateFile } from '../engines/engines.ts'
import { rowsText } from '../migration/losses.ts'
import {
  databaseText,
  example,
  interrupted,
  print,
  terminalReport,
  type WaitFlag,
  waitOption,
} from './terminal.ts'

const exitCode = 'Exit code: 0 if it is done, 1 if it is not and nothing has changed.'

/** The flags of commands that copy a database. */
interface CopyFlags extends WaitFlag {
  readonly overwrite?: boolean
  readonly json?: boolean
}

interface RestoreFlags extends WaitFlag {
  readonly keep: boolean
  readonly json?: boolean
}

/** Adds the commands that copy a database and restore a copy. */
export function addBackupCommands(program: Command): void {
  addBackup(program)
  addCopy(program)
  addRestore(program)
}

function addBackup(program: Command): void {
  program
    .command('backup')
    .description('copy a database into a file, as it is at one moment, while others keep reading and writing')
    .argument('<database>', 'its file')
    .argument('<target>', 'the file to make')
    .option('--overwrite', 'replace an existing backup; nobody may have it open')
    .addOption(waitOption())
    .option('--json', 'print the result, or the error, as one JSON object')
    .addHelpText(
      'after',
      example('valkeyrie backup data.db backups/monday.db', exitCode, 'See also: valkeyrie restore'),
    )
    .action(
      async (database: string, target: string, { overwrite = false, wait, json = false }: CopyFlags) => {
        await told(json, async () => {
          const { engine, address } = locate(database)
          const file = locateFile(target, 'backup', './backups/monday.db')
          const { signal, end } = interrupted()
          const options = { ...progress('backup', json), busyTimeout: wait, overwrite, signal }
          const made = await engine.backUp(address, file, options).finally(end)
          return [
            made,
            `${rowsText(made.rows)}, ${made.bytes.toLocaleString('en')} bytes, checked and on the disk: ${made.path}`,
          ]
        })
      },
    )
}

function addCopy(program: Command): void {
  program
    .command('copy')
    .description(
      'copy a database with its versions, expiries, schemas and log, so that programs can go on with the copy',
    )
    .argument('<from>', `${databaseText}, which others may have open`)
    .argument('<to>', 'the file or address to make')
    .option('--overwrite', 'replace an existing database; nobody may have it open')
    .addOption(waitOption())
    .option('--json', 'print the result, or the error, as one JSON object')
    .addHelpText(
      'after',
      example(
        'valkeyrie copy data.db postgres://shop@db.example.com/shop',
        exitCode,
        'See also: valkeyrie backup, valkeyrie export',
      ),
    )
    .action(async (from: string, to: string, { overwrite = false, wait, json = false }: CopyFlags) => {
      await told(json, async () => {
        const { signal, end } = interrupted()
        const { copyDatabase } = await import('../api/copy-database.ts')
        const options = { ...progress('copy', json), busyTimeout: wait, overwrite, signal }
        const copied = await copyDatabase(from, to, options).finally(end)
        return [{ ...copied, ...fileOf(copied) }, copiedText(copied)]
      })
    })
}

/** The path and size of a copy in a file. */
function fileOf({ to }: Copied): { readonly path?: string; readonly bytes?: number } {
  return existsSync(to) ? { path: to, bytes: statSync(to).size } : {}
}

function copiedText({ to, rows, commits, versionstamp, left }: Copied): string {
  const newest = versionstamp === null ? '' : `, up to version ${versionstamp}`
  return [
    `${rowsText(rows)} copied${newest}, checked and on the disk: ${to}`,
    commits === 0 ? [] : logText(commits),
    left.length === 0 ? [] : `Not copied, because they are not part of the database: ${left.join(', ')}`,
  ]
    .flat()
    .join('\n')
}

function logText(commits: number): string {
  return commits === 1
    ? 'Its log has 1 commit: changes can be followed from it.'
    : `Its log has ${commits} commits: changes can be followed from any of them.`
}

function addRestore(program: Command): void {
  program
    .command('restore')
    .description('replace a database with a copy of a backup; nobody may have it open')
    .argument('<backup>', 'the file of the backup, which stays')
    .argument('<database>', 'the file to make or to replace')
    .option('--no-keep', 'do not keep the old database as <database>.before-restore')
    .addOption(waitOption())
    .option('--json', 'print the result, or the error, as one JSON object')
    .addHelpText(
      'after',
      example('valkeyrie restore backups/monday.db data.db', exitCode, 'See also: valkeyrie backup'),
    )
    .action(async (backup: string, database: string, { keep, wait, json = false }: RestoreFlags) => {
      await told(json, async () => {
        const { engine, address } = locate(database)
        const file = locateFile(backup, 'restore', './backups/monday.db')
        const { signal, end } = interrupted()
        const options = { ...progress('restore', json), busyTimeout: wait, keep, signal }
        const made = await engine.restore(file, address, options).finally(end)
        const before = made.kept === null ? '' : `; the old database is ${made.kept}`
        return [made, `${rowsText(made.rows)} restored, checked and on the disk: ${made.path}${before}`]
      })
    })
}

function progress(task: string, json: boolean): { onProgress?: (done: number, total: number) => void } {
  if (json) return {}
  const report = terminalReport()
  return { onProgress: (done, total) => report.progress(task, done, total) }
}

/** Prints the result of a task as JSON or as a sentence. */
async function told(
  json: boolean,
  task: () => Promise<readonly [result: object, sentence: string]>,
): Promise<void> {
  const [result, sentence] = await task()
  print(json ? JSON.stringify(result) : sentence)
}
