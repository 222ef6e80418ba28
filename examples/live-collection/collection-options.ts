import type { CollectionConfig } from '@tanstack/db'
import type { LiveResult } from 'valkeyrie/client'

/** What every row of a live query has. */
interface Row {
  readonly key: readonly unknown[]
}

/** A row by its key, in a form that a collection takes as one. Digits of a bigint and of a number are told apart. */
function rowKey({ key }: Row): string {
  return JSON.stringify(key.map((part) => (typeof part === 'bigint' ? { bigint: String(part) } : part)))
}

/** A collection of TanStack DB that holds the rows of a live query, for as long as somebody uses it. */
export function liveCollectionOptions<T extends Row>(
  id: string,
  live: LiveResult<readonly T[]>,
): CollectionConfig<T, string> {
  return {
    id,
    getKey: rowKey,
    sync: {
      rowUpdateMode: 'full',
      sync: ({ begin, write, commit, markReady, markError }) => {
        let shown = new Map<string, T>()
        const show = () => {
          const { status, result, error } = live.state
          if (status === 'failed' && error.code !== 'CLOSED') markError(error)
          if (status !== 'live') return
          const rows = new Map(result.map((row) => [rowKey(row), row]))
          begin()
          for (const key of shown.keys()) if (!rows.has(key)) write({ type: 'delete', key })
          for (const [key, value] of rows) {
            const before = shown.get(key)
            if (before === undefined) write({ type: 'insert', value })
            else if (before !== value) write({ type: 'update', value })
          }
          commit()
          markReady()
          shown = rows
        }
        const stop = live.subscribe(show)
        show()
        return stop
      },
    },
  }
}
