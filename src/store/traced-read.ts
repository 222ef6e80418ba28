import type { Read, Reader, ResultOf } from '../driver/driver.ts'
import { queries, type TracedQuery } from '../trace/channels.ts'
import { queryShape } from '../trace/query-shape.ts'
import { traced } from '../trace/traced.ts'

type QueryRead = Extract<Read, { readonly type: 'find' | 'related' | 'figures' | 'count' | 'scan' }>

/** Reads through a reader, and reports queries to subscribers. */
export function tracedRead<R extends Read>(
  reader: Reader,
  database: string,
  request: R,
  signal: AbortSignal | undefined,
): Promise<ResultOf<R>> {
  return isQuery(request) && queries.hasSubscribers
    ? (tracedQuery(reader, database, request, signal) as Promise<ResultOf<R>>)
    : reader.read(request, signal)
}

/** Whether it takes some microseconds: it is of one row. */
export function isShort({ type }: Read): boolean {
  return type === 'get' || type === 'exists'
}

function isQuery(request: Read): request is QueryRead {
  const { type } = request
  return type !== 'get' && type !== 'getMany' && type !== 'exists' && type !== 'explain'
}

function tracedQuery<R extends QueryRead>(
  reader: Reader,
  database: string,
  request: R,
  signal: AbortSignal | undefined,
): Promise<ResultOf<R>> {
  const begin = () => reader.read(request, signal)
  return traced(queries, { database, ...described(request) }, begin, (message, result) => {
    message.rows = Array.isArray(result) ? result.length : 1
  })
}

function described(request: QueryRead): Pick<TracedQuery, 'query' | 'repository' | 'shape'> {
  switch (request.type) {
    case 'scan': {
      const { collection, reverse } = request.scan
      return { query: 'scan', repository: collection, shape: `range ?${reverse ? ' reverse' : ''} limit ?` }
    }
    case 'count': {
      const { collection, range } = request
      return { query: 'count', repository: collection, shape: range === null ? '' : 'prefix ?' }
    }
    case 'find':
    case 'related':
    case 'figures': {
      const { plan } = request.query
      return { query: plan.type, repository: plan.collection, shape: queryShape(plan) }
    }
  }
}
