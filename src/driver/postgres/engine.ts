import { checkWholeNumber } from '../../option-names.ts'
import type { Engine } from '../engine.ts'
import { postgresAddress, shownAddress } from './address.ts'
import type { Postgres } from './engine.types.ts'
import { onlyOfFiles } from './only-of-files.ts'

/** The longest name that PostgreSQL keeps whole, in bytes, less what our channel has before it. */
const longestSchema = 50

/** PostgreSQL, through `pg`, which is loaded with the first call that needs it: who uses another engine may not have it. */
export const postgres: Engine<Postgres> = {
  optionNames: ['schema', 'poolSize', 'busyTimeout', 'connectTimeout'],
  checkOptions({ schema = 'valkeyrie', poolSize = 10, busyTimeout = 5_000, connectTimeout = 10_000 }) {
    if (typeof schema !== 'string' || schema.trim() === '' || Buffer.byteLength(schema) > longestSchema)
      throw new TypeError(`schema is the name of a schema of the server, of at most ${longestSchema} bytes`)
    if (schema.includes('\0') || /^pg_/i.test(schema) || schema === 'information_schema')
      throw new TypeError('schema is no name that PostgreSQL keeps for itself: choose another one')
    checkWholeNumber(poolSize, 'poolSize', 3)
    checkWholeNumber(busyTimeout, 'busyTimeout', 0)
    checkWholeNumber(connectTimeout, 'connectTimeout', 1)
    return { schema, poolSize, busyTimeout, connectTimeout }
  },
  address: (given) => postgresAddress(given!),
  shown: shownAddress,
  isKept: () => true,
  assertRuntime() {},
  async open(address, collections, options) {
    const { openPostgres } = await import('./open.ts')
    return openPostgres(address, collections, options)
  },
  async readCatalog(address, _toWrite, options) {
    const { readServerCatalog } = await import('./open.ts')
    return readServerCatalog(address, options)
  },
  verify: (address) => onlyOfFiles(address, 'verify'),
  repair: (address) => onlyOfFiles(address, 'repair'),
  backUp: (address) => onlyOfFiles(address, 'backup'),
  restore: (_backup, address) => onlyOfFiles(address, 'restore'),
}
