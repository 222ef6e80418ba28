// Verification reads everything once, and its checks share the rows.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Catalog } from '../../catalog/catalog.ts'
import { readChanges } from '../../commit/log-format.ts'
import { KvError } from '../../contract/errors.ts'
import { keyLabel } from '../../key/key-label.ts'
import { PatternIndex } from '../../key/pattern-index.ts'
import { isVersion, versionText } from '../../key/versionstamp.ts'
import { damageOfCommit, damageOfRow, Findings, gapInLog } from '../findings.ts'
import type { Verification, VerifyOptions } from '../verification.ts'
import { connect } from './file/connection.ts'
import { removeEmptyLog } from './file/empty-log.ts'
import { engineCode, toKvError } from './file/engine-error.ts'
import { isSealed } from './file/file-format.ts'
import { retryBusy } from './file/retry-busy.ts'
import { withModule } from './module/open-connection.ts'
import type { Connection } from './module/sqlite-module.ts'
import { checkIntegrity } from './rows/damaged-rows.ts'
import { type RawRow, rawColumns } from './rows/kv-row.ts'
import { readCatalog } from './tables/catalog.ts'
import { hasOwnTables, hasTable } from './tables/own-tables.ts'
import { compareSearch } from './tables/search-check.ts'

const rowsPerPage = 200
/** How many milliseconds of work before timers and I/O get their turn. */
const longestWork = 8
const mostFindingsOfAKind = 100

/** Reads the state of a file at one moment, and reports what is damaged. */
export async function verifySqlite(
  path: string,
  { signal, busyTimeout = 5_000 }: VerifyOptions = {},
): Promise<Verification> {
  const { connection } = await withModule(path, () =>
    retryBusy(() => connect({ path, readOnly: true, durability: 'normal' }), busyTimeout),
  )
  try {
    // On a connection of its own, so others keep reading and writing.
    connection.exec('BEGIN')
    return await new Verifier(connection, signal).run()
  } catch (error) {
    throw toKvError(error)
  } finally {
    connection.close()
    removeEmptyLog(path)
  }
}

class Verifier {
  readonly #connection: Connection
  readonly #signal: AbortSignal | undefined
  readonly #findings = new Findings()
  #worked = performance.now()

  constructor(connection: Connection, signal: AbortSignal | undefined) {
    this.#connection = connection
    this.#signal = signal
  }

  async run(): Promise<Verification> {
    this.#attempt(() => this.#checkFile())
    if (this.#attempt(() => hasTable(this.#connection, 'kv')) === false) {
      this.#findings.add({ kind: 'catalog', message: 'It has no database yet, or no longer' })
      return this.#findings.verification(0, 0)
    }
    if (!hasOwnTables(this.#connection)) {
      this.#findings.add({
        kind: 'catalog',
        message: 'It lacks tables or columns: open it once without readOnly',
      })
    }
    const catalog = this.#attempt(() => readCatalog(this.#connection)) ?? null
    if (catalog !== null) this.#checkIndexes(catalog)
    if (catalog !== null) await this.#checkSearches(catalog)
    const newest = this.#attempt(() => this.#newestVersion()) ?? Number.POSITIVE_INFINITY
    const rows = await this.#checkRows(catalog, newest)
    const commits = await this.#checkLog()
    return this.#findings.verification(rows, commits)
  }

  /** The engine's own check of every page and every index. */
  #checkFile(): void {
    for (const problem of checkIntegrity(this.#connection, mostFindingsOfAKind)) {
      this.#findings.add({ kind: 'file', message: bySqlite(problem) })
    }
  }

  #checkIndexes({ collections }: Catalog): void {
    for (const { name, indexes } of collections) {
      for (const { fields, built } of indexes) {
        if (built) continue
        const message = `The index of '${name}' on ${fields.join(' and ')} is missing: open the file with that schema`
        this.#findings.add({ kind: 'index', message })
      }
    }
  }

  async #checkSearches({ collections }: Catalog): Promise<void> {
    for (const { name: collection, search: searches = [] } of collections) {
      for (const search of searches) {
        const found = (what: string) =>
          this.#findings.add({
            kind: 'index',
            message: `The search of '${collection}' on ${search.fields.join(' and ')} ${what}: rebuild it with --repair`,
          })
        if (!search.built) {
          found('is missing')
          continue
        }
        const parts = compareSearch(this.#connection, { collection, search })
        const next = () => this.#attempt(() => parts.next())
        for (let part = next(); ; part = next()) {
          if (part === undefined) break
          if (part.done) {
            if (part.value.stray) found('has the text of rows that are gone')
            if (!part.value.index) found('does not match the words of its texts')
            break
          }
          for (const key of part.value) found(`has another text of ${labelOf(key)}`)
          await this.#giveWay()
        }
      }
    }
  }

  #newestVersion(): number {
    return this.#connection.prepare<[], number>('SELECT max(version) FROM kv_log').pluck().get() ?? 0
  }

  async #checkRows(catalog: Catalog | null, newest: number): Promise<number> {
    const names = catalog && new PatternIndex(catalog.collections.map((it) => [it.pattern, it.name]))
    const checksums = isSealed(this.#connection)
    return this.#pages<RawRow>(`SELECT ${rawColumns} FROM kv`, 'rowid', (row) => {
      const [rowid, key, collection, encoding, types, version, expiresAt, value] = row
      const found = { key, collection, encoding, types, version, expiresAt, value }
      const message = damageOfRow(found, names, newest, checksums)
      if (message === null) return
      const label = key instanceof Uint8Array ? keyLabel(key) : `row ${rowid}`
      this.#findings.add({ kind: 'row', message, key: label })
    })
  }

  async #checkLog(): Promise<number> {
    type Commit = readonly [version: number, at: unknown, changes: unknown]
    let last: number | null = null
    return this.#pages<Commit>(
      'SELECT version, at, changes FROM kv_log',
      'version',
      ([version, at, bytes]) => {
        const isGap = last !== null && isVersion(version) && version > last + 1
        if (isGap) {
          this.#findings.add({ kind: 'log', message: gapInLog, version: versionText(version) })
        }
        last = isVersion(version) ? version : last
        const message = damageOfCommit(version, at, readChanges(bytes))
        if (message !== null) this.#findings.add({ kind: 'log', message, version: versionText(version) })
      },
    )
  }

  /** Reads every row of a table in the order of its number, its first column; returns how many there were. */
  async #pages<R extends readonly [number, ...unknown[]]>(
    select: string,
    number: string,
    take: (row: R) => void,
  ): Promise<number> {
    let count = 0
    let last = Number.NEGATIVE_INFINITY
    for (;;) {
      const page = this.#attempt(() =>
        this.#connection
          .prepare<[number], R>(`${select} WHERE ${number} > ? ORDER BY ${number} LIMIT ${rowsPerPage}`)
          .raw()
          .all(last),
      )
      if (page === undefined) return count
      for (const row of page) take(row)
      count += page.length
      const next = page.at(-1)?.[0]
      if (next === undefined || page.length < rowsPerPage) return count
      // Out of order: the engine's check has reported it, and continuing might never end.
      if (next <= last) return count
      last = next
      await this.#giveWay()
    }
  }

  async #giveWay(): Promise<void> {
    this.#signal?.throwIfAborted()
    if (performance.now() - this.#worked < longestWork) return
    await nextTurn()
    this.#worked = performance.now()
  }

  /** `undefined`: the engine cannot read it, which becomes a finding. */
  #attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      const isDamage =
        error instanceof KvError || /^SQLITE_(CORRUPT|NOTADB|ERROR|IOERR)/.test(engineCode(error) ?? '')
      if (!isDamage) throw error
      const { message } = error as Error
      this.#findings.add(
        error instanceof KvError
          ? { kind: 'catalog', message }
          : { kind: 'file', message: bySqlite(message) },
      )
      return undefined
    }
  }
}

function labelOf(key: unknown): string {
  return key instanceof Uint8Array ? keyLabel(key) : 'a row'
}

/** A sentence that attributes the message to SQLite. */
function bySqlite(message: string): string {
  return `SQLite finds: ${message}`
}
