import { type LoggedCommit, readChanges } from '../../../commit/log-format.ts'
import { keyLabel } from '../../../key/key-label.ts'
import { isVersion } from '../../../key/versionstamp.ts'
import { pauseDue } from '../../../time/give-way.ts'
import { unsealed } from '../../../value/checksum.ts'
import { type StoredValue, storedBytes } from '../../../value/encoding.ts'
import type {
  CopiedCollection,
  CopiedPage,
  CopiedRow,
  CopiedState,
  CopySource,
  RefusedRow,
} from '../../copy.ts'
import { isSealed } from '../file/file-format.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { assertInOrder, beforeAll } from '../reads/salvage.ts'
import { type RawRow, rawColumns } from '../rows/kv-row.ts'
import { readCatalog } from '../tables/catalog.ts'
import { otherTables } from '../tables/own-tables.ts'
import { isOfSearch, knownSearches } from '../tables/search-indexes.ts'

const rowsPerPage = 200
const bytesPerPage = 256 * 1024

/** The rows, commits and collections of a file, read in pages on one connection, which does nothing else. */
export class FileState implements Omit<CopySource, 'close'> {
  readonly #connection: Connection
  readonly #isSealed: boolean

  constructor(connection: Connection) {
    this.#connection = connection
    this.#isSealed = isSealed(connection)
  }

  async state(): Promise<CopiedState> {
    const searches = knownSearches(this.#connection)
    const number = (text: string) => this.#connection.prepare<[], number | null>(text).pluck().get() ?? 0
    return {
      version: number('SELECT max(version) FROM kv_log'),
      rows: number('SELECT count(*) FROM kv'),
      commits: number('SELECT count(*) FROM kv_log'),
      collections: this.#collections(),
      catalog: readCatalog(this.#connection),
      // From file to file, a backup includes it.
      register: null,
      others: otherTables(this.#connection).filter((table) => !isOfSearch(table, searches)),
    }
  }

  /** A file of an older release has fewer columns. */
  #collections(): CopiedCollection[] {
    return this.#connection
      .prepare<[], CopiedCollection>('SELECT * FROM kv_collections ORDER BY name')
      .all()
      .map(({ name, pattern, schema, version, indexes = null, references = null, migrated = null }) => {
        return { name, pattern, schema, version, indexes, references, migrated }
      })
  }

  async *rows(): AsyncGenerator<CopiedPage> {
    const select = this.#connection
      .prepare<[unknown], RawRow>(`SELECT ${rawColumns} FROM kv WHERE key > ? ORDER BY key`)
      .raw()
    let after: unknown = beforeAll
    for (;;) {
      const rows: CopiedRow[] = []
      const unreadable: RefusedRow[] = []
      let bytes = 0
      let last = after
      for (const row of select.iterate(after)) {
        assertInOrder(last, [[row[1]]])
        const read = this.#read(row)
        if ('reason' in read) unreadable.push(read)
        else {
          rows.push(read)
          bytes += storedBytes(read as StoredValue)
        }
        last = row[1]
        if (rows.length + unreadable.length === rowsPerPage || bytes >= bytesPerPage) break
      }
      if (last === after) return
      yield { rows, unreadable }
      after = last
      await pauseDue()
    }
  }

  #read([rowid, key, collection, encoding, types, version, expiresAt, value]: RawRow):
    | CopiedRow
    | RefusedRow {
    const damaged = (reason: string) => ({
      key: key instanceof Uint8Array ? keyLabel(key) : `row ${rowid}`,
      collection: typeof collection === 'string' ? collection : null,
      reason,
    })
    if (!(key instanceof Uint8Array)) return damaged('its key is not bytes')
    if (collection !== null && typeof collection !== 'string') return damaged('its repository is not a name')
    if (types !== null && typeof types !== 'string') return damaged('its types are not text')
    if (!Number.isSafeInteger(encoding)) return damaged('its encoding is not a number')
    if (!isVersion(version)) return damaged('its version is not a version')
    if (expiresAt !== null && !Number.isSafeInteger(expiresAt)) return damaged('its expiry is not a time')
    if (typeof value !== 'string' && !(value instanceof Uint8Array))
      return damaged('its value is neither text nor bytes')
    const row: CopiedRow = {
      key,
      collection,
      encoding: encoding as number,
      types,
      version,
      expiresAt: expiresAt as number | null,
      value,
    }
    if (!this.#isSealed) return row
    const opened = unsealed(row)
    return opened.encoding === row.encoding ? opened : damaged('its value does not match its checksum')
  }

  async *commits(): AsyncGenerator<LoggedCommit[]> {
    const select = this.#connection
      .prepare<[number], readonly [version: number, at: number, changes: Uint8Array]>(
        'SELECT version, at, changes FROM kv_log WHERE version > ? ORDER BY version',
      )
      .raw()
    let after = 0
    for (;;) {
      const commits: LoggedCommit[] = []
      let bytes = 0
      for (const [version, at, changes] of select.iterate(after)) {
        commits.push({ version, at, changes: readChanges(changes) })
        bytes += changes.length
        if (commits.length === rowsPerPage || bytes >= bytesPerPage) break
      }
      if (commits.length === 0) return
      yield commits
      after = commits.at(-1)!.version
      await pauseDue()
    }
  }
}
