import { keyText } from '../../key/key-text.ts'
import type {
  KeyedRow,
  Read,
  ReadResults,
  ResultOf,
  Salvage,
  SalvagedRows,
  Scan,
  StoredRow,
} from '../driver.ts'
import type { QueryRunner, Running } from './query/query-runner.ts'
import type { SeenRows } from './query/seen-rows.ts'
import { fewKeys, keyedRow, storedRow } from './rows/kv-row.ts'
import type { Statements } from './rows/statements.ts'
import type { RunStatement } from './server/statement.types.ts'
import { byteas } from './values/binary-array.ts'

/** Reads of stored rows, and of the rows that a session was shown. */
export interface Reads {
  readonly statements: Statements
  readonly queries: QueryRunner
  readonly seen: SeenRows
}

/** Performs a read that is given as data. */
export async function performRead<R extends Read>(
  reads: Reads,
  request: R,
  running: Running,
): Promise<ResultOf<R>> {
  return (await perform(reads, request, running)) as ResultOf<R>
}

function perform(
  { statements, queries, seen }: Reads,
  request: Read,
  running: Running,
): Promise<ReadResults[Read['type']]> {
  const { run } = running
  switch (request.type) {
    case 'get':
      return get(statements, request.key, run)
    case 'getMany':
      return getMany(statements, request.keys, run)
    case 'exists':
      return run(statements.exists, [request.key]).then((rows) => rows.length > 0)
    case 'salvage':
      return salvage(statements, request.salvage, run)
  }
  const isShown = (running.shown ?? []).length > 0
  const runner = isShown ? seen.queries : queries
  switch (request.type) {
    case 'scan':
      return isShown ? seen.scan(request.scan, running) : scan(statements, request.scan, run)
    case 'count':
      return isShown ? seen.count(request, running) : count(statements, request, run)
    case 'find':
      return runner.find(request.query, running)
    case 'related':
      return runner.related(request.query, running)
    case 'figures':
      return runner.figures(request.query, running)
    case 'explain':
      return runner.explain(request.query, running)
  }
}

async function get({ get }: Statements, key: Uint8Array, run: RunStatement): Promise<StoredRow | null> {
  const [row] = await run(get, [key])
  return row === undefined ? null : storedRow(row)
}

async function getMany(
  { getFew, getMany }: Statements,
  keys: readonly Uint8Array[],
  run: RunStatement,
): Promise<(StoredRow | null)[]> {
  const rows = await run(keys.length <= fewKeys ? getFew : getMany, [byteas(keys)])
  const found = new Map(rows.map((row) => [keyText(row[6] as Uint8Array), storedRow(row)]))
  return keys.map((key) => found.get(keyText(key)) ?? null)
}

async function scan(
  { scan, scanOf }: Statements,
  { range, collection, reverse, limit }: Scan,
  run: RunStatement,
): Promise<KeyedRow[]> {
  const direction = reverse ? 'desc' : 'asc'
  const values = [range.start, range.end, limit]
  const rows =
    collection === null
      ? await run(scan[direction], values)
      : await run(scanOf[direction], [...values, collection])
  return rows.map(keyedRow)
}

/** The server does not return a row that it cannot read, or say where it is: a page is a scan. */
async function salvage(
  { salvage, salvageOf }: Statements,
  { collection, after, limit }: Salvage,
  run: RunStatement,
): Promise<SalvagedRows> {
  const from = after ?? new Uint8Array()
  const rows =
    collection === null ? await run(salvage, [from, limit]) : await run(salvageOf, [from, limit, collection])
  const last = rows.length < limit ? undefined : rows.at(-1)
  return {
    rows: rows.map(keyedRow),
    unreadable: [],
    next: last === undefined ? null : (last[6] as Uint8Array),
  }
}

async function count(
  { count, countRange }: Statements,
  { collection, range }: Extract<Read, { readonly type: 'count' }>,
  run: RunStatement,
): Promise<number> {
  const [row] =
    range === null
      ? await run(count, [collection])
      : await run(countRange, [collection, range.start, range.end])
  return row![0] as number
}
