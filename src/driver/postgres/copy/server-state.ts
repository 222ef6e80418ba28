import type { LoggedCommit } from '../../../commit/log-format.ts'
import type {
  CopiedCollection,
  CopiedPage,
  CopiedRegister,
  CopiedRow,
  CopiedState,
  CopySource,
} from '../../copy.ts'
import { readHistory } from '../migrations/history.ts'
import { keyedColumns, storedRow } from '../rows/kv-row.ts'
import { loggedCommit } from '../rows/log-row.ts'
import { ServerSearches } from '../search/searches.ts'
import { searchCatalog, searchName } from '../search/tables.ts'
import { quoteName } from '../server/sql-text.ts'
import type { RunStatement } from '../server/statement.types.ts'
import { statementName } from '../server/statement-name.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { journalTable, ownTableNames } from '../tables/ddl.ts'

/** A database on a server, and how many milliseconds to try to connect. */
export interface ServerPlace {
  readonly schema: string
  readonly connectTimeout: number
}

const rowsPerPage = 1_000
const bytesPerPage = 1024 * 1024

/** The rows, commits and collections in a schema of a server, read in pages in the open transaction. */
export class ServerState implements Omit<CopySource, 'close'> {
  readonly #schema: string
  readonly #s: string
  readonly #run: RunStatement
  readonly #searches: ServerSearches

  constructor(schema: string, run: RunStatement) {
    this.#searches = new ServerSearches(schema, run)
    this.#schema = schema
    this.#s = quoteName(schema)
    this.#run = run
  }

  async state(): Promise<CopiedState> {
    const counts = `select m.version, (select count(*) from ${this.#s}.kv), (select count(*) from ${this.#s}.kv_log) from ${this.#s}.kv_meta m where m.one`
    const [row] = await this.#run({ text: counts }, [])
    const [version, rows, commits] = row as [number, number, number]
    const catalog = new ServerCatalog(this.#schema, this.#run)
    return {
      version,
      rows,
      commits,
      collections: (await catalog.columns()) as CopiedCollection[],
      catalog: await catalog.read(),
      register: await this.#register(),
      others: await this.#others(),
    }
  }

  async #register(): Promise<CopiedRegister | null> {
    const { applied } = await readHistory(this.#run, this.#s)
    return applied === null ? null : { table: journalTable, applied }
  }

  async #others(): Promise<string[]> {
    const text = `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relkind in ('r', 'p') order by c.relname collate "C"`
    const rows = (await this.#run({ text }, [this.#schema])) as unknown as readonly [string][]
    const known = await this.#searches.known()
    const own = [journalTable, ...ownTableNames, searchCatalog, ...known.map(searchName)]
    return rows.map(([name]) => name).filter((name) => !own.includes(name))
  }

  async *rows(): AsyncGenerator<CopiedPage> {
    const size =
      "octet_length(coalesce(f.value::text, '')) + octet_length(coalesce(f.raw, '')) + octet_length(coalesce(f.types::text, ''))"
    const text = `select ${keyedColumns}, kv.collection from (
        select f.*, sum(${size}) over (order by f.key rows between unbounded preceding and 1 preceding) as before
          from (select * from ${this.#s}.kv where key > $1 order by key limit ${rowsPerPage}) f
      ) kv where coalesce(kv.before, 0) < ${bytesPerPage} order by kv.key`
    // No key is empty.
    let after: Uint8Array = new Uint8Array()
    for (;;) {
      const found = await this.#run({ name: statementName('copied_rows', text), text }, [after])
      if (found.length === 0) return
      const rows = found.map((row): CopiedRow => {
        return { ...storedRow(row), key: row[6] as Buffer, collection: row[7] as string | null }
      })
      yield { rows, unreadable: [] }
      after = rows.at(-1)!.key
    }
  }

  async *commits(): AsyncGenerator<LoggedCommit[]> {
    const size = "octet_length(l.kinds) + octet_length(coalesce(l.changes, ''))"
    const text = `select p.version, p.at, p.keys, p.kinds, p.changes from (
        select l.*, sum(${size}) over (order by l.version rows between unbounded preceding and 1 preceding) as before
          from (select * from ${this.#s}.kv_log where version > $1 order by version limit ${rowsPerPage}) l
      ) p where coalesce(p.before, 0) < ${bytesPerPage} order by p.version`
    let after = 0
    for (;;) {
      const found = await this.#run({ name: statementName('copied_commits', text), text }, [after])
      if (found.length === 0) return
      const commits = found.map(([version, at, keys, kinds, changes]) =>
        loggedCommit(
          version as number,
          at as number,
          keys as Buffer[],
          kinds as Buffer,
          changes as Buffer | null,
        ),
      )
      yield commits
      after = commits.at(-1)!.version
    }
  }
}
