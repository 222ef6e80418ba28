import { keysPerLogRow } from '../../../commit/log-format.ts'
import type { FailedRow, OldRow, StagedRow, StagedRows, Step } from '../../migration-database.ts'
import { convertAtOnce, mostRowsAtOnce } from '../../migration-database.ts'
import { keyedColumns, storedRow } from '../rows/kv-row.ts'
import { isAlive, moment } from '../server/sql-text.ts'
import type { Row, RunStatement } from '../server/statement.types.ts'
import { bigints, byteas, jsons, smallints, texts } from '../values/binary-array.ts'
import { escapeJson } from '../values/json-text.ts'
import { meaningsOf } from '../values/meanings.ts'
import { createStaging, stagingTable } from './staging-sql.ts'

/** How many stored bytes end a page of rows, and how many characters of results are sent at once. */
const bytesPerPage = 4_000_000
const charactersPerRequest = 16_000_000

/**
 * The results of one step, stored in the database, so that they survive a process that was killed. `id` identifies the program that
 * made them.
 */
export class ServerStagedRows implements StagedRows {
  readonly #run: RunStatement
  readonly #s: string
  readonly #staged: string
  readonly #id: string
  readonly #collection: string

  /** `s`: the quoted schema. */
  constructor(run: RunStatement, s: string, { id, collection }: Pick<Step, 'id' | 'collection'>) {
    this.#run = run
    this.#s = s
    this.#staged = `${s}.${stagingTable}`
    this.#id = id
    this.#collection = collection
  }

  async begin(): Promise<number> {
    await this.#run({ text: createStaging(this.#s) }, [])
    const prefix = this.#id.slice(0, this.#id.lastIndexOf(':') + 1)
    const others = `delete from ${this.#staged} where starts_with(step, $1) and step <> $2`
    await this.#run({ text: others }, [prefix, this.#id])
    const [row] = await this.#run({ text: `select count(*) from ${this.#staged} where step = $1` }, [
      this.#id,
    ])
    return row![0] as number
  }

  async last(): Promise<Uint8Array> {
    const text = `select key from ${this.#staged} where step = $1 order by key desc limit 1`
    const [row] = await this.#run({ text }, [this.#id])
    return (row?.[0] as Uint8Array | undefined) ?? new Uint8Array()
  }

  rowsAfter(key: Uint8Array, limit: number): Promise<OldRow[]> {
    return rowsAfter(this.#run, this.#s, this.#collection, key, limit)
  }

  async staleRows(key: Uint8Array, limit: number): Promise<OldRow[]> {
    const joined = `${this.#s}.kv left join ${this.#staged} staged on staged.step = $4 and staged.key = kv.key`
    const page = pageOf(joined, 'and staged.version is distinct from kv.version')
    return (await this.#run({ text: page }, [this.#collection, key, limit, this.#id])).map(oldRow)
  }

  async stage(rows: readonly StagedRow[]): Promise<void> {
    for (const some of portions(rows)) await this.#put(some)
  }

  async failures(): Promise<FailedRow[]> {
    const text = `select ${keyedColumns}, staged.error from ${this.#staged} staged
      join ${this.#s}.kv on kv.key = staged.key and kv.version = staged.version
      where staged.step = $1 and kv.collection = $2 and staged.error is not null and ${isAlive} order by kv.key`
    return (await this.#run({ text }, [this.#id, this.#collection])).map((row) => ({
      ...oldRow(row),
      expiresAt: row[5] as number | null,
      error: row[7] as string,
    }))
  }

  async discard(): Promise<void> {
    await this.#run({ text: `delete from ${this.#staged} where step = $1` }, [this.#id])
  }

  /**
   * Converts what others have written since, in the open transaction, so that they wait. Returns `false` if there is more than they
   * can wait for.
   */
  async catchUp(convert: Step['convert']): Promise<boolean> {
    // The server does not know yet how many results there are.
    await this.#run({ text: `analyze ${this.#staged}` }, [])
    let last: Uint8Array = new Uint8Array()
    for (let done = 0; ; ) {
      const rows = await this.staleRows(last, mostRowsAtOnce + 1)
      if (rows.length === 0) return true
      done += rows.length
      const results = done > mostRowsAtOnce ? null : convertAtOnce(rows, convert)
      if (results === null) return false
      await this.stage(results)
      last = rows.at(-1)!.key
    }
  }

  /** Puts the results into `kv` inside the open transaction: as one commit, or several if they are many. */
  async write(): Promise<void> {
    const text = `with m as (
        select version from ${this.#s}.kv_meta where one
      ), n as (
        select staged.key, (row_number() over (order by staged.key) - 1) / ${keysPerLogRow} as page from ${this.#staged} staged
          join ${this.#s}.kv on kv.key = staged.key and kv.version = staged.version
          where staged.step = $1 and staged.error is null and kv.collection = $2 and ${isAlive}
            and (kv.value::text is distinct from staged.value::text or kv.raw is distinct from staged.raw
              or kv.encoding <> staged.encoding or kv.types::text is distinct from staged.types::text)
      ), written as (
        update ${this.#s}.kv set value = staged.value, raw = staged.raw, encoding = staged.encoding, types = staged.types,
            meanings = staged.meanings, version = m.version + 1 + n.page
          from m cross join n join ${this.#staged} staged on staged.step = $1 and staged.key = n.key
          where kv.key = n.key returning kv.key, kv.version
      ), logged as (
        insert into ${this.#s}.kv_log
          select version, ${moment}, array_agg(key order by key), decode(repeat('01', count(*)::integer), 'hex'), null, null
            from written group by version
          returning version
      )
      update ${this.#s}.kv_meta set version = (select max(version) from logged) where one and exists (select from logged)`
    await this.#run({ text }, [this.#id, this.#collection])
  }

  async #put(rows: readonly StagedRow[]): Promise<void> {
    const text = `insert into ${this.#staged}
      select $1, r.* from unnest($2::bytea[], $3::bigint[], $4::json[], $5::bytea[], $6::smallint[], $7::json[], $8::json[], $9::text[]) r
      on conflict (step, key) do update set version = excluded.version, value = excluded.value, raw = excluded.raw,
        encoding = excluded.encoding, types = excluded.types, meanings = excluded.meanings, error = excluded.error`
    const made = rows.map((row) => (row.error === null ? row : { ...row, value: null, types: null }))
    await this.#run({ text }, [
      this.#id,
      byteas(rows.map(({ key }) => key)),
      bigints(rows.map(({ version }) => version)),
      jsons(made.map(({ value }) => (typeof value === 'string' ? escapeJson(value) : null))),
      byteas(made.map(({ value }) => (typeof value === 'string' ? null : value))),
      smallints(made.map(({ encoding }) => encoding)),
      jsons(made.map(({ types }) => types)),
      jsons(made.map(({ types }) => meaningsOf(types))),
      // PostgreSQL cannot store U+0000.
      texts(rows.map(({ error }) => error?.replaceAll('\0', '\u2400').toWellFormed() ?? null)),
    ])
  }
}

/** Rows of a collection in key order, after a key: fewer than `limit` if they are large. */
export async function rowsAfter(
  run: RunStatement,
  s: string,
  collection: string,
  key: Uint8Array,
  limit: number,
): Promise<OldRow[]> {
  return (await run({ text: pageOf(`${s}.kv`) }, [collection, key, limit])).map(oldRow)
}

/** Its first parameters are the collection, a key and a number of rows. */
function pageOf(from: string, more = ''): string {
  const size = 'coalesce(pg_column_size(kv.value), 0) + coalesce(pg_column_size(kv.raw), 0)'
  return `select ${keyedColumns} from (
      select kv.*, sum(kv.size) over (order by kv.key) - kv.size as before from (
        select kv.*, ${size} as size from ${from}
          where kv.collection = $1 and kv.key > $2 ${more} and ${isAlive} order by kv.key limit $3
      ) kv
    ) kv where kv.before < ${bytesPerPage} order by kv.key`
}

function oldRow(row: Row): OldRow {
  const { value, encoding, types, version } = storedRow(row)
  return { key: row[6] as Uint8Array, value, encoding, types, version }
}

/** Groups results into requests. */
function* portions(rows: readonly StagedRow[]): Iterable<readonly StagedRow[]> {
  let some: StagedRow[] = []
  let characters = 0
  for (const row of rows) {
    some.push(row)
    characters += row.value.length + (row.types?.length ?? 0)
    if (characters < charactersPerRequest) continue
    yield some
    some = []
    characters = 0
  }
  if (some.length > 0) yield some
}
