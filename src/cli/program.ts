import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { KvError } from '../errors.ts'
import { addBackupCommands } from './backup-commands.ts'
import { addDataCommands } from './data-commands.ts'
import { addHealthCommands } from './health-commands.ts'
import { addMigrationCommands } from './migration-commands.ts'
import { addStudioCommand } from './studio-command.ts'
import { print, tell } from './terminal.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

export const program = new Command('valkeyrie')
  .description(
    'Migrations of a valkeyrie database, generated from its declared schemas, and what its rows need from day to day.',
  )
  .version(version)
  .option('--config <file>', 'the configuration of drizzle-kit; default: drizzle.config.ts')

addMigrationCommands(program)
addDataCommands(program)
addHealthCommands(program)
addBackupCommands(program)
addStudioCommand(program)

/** Runs the command that the arguments tell, and sets the exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(argv)
  } catch (error) {
    process.exitCode = 1
    const { code = null, message, stack = String(error) } = error as Error & { readonly code?: string }
    const isJson = argv.includes('--json')
    if (isJson) print(JSON.stringify({ error: { code, message } }))
    if (!isExpected(error)) tell(stack)
    else if (!isJson) tell(message)
  }
}

/** Whether a message tells enough: what the library refuses, and what the system does, as a file that is not there. */
function isExpected(error: unknown): boolean {
  if (error instanceof KvError || error instanceof TypeError || error instanceof RangeError) return true
  return error instanceof Error && 'syscall' in error
}
