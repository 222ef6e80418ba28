import { checkBoolean, checkWholeNumber } from '../../arguments/option-values.ts'
import { DatabaseOpenError } from '../../contract/errors.ts'
import type { Engine } from '../engine.ts'
import type { Sqlite } from './engine.types.ts'
import { databasePath, memoryPath } from './file/database-path.ts'

/** SQLite, in a file or in the memory of this process. Its binary crashes a Node.js that is too old, so it is loaded late. */
export const sqlite: Engine<Sqlite> = {
  optionNames: ['engine', 'durability', 'checksums', 'busyTimeout'],
  checkOptions({ engine, durability = 'normal', busyTimeout = 5_000, checksums = false }) {
    if (durability !== 'normal' && durability !== 'full')
      throw new TypeError("durability must be 'normal' or 'full'")
    if (engine !== undefined && engine !== 'better-sqlite3' && engine !== 'node:sqlite')
      throw new TypeError("engine must be 'better-sqlite3' or 'node:sqlite'")
    checkWholeNumber(busyTimeout, 'busyTimeout', 0)
    checkBoolean(checksums, 'checksums')
    return { engine, durability, busyTimeout, checksums }
  },
  address: databasePath,
  shown: (path) => path,
  inSchema(path, schema) {
    if (schema === undefined) return path
    throw new TypeError('schema belongs to a server: a file has only one database')
  },
  isKept: (path) => path !== memoryPath,
  assertRuntime,
  async open(path, collections, options) {
    const { openSqlite } = await import('./open.ts')
    return openSqlite(collections, { ...options, path })
  },
  async readCatalog(path, toWrite, { engine, busyTimeout }) {
    const { readFileCatalog } = await import('./tables/file-catalog.ts')
    return readFileCatalog(path, toWrite, busyTimeout, engine)
  },
  async verify(path, options) {
    const { verifySqlite } = await import('./verify.ts')
    return verifySqlite(path, options)
  },
  advice: {
    file: 'Rebuild the indexes with --repair. If that does not help, restore a backup; "valkeyrie export --skip-unreadable" saves the rows that can be read.',
    catalog: 'Open the file once with your schemas. If it held a database, restore a backup.',
    index: 'Build it with --repair, or open the file with the schema that declares it.',
    row: 'File rows where they belong with --repair. Write or delete a row that cannot be read, or restore it from a backup.',
    log: 'No row is harmed. Whoever follows changes, and has not come that far, fails with a CorruptLogError or a LogTrimmedError: start those again.',
  },
  async repair(path, busyTimeout) {
    const { repairSqlite } = await import('./repair.ts')
    return repairSqlite(path, busyTimeout)
  },
  async copyFrom(path, { busyTimeout }) {
    const { openFileSource } = await import('./copy/source.ts')
    return openFileSource(path, busyTimeout)
  },
  async copyInto(path, _options, places) {
    const { openFileTarget } = await import('./copy/target.ts')
    return openFileTarget(path, places)
  },
  copiesByBackup: true,
  async backUp(path, target, options) {
    const { backUpFile } = await import('./backup/files.ts')
    return backUpFile(path, target, options)
  },
  async restore(backup, path, options) {
    const { restoreFile } = await import('./backup/files.ts')
    return restoreFile(backup, path, options)
  },
  async migrator() {
    const { sqliteMigrator } = await import('./migrations/migrator.ts')
    return sqliteMigrator
  },
}

function assertRuntime(path: string): void {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return
  throw new DatabaseOpenError(
    path,
    `valkeyrie needs Node.js 22.18 or newer, and this is ${node}: upgrade Node.js`,
  )
}
