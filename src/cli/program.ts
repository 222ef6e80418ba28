import { existsSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { KvError } from '../errors.ts'
import { check } from '../migration/check.ts'
import { generate } from '../migration/generate.ts'
import { init } from '../migration/init.ts'
import { rowsText } from '../migration/losses.ts'
import { migrate } from '../migration/migrate.ts'
import { databaseOf, loadProject, type Project } from '../migration/project.ts'
import { addBackupCommands } from './backup-commands.ts'
import { addDataCommands } from './data-commands.ts'
import { addHealthCommands } from './health-commands.ts'
import { print, terminalAsk, terminalReport } from './terminal.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

const program = new Command('valkeyrie')
  .description(
    'Migrations of a valkeyrie database, generated from its declared schemas, and what its rows need from day to day.',
  )
  .version(version)
  .option('--config <file>', 'the configuration of drizzle-kit; default: drizzle.config.ts')

const project = () => loadProject(process.cwd(), program.opts<{ config?: string }>().config)
const tell = (text: string) => {
  process.stderr.write(`${text}\n`)
}

interface GenerateFlags {
  readonly name?: string
  readonly rename?: readonly string[]
  readonly acceptDataLoss?: boolean
  readonly database?: string
}

program
  .command('generate')
  .description('write a migration of what has changed in the declared schemas')
  .option('--name <name>', 'the name of the migration')
  .option(
    '--rename <from=to>',
    'users.name=fullName, users=people, users.role:admin=owner; may be repeated',
    (value: string, all: readonly string[] = []) => [...all, value],
  )
  .option('--accept-data-loss', 'let fields be removed from what is stored')
  .option('--database <file>', 'where to count the rows that would lose something')
  .action(async ({ name, rename = [], acceptDataLoss = false, database }: GenerateFlags) => {
    const loaded = await project()
    const generated = await generate(loaded, {
      name,
      renames: rename,
      acceptDataLoss,
      database: database ?? presentDatabase(loaded),
      ask: terminalAsk(),
      tell,
    })
    if (generated === null) return print('Nothing has changed.')
    print(`${generated.tag} written to ${loaded.migrations}`)
    for (const step of generated.steps)
      print(`Fill in ${step}: what has changed there is for a program to convert.`)
  })

/** The database that the settings name, where it is there. */
function presentDatabase(project: Project): string | undefined {
  if (project.database === undefined) return undefined
  const path = databaseOf(project, undefined)
  return existsSync(path) ? path : undefined
}

interface MigrateFlags {
  readonly backup: boolean
  readonly skipInvalid?: string
  readonly baseline?: string | true
}

program
  .command('migrate')
  .description('apply the migrations that a database has not had')
  .argument('[database]', 'its file; default: dbCredentials.url of drizzle.config.ts')
  .option('--no-backup', 'do not copy the database first')
  .option(
    '--skip-invalid <file>',
    'leave rows that cannot be converted as they are, and write them to this file',
  )
  .option(
    '--baseline [tag]',
    'take over a database created without migrations, as of this migration or the first',
  )
  .action(async (database: string | undefined, { backup, skipInvalid, baseline }: MigrateFlags) => {
    const loaded = await project()
    const path = databaseOf(loaded, database)
    const { applied } = await migrate(loaded, {
      path,
      backup,
      skipInvalid,
      baseline,
      report: terminalReport(),
    })
    print(applied.length === 0 ? 'Nothing to apply.' : `Applied ${applied.join(', ')}.`)
  })

program
  .command('check')
  .description('find what is pending, what differs, and the rows that the declared schemas refuse')
  .argument('[database]', 'its file; default: dbCredentials.url of drizzle.config.ts')
  .action(async (database: string | undefined) => {
    const loaded = await project()
    const { pending, drift, refused } = await check(loaded, databaseOf(loaded, database))
    for (const tag of pending) print(`pending: ${tag}`)
    for (const { message } of drift) print(`drift: ${message}`)
    for (const { repository, rows, samples } of refused) {
      print(`refused: ${rowsText(rows)} of ${repository}`)
      for (const sample of samples) print(`  ${sample}`)
    }
    if (pending.length + drift.length + refused.length === 0) print('All is as declared.')
    else process.exitCode = 1
  })

program
  .command('init')
  .description('write schemas/index.ts, drizzle.config.ts and scripts where they are missing')
  .action(() => {
    const written = init(process.cwd())
    print(written.length === 0 ? 'Nothing was missing.' : `Written: ${written.join(', ')}`)
    print('Declare your schemas in schemas/index.ts, then run "valkeyrie generate".')
  })

addDataCommands(program)
addHealthCommands(program)
addBackupCommands(program)

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
