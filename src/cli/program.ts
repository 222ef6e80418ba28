import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addBackupCommands } from './backup-commands.ts'
import { addDataCommands } from './data-commands.ts'
import { failureOf } from './failure.ts'
import { addHealthCommands } from './health-commands.ts'
import { addMigrationCommands } from './migration-commands.ts'
import { addStudioCommand } from './studio-command.ts'
import { Interrupted, print, printPart, tell } from './terminal.ts'

export { outliveReaders, reserveOutput } from './terminal.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

let isJson = false

export const program = new Command('valkeyrie')
  .description(
    'Generate and apply migrations of a valkeyrie database, and look after its rows from day to day.',
  )
  .version(version)
  .exitOverride()
  .configureOutput({ writeOut: printPart, outputError: (text, write) => isJson || write(text) })
  .option('--config <file>', 'the configuration of drizzle-kit; default: drizzle.config.ts')

addMigrationCommands(program)
addDataCommands(program)
addHealthCommands(program)
addBackupCommands(program)
addStudioCommand(program)

/** Runs the command that the arguments name, and sets the exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  isJson = argv.includes('--json')
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return
    process.exitCode = 1
    const { code, message, facts, done } = failureOf(error)
    if (isJson) print(JSON.stringify({ error: { code, message, ...facts }, ...done }))
    if (code === 'UNEXPECTED') tell((error as Error).stack ?? message)
    // The parser has already reported a wrong command line.
    else if (!isJson && !(error instanceof CommanderError)) tell(message)
    // Rows for a reader who does not read would keep the process alive.
    if (error instanceof Interrupted && process.stdout.writableLength > 0 && !isJson) process.exit()
  }
}
