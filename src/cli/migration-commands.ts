// The commands of a project share flags, output and exit codes.
import { relative } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { check, projectStatus } from '../migration/check.ts'
import { generate, type PlanOptions, planMigration } from '../migration/generate.ts'
import { init } from '../migration/init.ts'
import { lossText, rowsText } from '../migration/losses.ts'
import { type MigrateResult, migrate, type Report } from '../migration/migrate.ts'
import { databaseOf, loadProject, type Project } from '../migration/project.ts'
import { PartlyDone } from './failure.ts'
import { resetDatabase, seedDatabase, shownDatabase, whatIsDeleted } from './fresh-database.ts'
import {
  confirmed,
  example,
  interrupted,
  print,
  quiet,
  tell,
  terminalAsk,
  terminalReport,
  type WaitFlag,
  waitOption,
} from './terminal.ts'

/** The command has reported what is pending or differs. */
const exitDiffers = 2
const databaseText = 'its file, or its address; default: dbCredentials.url of drizzle.config.ts'
const jsonText = 'as one JSON object'

interface GenerateFlags extends SchemaFlag {
  readonly name?: string
  readonly rename?: readonly string[]
  readonly acceptDataLoss?: boolean
  readonly database?: string
  readonly custom?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

interface JsonFlag {
  readonly json?: boolean
}

/** The schema of a database on a server. */
interface SchemaFlag {
  readonly schema?: string
}

interface MigrateFlags extends SchemaFlag {
  readonly backup: boolean
  readonly skipInvalid?: string
  readonly baseline?: string | true
  readonly json?: boolean
}

interface ResetFlags extends WaitFlag, SchemaFlag {
  readonly yes?: boolean
  readonly force?: boolean
  readonly json?: boolean
}

/** Adds the commands of a project: its migrations, and resetting its database. */
export function addMigrationCommands(program: Command): void {
  const project = () => loadProject(process.cwd(), program.opts<{ config?: string }>().config)
  const command = (name: string, description: string, shown: string, ...more: readonly string[]) =>
    program
      .command(name)
      .description(description)
      .option('--json', jsonText)
      .addHelpText('after', example(`valkeyrie ${shown}`, ...more))
  const onDatabase = (...args: Parameters<typeof command>) =>
    command(...args)
      .argument('[database]', databaseText)
      .addOption(schemaOption())
  const differs = `Exit code: 0 if nothing differs, ${exitDiffers} if something does, 1 if it failed.`

  command('generate', 'write a migration of what has changed in the declared schemas', 'generate --name ages')
    .option('--name <name>', 'the name of the migration')
    .option(
      '--rename <from=to>',
      'users.name=fullName, users=people, users.role:admin=owner; may be repeated',
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .option('--accept-data-loss', 'agree to remove fields from stored values')
    .option('--database <file>', 'the database in which to count the rows that would lose something')
    .addOption(schemaOption())
    .option(
      '--custom <repository>',
      'make an empty migration of its values, for you to fill in',
      repositoryName,
    )
    .option('--dry-run', 'print what would be written, but write nothing')
    .action(
      async ({ rename = [], acceptDataLoss = false, dryRun, json = false, ...flags }: GenerateFlags) => {
        const loaded = await project()
        const options = { ...flags, renames: rename, ask: json ? undefined : terminalAsk(), tell }
        if (dryRun) {
          await tellPlan(loaded, options, json, true)
          return
        }
        const { database, schema } = flags
        const counted = {
          database: database === undefined ? undefined : databaseOf(loaded, database, schema),
          presentDatabase: loaded.database === undefined ? undefined : databaseOf(loaded, undefined, schema),
        }
        const generated = await generate(loaded, { ...options, acceptDataLoss, ...counted })
        if (json) return print(JSON.stringify(generated ?? { tag: null, files: [], steps: [] }))
        if (generated === null) return print('Nothing has changed.')
        const { tag, files } = generated
        if (tag === null)
          print(`${files.join(', ')} was rewritten, because the migrations beside it have changed.`)
        else print(`${tag} written to ${loaded.migrations}`)
        for (const step of generated.steps)
          print(`Fill in ${step}: only a program can convert what has changed there.`)
      },
    )

  command(
    'diff',
    'show what has changed in the declared schemas since the last migration',
    'diff',
    differs,
  ).action(async ({ json = false }: JsonFlag) => {
    const isSame = await tellPlan(await project(), { renames: [] }, json, false)
    if (!isSame) process.exitCode = exitDiffers
  })

  onDatabase(
    'migrate',
    'apply the pending migrations to a database',
    'migrate data.db',
    `Exit code: 0 if all were applied, 1 if it failed, ${exitDiffers} if rows were written to the file of --skip-invalid.`,
  )
    .option('--no-backup', 'do not back up the database first')
    .option(
      '--skip-invalid <file>',
      'leave rows that cannot be converted as they are, and write them to this file, to correct and import',
    )
    .option(
      '--baseline [tag]',
      'take over a database created without migrations, as of this migration, or the one whose schemas it has',
    )
    .action(async (database: string | undefined, { json = false, schema, ...flags }: MigrateFlags) => {
      const loaded = await project()
      let done: MigrateResult = { applied: [], backup: null, skipped: 0 }
      const report: Report = {
        ...(json ? quiet : terminalReport()),
        done: (result) => {
          done = result
        },
      }
      const path = databaseOf(loaded, database, schema)
      const { applied, skipped } = await interruptible(json, (signal) =>
        migrate(loaded, { ...flags, path, report, signal }),
      ).catch((error) => {
        throw new PartlyDone(error, done)
      })
      if (skipped > 0) process.exitCode = exitDiffers
      if (json) return print(JSON.stringify(done))
      print(applied.length === 0 ? 'Nothing to apply.' : `Applied ${applied.join(', ')}.`)
    })

  onDatabase(
    'status',
    'show which migrations a database has had, what is pending, and what differs',
    'status',
    differs,
  ).action(async (database: string | undefined, { json = false, schema }: SchemaFlag & JsonFlag) => {
    const loaded = await project()
    const { applied, pending, drift } = await projectStatus(loaded, databaseOf(loaded, database, schema))
    if (json) print(JSON.stringify({ applied, pending, drift }))
    else {
      for (const tag of applied) print(`applied: ${tag}`)
      for (const tag of pending) print(`pending: ${tag}`)
      for (const { message } of drift) print(`drift: ${message}`)
    }
    if (pending.length + drift.length > 0) process.exitCode = exitDiffers
  })

  onDatabase(
    'check',
    'find what is pending, what differs, and the rows that the declared schemas refuse',
    'check',
    'Exit code: 0 if all is as declared, else 1.',
  ).action(async (database: string | undefined, { json = false, schema }: SchemaFlag & JsonFlag) => {
    const loaded = await project()
    const path = databaseOf(loaded, database, schema)
    const { pending, drift, refused } = await interruptible(json, (signal) => check(loaded, path, signal))
    const isWell = pending.length + drift.length + refused.length === 0
    if (!isWell) process.exitCode = 1
    if (json) return print(JSON.stringify({ pending, drift, refused }))
    for (const tag of pending) print(`pending: ${tag}`)
    for (const { message } of drift) print(`drift: ${message}`)
    for (const { repository, rows, samples } of refused) {
      print(`refused: ${rowsText(rows)} of ${repository}`)
      for (const sample of samples) print(`  ${sample}`)
    }
    if (isWell) print('All is as declared.')
  })

  onDatabase('reset', 'delete a database, and make a new one with the migrations', 'reset data.db')
    .option('-y, --yes', 'do not ask; --force does the same')
    .addOption(new Option('--force').hideHelp())
    .addOption(waitOption())
    .action(async (database: string | undefined, { yes, force, wait, schema, json = false }: ResetFlags) => {
      const loaded = await project()
      const path = databaseOf(loaded, database, schema)
      const deleted = await whatIsDeleted(path)
      if (deleted !== null) {
        tell(deleted)
        const isSure =
          yes || force || (await confirmed('Delete it?', 'pass --yes to delete it without being asked'))
        if (!isSure) {
          process.exitCode = 1
          return tell('Nothing was deleted.')
        }
      }
      const report = json ? quiet : terminalReport()
      const { applied } = await interruptible(json, (signal) =>
        resetDatabase(loaded, path, wait, report, signal),
      )
      const shown = shownDatabase(path)
      print(json ? JSON.stringify({ path: shown, deleted: deleted !== null, applied }) : `${shown} is new.`)
    })

  onDatabase('seed', 'run the module that fills a database', 'seed --file schemas/seed.ts')
    .option(
      '--file <file>',
      'the module; default: seed of drizzle.config.ts, else seed.ts, or seed.mts, beside the schemas',
    )
    .action(
      async (
        database: string | undefined,
        { file, schema, json = false }: { readonly file?: string } & SchemaFlag & JsonFlag,
      ) => {
        const loaded = await project()
        const seeded = await seedDatabase(loaded, databaseOf(loaded, database, schema), file)
        print(json ? JSON.stringify(seeded) : `${seeded.path} is seeded by ${relative('.', seeded.file)}.`)
      },
    )

  command('init', 'write schemas/index.ts, drizzle.config.ts and scripts if they are missing', 'init').action(
    ({ json = false }: JsonFlag) => {
      const { written, install, schemas } = init(process.cwd())
      if (json) return print(JSON.stringify({ written, install }))
      print(written.length === 0 ? 'Nothing was missing.' : `Written: ${written.join(', ')}`)
      for (const line of install) print(`Install what they need: ${line}`)
      if (written.includes('drizzle.config.mts'))
        print('drizzle-kit does not find drizzle.config.mts by itself: give it --config drizzle.config.mts')
      print(`Declare your schemas in ${schemas}, then run "valkeyrie generate".`)
    },
  )
}

/**
 * Works until it is interrupted, with --json, which then says so: at the end of the statement that runs. Without it, Ctrl+C ends the
 * process at once, even inside a statement that takes minutes.
 */
async function interruptible<T>(json: boolean, work: (signal?: AbortSignal) => Promise<T>): Promise<T> {
  if (!json) return work()
  const { signal, end } = interrupted()
  return work(signal).finally(end)
}

/** Prints what `generate` would write, or what has changed. Returns whether nothing has. */
async function tellPlan(
  project: Project,
  options: PlanOptions,
  json: boolean,
  withFiles: boolean,
): Promise<boolean> {
  const planned = await planMigration(project, options)
  if (planned === null || (planned.tag === null && !withFiles)) {
    const nothing = { tag: null, changes: [], losses: [], undecided: [], steps: [] }
    print(json ? JSON.stringify(withFiles ? { ...nothing, files: {} } : nothing) : 'Nothing has changed.')
    return true
  }
  const { tag, changes, losses, undecided, steps, files } = planned
  const lost = losses.map(lossText)
  if (json) {
    const told = { tag, changes, losses: lost, undecided, steps }
    print(JSON.stringify(withFiles ? { ...told, files: Object.fromEntries(files) } : told))
    return false
  }
  if (tag === null) {
    print(
      `${[...files.keys()].join(', ')} would be rewritten, because the migrations beside it have changed.`,
    )
    return false
  }
  for (const text of changes) print(text)
  for (const text of lost) print(`lost: ${text}, which needs --accept-data-loss`)
  for (const text of undecided) print(`a rename? --rename ${text}`)
  if (withFiles) {
    for (const [name, text] of files) {
      // The index only repeats all migrations.
      const shown = /^index\./.test(name) ? '-- all migrations as a module' : text.trimEnd()
      if (/\.(sql|m?ts)$/.test(name)) print(`\n-- ${name}\n${shown}`)
    }
  }
  return false
}

function repositoryName(text: string): string {
  if (text === '' || text.startsWith('-'))
    throw new InvalidArgumentError('Name the repository whose values it changes, such as --custom users.')
  return text
}

function schemaOption(): Option {
  return new Option(
    '--schema <name>',
    'the schema of the server, on PostgreSQL; default: that of the address, else valkeyrie',
  )
}
