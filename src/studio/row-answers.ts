import { performance } from 'node:perf_hooks'
import { storeOf } from '../api/database.ts'
import { keyOfJson } from '../key/key-json.ts'
import { chooseIndex, readsAll } from '../query/index-choice.ts'
import { plannerOf } from '../repository/find/planner-of.ts'
import { askedQuery } from './asked-query.ts'
import type { OpenedDatabase } from './opened-database.ts'
import { readablePage } from './readable-page.ts'
import { type ReadRow, relatedNames, rowJson } from './row-json.ts'

type Body = { readonly [name: string]: unknown }

const rowsPerPage = 100
const mostRows = 500

/**
 * A page of rows, `{ rows, cursor, ms }`: those after the cursor `after`, skipping `offset` rows; `backward`: those before it, in
 * the order of the query. The cursor is null at the end.
 */
export async function rowsAnswer(opened: OpenedDatabase, body: Body, signal: AbortSignal): Promise<string> {
  const asked = await askedQuery(opened, body)
  const { after = null, offset, limit = rowsPerPage, backward = false } = body
  checkLimit(limit)
  const { query } = asked
  const page = {
    ...query,
    ...(backward === true && { orderBy: reversed(query.orderBy) }),
    ...(offset !== undefined && { offset }),
    limit,
    after,
  }
  const began = performance.now()
  const { rows, cursor } = await readablePage(asked, page, signal)
  const ms = performance.now() - began
  const names = relatedNames(query.with)
  const texts = rows.map((row) =>
    'damage' in row ? JSON.stringify(row) : rowJson(row, storeOf(asked.db)!, names),
  )
  if (backward === true) texts.reverse()
  return `{"rows":[${texts.join(',')}],"cursor":${JSON.stringify(cursor)},"ms":${ms}}`
}

/** The reversed order of a query. */
function reversed(orderBy: unknown): unknown {
  const terms = orderBy === undefined ? [] : [orderBy].flat()
  const given = terms.filter(
    (term) => typeof term !== 'object' || term === null || Object.keys(term).length > 0,
  )
  return (given.length === 0 ? [{ $id: 'asc' }] : given).map((term) => flipped(term))
}

function flipped(term: unknown): unknown {
  if (term === 'asc' || term === 'desc') return term === 'asc' ? 'desc' : 'asc'
  if (typeof term !== 'object' || term === null) return term
  return Object.fromEntries(Object.entries(term).map(([name, inner]) => [name, flipped(inner)]))
}

/** How many rows a query finds, `{ count, ms }`. */
export async function countAnswer(opened: OpenedDatabase, body: Body, signal: AbortSignal): Promise<object> {
  const { repository, query } = await askedQuery(opened, body)
  const { where, prefix } = query
  const counted = { ...(where !== undefined && { where }), ...(prefix !== undefined && { prefix }) }
  const began = performance.now()
  const count = await repository.count(counted as never, { signal })
  return { count, ms: performance.now() - began }
}

/** How a query runs, `{ sql, params, plan, served }`: its statement, the engine's plan, and whether it reads only what it must. */
export async function explainAnswer(opened: OpenedDatabase, body: Body): Promise<object> {
  const { repository, definition, query } = await askedQuery(opened, body)
  const limited = { ...query, limit: rowsPerPage }
  const { sql, params } = await repository.toSQL(limited as never)
  const plan = await repository.explain(limited as never)
  return {
    sql,
    params: params.map((param) => shownParam(param)),
    plan,
    served: query.prefix !== undefined || !readsWhole(definition, limited),
  }
}

function readsWhole(definition: Parameters<typeof plannerOf>[0], query: object): boolean {
  const { plan } = plannerOf(definition).find(query, null)
  return readsAll(plan, chooseIndex(plan, plan.order, definition.indexes, new Set()))
}

function shownParam(param: unknown): string {
  if (param instanceof Uint8Array) return `x'${Buffer.from(param).toString('hex')}'`
  return typeof param === 'string' ? JSON.stringify(param) : String(param)
}

/** The rows of keys, `{ rows }`, in the order of the keys; null for a missing one. */
export async function getAnswer(opened: OpenedDatabase, { keys }: Body): Promise<string> {
  if (!Array.isArray(keys) || keys.length > mostRows)
    throw new TypeError(`keys must be an array of at most ${mostRows} keys`)
  const db = await opened.database()
  const entries = await db.getMany(keys.map(keyOfJson))
  const store = storeOf(db)!
  const rows = entries.map((entry) =>
    entry.versionstamp === null ? 'null' : rowJson(entry as ReadRow, store),
  )
  return `{"rows":[${rows.join(',')}]}`
}

/** Throws a RangeError if this is not a number of rows for a page. */
export function checkLimit(limit: unknown): asserts limit is number {
  if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > mostRows)
    throw new RangeError(`limit must be a number of rows from 1 to ${mostRows}`)
}
