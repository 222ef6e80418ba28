import { checkWholeNumber } from '../../arguments/option-values.ts'
import type { Engine } from '../engine.ts'
import type { CheckedPostgresOptions, Postgres } from './engine.types.ts'
import { onlyOfFiles } from './only-of-files.ts'
import {
  checkSchema,
  defaultSchema,
  postgresAddress,
  schemaOf,
  serverOf,
  shownAddress,
  withSchema,
} from './server/address.ts'

/** In milliseconds: neither a timer nor a setting of the server takes more. */
const longestTime = 2_000_000_000

/** PostgreSQL, through `pg`. It is loaded with the first call that needs it, because users of other engines may not have it. */
export const postgres: Engine<Postgres> = {
  optionNames: ['schema', 'connections', 'busyTimeout', 'connectTimeout'],
  checkOptions({ schema, connections = 10, busyTimeout = 5_000, connectTimeout = 10_000 }) {
    if (schema !== undefined) checkSchema(schema)
    checkWholeNumber(connections, 'connections', 3)
    checkWholeNumber(busyTimeout, 'busyTimeout', 0)
    checkWholeNumber(connectTimeout, 'connectTimeout', 1)
    return {
      schema,
      connections,
      // To the server, 0 is no limit.
      busyTimeout: Math.min(Math.max(busyTimeout, 1), longestTime),
      connectTimeout: Math.min(connectTimeout, longestTime),
    }
  },
  address: (given) => postgresAddress(given!),
  shown: shownAddress,
  inSchema(address, schema) {
    if (schema === undefined) return address
    checkSchema(schema)
    return withSchema(address, schema)
  },
  isKept: () => true,
  assertRuntime() {},
  async open(address, collections, options) {
    const { openPostgres } = await import('./open.ts')
    return openPostgres(serverOf(address), collections, inSchema(address, options))
  },
  async readCatalog(address, _toWrite, options) {
    const { readServerCatalog } = await import('./open.ts')
    return readServerCatalog(serverOf(address), inSchema(address, options))
  },
  async verify(address, options) {
    const { verifyServer } = await import('./verify.ts')
    const { busyTimeout } = options
    return verifyServer(serverOf(address), inSchema(address, this.checkOptions({ busyTimeout })), options)
  },
  advice: {
    file: 'Restore a backup of the server.',
    catalog: 'Open the database once with your schemas, or restore a backup of the server.',
    index: 'Open the database with the schema that declares it.',
    row: 'Write or delete the row, or restore it from a backup of the server.',
    log: 'No row is harmed. Whoever follows changes, and has not come that far, fails with a CorruptLogError or a LogTrimmedError: start those again.',
  },
  repair: (address) => onlyOfFiles(address, 'repair'),
  async copyFrom(address, options) {
    const { openServerSource } = await import('./copy/source.ts')
    return openServerSource(serverOf(address), inSchema(address, options))
  },
  async copyInto(address, options, places) {
    const { openServerTarget } = await import('./copy/target.ts')
    const { busyTimeout } = options
    return openServerTarget(serverOf(address), inSchema(address, options), { ...places, busyTimeout })
  },
  copiesByBackup: false,
  backUp: (address) => onlyOfFiles(address, 'backup'),
  restore: (_backup, address) => onlyOfFiles(address, 'restore'),
  async migrator() {
    const { postgresMigrator } = await import('./migrations/migrator.ts')
    return postgresMigrator
  },
}

/** Adds the schema to an address: the option comes before the one in the address. */
function inSchema<T extends Postgres['checked']>(address: string, options: T): T & CheckedPostgresOptions {
  return { ...options, schema: options.schema ?? schemaOf(address) ?? defaultSchema }
}
