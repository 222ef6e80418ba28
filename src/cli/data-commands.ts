// export and import open a database, count and react to Ctrl+C in the same way: change both together.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { storeOf } from '../api/database.ts'
import { inspectStore, openDatabase } from '../api/open.ts'
import { DatabaseOpenError, KeyExistsError, StorageError } from '../contract/errors.ts'
import type { UnreadableRow } from '../driver/driver.ts'
import { fileOf, locate, locateFile } from '../engines/engines.ts'
import { rowsText } from '../migration/losses.ts'
import { Registry } from '../schema/registry.ts'
import type { Store } from '../store/store.ts'
import type { SourceFile } from '../transfer/file-text.ts'
import type { ImportCounts, ImportOptions, OnConflict } from '../transfer/import.ts'
import { type SourceKind, sourceKinds } from '../transfer/open-source.ts'
import { withPackage } from '../transfer/optional-package.ts'
import type { Source } from '../transfer/source-row.ts'
import { parseJson } from '../value/parse-json.ts'
import { countReport, databaseText, example, interrupted, print } from './terminal.ts'

/** The longest time that a timer takes: an export may read one state for as long as it needs. */
const forever = 2 ** 31 - 1
/** Rows are moved whatever limits they were stored under. */
const limits = { keyBytes: Number.MAX_SAFE_INTEGER, valueBytes: Number.MAX_SAFE_INTEGER }
/** Everything is done, except for rows that do not fit or cannot be read. */
const exitRefused = 2
const mostUnreadableListed = 100
/** Stands for what is piped into the command. */
const standardInput = '-'

interface ExportFlags {
  readonly output?: string
  readonly repository?: string
  /** Wrapped, because a null would count as no value. */
  readonly where?: { readonly json: unknown }
  readonly format?: 'ndjson' | 'csv'
  readonly overwrite?: boolean
  readonly skipUnreadable?: boolean
  readonly json?: boolean
}

interface ImportFlags {
  readonly from?: SourceKind
  readonly onConflict: OnConflict
  readonly skipInvalid?: string
  readonly repository?: string
  readonly table?: string
  readonly id?: readonly string[]
  readonly json?: boolean
}

/** Adds the commands that move rows out of a database and into it. */
export function addDataCommands(program: Command): void {
  program
    .command('export')
    .description('write the rows of a database as NDJSON, or those of a flat repository as CSV')
    .argument('<database>', databaseText)
    .option('--output <file>', 'where to write; default: standard output')
    .option('--repository <name>', 'only the rows of this repository')
    .option('--where <json>', 'only the rows that match, as in a query', parsedJson)
    .addOption(
      new Option('--format <format>', 'default: by the ending of the output file, else ndjson').choices([
        'ndjson',
        'csv',
      ]),
    )
    .option('--overwrite', 'replace an existing file')
    .option('--skip-unreadable', 'leave out damaged rows, and say which and why')
    .option('--json', 'report what was done as JSON; needs --output')
    .addHelpText(
      'after',
      example(
        `valkeyrie export app.db --repository users --where '{"age":{"gte":18}}' --output adults.ndjson`,
        `Exit code: 0 if all rows were written, 1 if it failed, ${exitRefused} if --skip-unreadable left some out.`,
      ),
    )
    .action(exportCommand)

  program
    .command('import')
    .description('store the rows of a file; to finish an interrupted import, run it again')
    .argument('<database>', `${databaseText}; created if it does not exist`)
    .argument('<file>', 'a file that export has written, or one of another store; - reads standard input')
    .addOption(new Option('--from <kind>', 'default: found out from the file').choices(sourceKinds))
    .addOption(
      new Option('--on-conflict <what>', 'what to do if a key has another value')
        .choices(['fail', 'skip', 'overwrite'])
        .default('fail'),
    )
    .option(
      '--skip-invalid <file>',
      'write rows that do not fit to this file, with the reasons, to correct and import',
    )
    .option('--repository <name>', 'for csv and sqlite: the repository that takes the rows')
    .option('--table <name>', 'for sqlite: the table to read')
    .option('--id <columns>', 'for csv and sqlite: the columns of the id, separated by commas', (text) =>
      text.split(','),
    )
    .option('--json', 'report what was done as JSON')
    .addHelpText(
      'after',
      example(
        'valkeyrie import app.db adults.ndjson --on-conflict skip --skip-invalid refused.ndjson',
        `Exit code: 0 if all rows were stored, 1 if it failed, ${exitRefused} if rows were written to the file of --skip-invalid.`,
      ),
    )
    .action(importCommand)
}

async function exportCommand(database: string, flags: ExportFlags): Promise<void> {
  const { output, repository, where, overwrite = false, skipUnreadable = false, json = false } = flags
  const { format = output !== undefined && /\.csv$/i.test(output) ? 'csv' : 'ndjson' } = flags
  if (json && output === undefined)
    throw new TypeError('--json needs --output, because the rows go to standard output')
  if (output !== undefined) locateFile(output, '--output', './rows.ndjson')
  const { exportRows } = await import('../transfer/export.ts')
  const { writeFileWhole, writeStream } = await import('../transfer/output-file.ts')
  await using opened = await openedStore(database, true)
  const { signal, report, end } = running()
  let rows = 0
  const onProgress = (done: number) => {
    rows = done
    report(done)
  }
  const unreadable = new UnreadableRows()
  const onUnreadable = skipUnreadable ? unreadable.add : undefined
  const options = { repository, where: where?.json, signal, onProgress, onUnreadable }
  const chunks =
    format === 'csv'
      ? (await withPackage('csv-stringify', () => import('../transfer/export-csv.ts'))).exportCsv(
          opened.store,
          options,
        )
      : exportRows(opened.store, options)
  try {
    await (output === undefined
      ? writeStream(process.stdout, chunks, signal)
      : writeFileWhole(output, opened.file, chunks, { overwrite, signal }))
  } finally {
    end()
  }
  if (json) print(JSON.stringify({ rows, output, format, ...(skipUnreadable && { unreadable }) }))
  else if (output !== undefined) print(`${rowsText(rows)} written to ${output}`)
  if (unreadable.count === 0) return
  process.exitCode = exitRefused
  if (!json) process.stderr.write(`${unreadable.text()}\n`)
}

/** The rows that an export has left out. */
class UnreadableRows {
  count = 0
  /** The first of them. */
  readonly rows: UnreadableRow[] = []

  readonly add = (row: UnreadableRow): void => {
    this.count += 1
    if (this.rows.length < mostUnreadableListed) this.rows.push(row)
  }

  text(): string {
    const more = this.count - this.rows.length
    return [
      `${rowsText(this.count)} left out, because they cannot be read:`,
      ...this.rows.map(({ key, reason }) => `  ${key}: ${reason}`),
      ...(more > 0 ? [`  and ${more.toLocaleString('en')} more`] : []),
    ].join('\n')
  }
}

async function importCommand(database: string, given: string, flags: ImportFlags): Promise<void> {
  const isPiped = given === standardInput
  if (!isPiped) locateFile(given, 'import', './rows.ndjson')
  const refusedFile =
    flags.skipInvalid === undefined
      ? null
      : locateFile(flags.skipInvalid, '--skip-invalid', './refused.ndjson')
  const { signal, report, end } = running()
  const { copiedInput } = await import('../transfer/copied-input.ts')
  let done: Imported
  try {
    await using copied = isPiped ? await copiedInput(process.stdin, signal) : null
    const file = { path: copied?.path ?? given, name: isPiped ? 'Standard input' : given }
    done = await importFile(database, file, refusedFile, flags, { signal, onProgress: report })
  } finally {
    end()
  }
  if (flags.json) print(JSON.stringify(done))
  else print(countsText(done, flags.skipInvalid))
  if (done.refused > 0) process.exitCode = exitRefused
}

interface Imported extends ImportCounts {
  readonly from: SourceKind
}

async function importFile(
  database: string,
  { path, name }: SourceFile,
  refusedFile: string | null,
  flags: ImportFlags,
  running: Pick<ImportOptions, 'signal' | 'onProgress'>,
): Promise<Imported> {
  const { importRows } = await import('../transfer/import.ts')
  const { openSource } = await import('../transfer/open-source.ts')
  const { assertReplaceable } = await import('../transfer/output-file.ts')
  const { RefusedRows } = await import('../transfer/refused-rows.ts')
  const options = { ...flags, name }
  if (!(await isThere(database))) {
    // An import that stores nothing creates no database.
    if (refusedFile !== null) {
      assertReplaceable(refusedFile, fileOf(locate(database)))
      new RefusedRows(refusedFile, null).discard()
    }
    using source = await openSource(path, options, new Registry())
    await storeFirstInMemory(source.rows, refusedFile === null ? undefined : () => {})
    await (await openDatabase(new Registry(), database)).close()
  }
  await using opened = await openedStore(database, false)
  using source = await openSource(path, options, opened.store.registry)
  const refused = refusedFile === null ? null : new RefusedRows(refusedFile, opened.file)
  try {
    const counts = await importRows(opened.store, source.rows, {
      ...running,
      onConflict: flags.onConflict,
      onRefused: refused === null ? undefined : (line) => refused.write(line),
    })
    refused?.finish()
    return { from: source.kind, ...counts }
  } catch (error) {
    if (error instanceof StorageError && error.engineCode === 'SQLITE_FULL')
      throw new StorageError(
        'SQLITE_FULL',
        `The disk is full: make room for ${opened.file}, and run it again to finish`,
        { cause: error },
      )
    if (!(error instanceof KeyExistsError)) throw error
    // The class and the code of the error stay.
    error.message += ' with another value: --on-conflict skip leaves it, --on-conflict overwrite replaces it'
    throw error
  } finally {
    refused?.discard()
  }
}

/** Fails like an import into a new database that fails before it stores a row. */
async function storeFirstInMemory(rows: Source, onRefused: ImportOptions['onRefused']): Promise<void> {
  const { importRows } = await import('../transfer/import.ts')
  await using db = await openDatabase(new Registry(), undefined, { limits })
  let isStored = false
  async function* first(): Source & AsyncGenerator {
    for await (const row of rows) {
      yield row
      if (isStored) return
    }
  }
  const onProgress = () => {
    isStored = true
  }
  await importRows(storeOf(db)!, first(), { onConflict: 'skip', onRefused, onProgress })
}

function countsText(counts: ImportCounts, skipInvalid: string | undefined): string {
  const { imported, overwritten, unchanged, skipped, expired, refused } = counts
  const others = [
    [overwritten, 'overwritten'],
    [unchanged, 'there already'],
    [skipped, 'skipped, because their keys have other values'],
    [expired, 'expired by now'],
    [refused, `refused: see ${skipInvalid}`],
  ] as const
  const told = others
    .filter(([count]) => count > 0)
    .map(([count, text]) => `${count.toLocaleString('en')} ${text}`)
  return [`${rowsText(imported)} imported`, ...told].join(', ')
}

/** Opens the store of a database, as Valkeyrie.inspect does. */
async function openedStore(
  database: string,
  readOnly: boolean,
): Promise<{ readonly store: Store; readonly file: string | null } & AsyncDisposable> {
  const { store } = await inspectStore(database, { readOnly, limits, snapshotTimeout: forever })
  return { store, file: fileOf(locate(database)), [Symbol.asyncDispose]: () => store.close() }
}

/** Whether the database exists. One that was killed while it was created has no tables yet, and is created like a new one. */
async function isThere(database: string): Promise<boolean> {
  const { engine, address } = locate(database)
  try {
    await engine.readCatalog(address, false, engine.checkOptions({}) as never)
    return true
  } catch (error) {
    // If it cannot be opened for another reason, opening it later reports that.
    if (error instanceof DatabaseOpenError) return false
    throw error
  }
}

function running() {
  const { signal, end: endSignal } = interrupted()
  const { report, end: endReport } = countReport()
  const end = () => {
    endSignal()
    endReport()
  }
  return { signal, report, end }
}

function parsedJson(text: string): { readonly json: unknown } {
  try {
    return { json: parseJson(text) }
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${(error as Error).message}`)
  }
}
